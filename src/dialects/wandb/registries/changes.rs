//! Who belongs to a registry, and as what.

use async_graphql::{Context, ID, Object, SimpleObject};

use super::inputs::{
    CreateProjectMembersInput, DeleteProjectMembersInput, UpdateProjectMemberInput,
    UpdateProjectTeamMemberInput,
};
use super::{FIRST_ROLE, ROLES, Registry, grant, put};
use crate::ctx::Whole;
use crate::db::ids::quoted;
use crate::dialects::wandb::ids::{self, Kind};
use crate::dialects::wandb::{Asked, asked};
use crate::error::{Code, Error, Result};
use crate::permissions::model::{Grant, Principal};

/// Users and teams of one request at most.
const MOST: usize = 100;

macro_rules! payload {
    ($($name:ident)+) => {$(
        /// What came of it.
        #[derive(SimpleObject)]
        pub struct $name {
            /// Always true: what fails is an error.
            success: bool,
        }
    )+};
}
payload!(CreateProjectMembersPayload DeleteProjectMembersPayload UpdateProjectMemberPayload UpdateProjectTeamMemberPayload);

/// What can be done to the members of registries.
#[derive(Default)]
pub struct MemberMutations;

#[Object]
impl MemberMutations {
    /// Adds users and teams to a registry, as viewers.
    async fn create_project_members(
        &self,
        context: &Context<'_>,
        input: CreateProjectMembersInput,
    ) -> Option<Result<CreateProjectMembersPayload>> {
        let who = several(input.user_ids, input.team_ids);
        let done = asked(context).add(&input.project_id, who).await;
        Some(done.map(|()| CreateProjectMembersPayload { success: true }))
    }

    /// Takes users and teams away from a registry.
    async fn delete_project_members(
        &self,
        context: &Context<'_>,
        input: DeleteProjectMembersInput,
    ) -> Option<Result<DeleteProjectMembersPayload>> {
        let who = several(input.user_ids, input.team_ids);
        let done = asked(context).take_away(&input.project_id, who).await;
        Some(done.map(|()| DeleteProjectMembersPayload { success: true }))
    }

    /// Gives a user of a registry another role.
    async fn update_project_member(
        &self,
        context: &Context<'_>,
        input: UpdateProjectMemberInput,
    ) -> Option<Result<UpdateProjectMemberPayload>> {
        let who = several(Some(vec![input.user_id]), None);
        let role = &input.user_project_role;
        let done = asked(context).change(&input.project_id, who, role).await;
        Some(done.map(|()| UpdateProjectMemberPayload { success: true }))
    }

    /// Gives a team of a registry another role.
    async fn update_project_team_member(
        &self,
        context: &Context<'_>,
        input: UpdateProjectTeamMemberInput,
    ) -> Option<Result<UpdateProjectTeamMemberPayload>> {
        let who = several(None, Some(vec![input.team_id]));
        let role = &input.team_project_role;
        let done = asked(context).change(&input.project_id, who, role).await;
        Some(done.map(|()| UpdateProjectTeamMemberPayload { success: true }))
    }
}

/// Users and teams, each with the field that names it.
type Who = Vec<(String, Principal)>;

/// Reads the ids, each of which counts once.
fn several(users: Option<Vec<ID>>, teams: Option<Vec<ID>>) -> Result<Who> {
    let mut who: Who = Vec::new();
    let (users, teams) = (users.unwrap_or_default(), teams.unwrap_or_default());
    if users.len() + teams.len() > MOST {
        let message = format!("{MOST} users and teams at most. Send several requests.");
        return Err(Error::bad_input("input", message));
    }
    for (number, id) in users.iter().enumerate() {
        let field = format!("input.userIds.{number}");
        let user = Principal::User(ids::read_as(Kind::User, &field, id)?);
        who.push((field, user));
    }
    for (number, id) in teams.iter().enumerate() {
        let field = format!("input.teamIds.{number}");
        let team = Principal::Team(ids::read_as(Kind::Entity, &field, id)?);
        who.push((field, team));
    }
    if who.is_empty() {
        return Err(Error::bad_input("input", "Give at least one user or team."));
    }
    let mut once: Vec<Principal> = Vec::new();
    who.retain(|(_, each)| match once.contains(each) {
        true => false,
        false => {
            once.push(*each);
            true
        }
    });
    Ok(who)
}

fn belong(registry: &Registry, who: &Who) -> Result<()> {
    match who.iter().find(|(_, each)| !registry.has(*each)) {
        None => Ok(()),
        Some((field, _)) => Err(Error::new(
            Code::NotFound,
            "One of the users or teams does not belong to the registry, or you may not see it.",
        )
        .at(field)),
    }
}

impl Asked {
    /// Makes those who do not belong to a registry viewers of it.
    async fn add(&self, registry: &str, who: Result<Who>) -> Result<()> {
        let who = who?;
        let registry = self.registry_by_id("input.projectId", registry).await?;
        if let Some((field, _)) = who.iter().find(|(_, each)| registry.has(*each)) {
            let message = "One of the users or teams belongs to the registry already. Change its role instead.";
            return Err(Error::already_exists(field, message));
        }
        self.put_all(&registry, &who, &[grant(FIRST_ROLE)]).await
    }

    /// Takes those who belong to a registry away from it.
    async fn take_away(&self, registry: &str, who: Result<Who>) -> Result<()> {
        let who = who?;
        let registry = self.registry_by_id("input.projectId", registry).await?;
        belong(&registry, &who)?;
        self.put_all(&registry, &who, &[]).await
    }

    /// Gives those who belong to a registry another role.
    async fn change(&self, registry: &str, who: Result<Who>, role: &str) -> Result<()> {
        let who = who?;
        let ours = ROLES.ours(role).ok_or_else(|| {
            let message = format!("{} is none of {}.", quoted(role), ROLES.all().join(", "));
            Error::bad_input("input.role", message)
        })?;
        let registry = self.registry_by_id("input.projectId", registry).await?;
        belong(&registry, &who)?;
        self.put_all(&registry, &who, &[grant(ours)]).await
    }

    /// Makes them all hold exactly that at the registry, or none.
    async fn put_all(&self, registry: &Registry, who: &Who, grants: &[Grant]) -> Result<()> {
        let whole = Whole::begin(&self.ctx, "put_registry_members").await?;
        let done = async {
            for (_, principal) in who {
                put(&whole.ctx, *principal, &registry.path, grants.to_vec()).await?;
            }
            Ok(())
        };
        let done = done.await;
        whole.end(done).await
    }
}
