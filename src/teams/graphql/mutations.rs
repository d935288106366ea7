//! Mutations on teams.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use uuid::Uuid;

use super::inputs::{
    AddTeamMemberInput, CreateTeamInput, DeleteTeamInput, RemoveTeamMemberInput, UpdateTeamInput,
    UpdateTeamMemberInput,
};
use super::members::TeamMembership;
use super::types::Team;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::input::change;
use crate::graphql::request;
use crate::teams::model::{self, MemberChange, NewMember};
use crate::teams::ops::{self, members};
use crate::users::graphql::User;

/// What `createTeam` answers.
#[derive(SimpleObject)]
pub struct CreateTeamPayload {
    /// The new team.
    team: Team,
}

/// What `updateTeam` answers.
#[derive(SimpleObject)]
pub struct UpdateTeamPayload {
    /// The team as it is now.
    team: Team,
}

/// What `deleteTeam` answers.
#[derive(SimpleObject)]
pub struct DeleteTeamPayload {
    /// The id of the team that is gone.
    deleted_team_id: ID,
}

/// What `addTeamMember` answers.
#[derive(SimpleObject)]
pub struct AddTeamMemberPayload {
    /// The new membership.
    membership: TeamMembership,
}

/// What `updateTeamMember` answers.
#[derive(SimpleObject)]
pub struct UpdateTeamMemberPayload {
    /// The membership as it is now.
    membership: TeamMembership,
}

/// What `removeTeamMember` answers.
pub struct RemoveTeamMemberPayload {
    team: Arc<model::Team>,
    user: Uuid,
}

/// What `removeTeamMember` answers.
#[Object]
impl RemoveTeamMemberPayload {
    /// The team.
    async fn team(&self) -> Team {
        Team(self.team.clone())
    }

    /// The user, who does not belong to it any more.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        let user = request(context).loaders.users.load(self.user).await?;
        Ok(User(user.ok_or_else(|| super::members::gone("user"))?))
    }
}

/// Mutations on teams.
#[derive(Default)]
pub struct TeamMutations;

#[Object]
impl TeamMutations {
    /// Makes a team, with you as its admin unless members are given. Needs `team.write` at `/teams`, and at the parent if one is given.
    async fn create_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The team.")] input: CreateTeamInput,
    ) -> Result<CreateTeamPayload> {
        let team = ops::create(&request(context).ctx, input.read()?).await?;
        Ok(CreateTeamPayload {
            team: Team(Arc::new(team)),
        })
    }

    /// Changes a team: what is absent stays, null clears. Needs `team.write` at the team's path, and at a new parent's.
    async fn update_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The team and its changes.")] input: UpdateTeamInput,
    ) -> Result<UpdateTeamPayload> {
        let id = Id::parse_as(Kind::Team, "input.id", &input.id)?;
        let team = ops::update(&request(context).ctx, id, input.read()?).await?;
        Ok(UpdateTeamPayload {
            team: Team(Arc::new(team)),
        })
    }

    /// Deletes a team that has none below it, with its memberships, permissions and keys; the audit trail stays. Needs `team.write` at
    /// the team's path.
    async fn delete_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The team.")] input: DeleteTeamInput,
    ) -> Result<DeleteTeamPayload> {
        let id = Id::parse_as(Kind::Team, "input.id", &input.id)?;
        ops::delete(&request(context).ctx, id).await?;
        Ok(DeleteTeamPayload {
            deleted_team_id: input.id,
        })
    }

    /// Adds a user to a team. Needs `team.write` at the team's path, and every right that the user gains by it.
    async fn add_team_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The team, the user and its role.")] input: AddTeamMemberInput,
    ) -> Result<AddTeamMemberPayload> {
        let (team, user) = ids(&input.team, &input.user)?;
        let member = NewMember {
            user,
            role: input.role.into(),
            expires_at: input.expires_at.map(|end| end.0),
        };
        let membership = members::add(&request(context).ctx, team, member).await?;
        Ok(AddTeamMemberPayload {
            membership: TeamMembership(membership),
        })
    }

    /// Changes a member's role. Needs `team.write` at the team's path, and every right that the member gains by it.
    async fn update_team_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The team, the user and its new role.")] input: UpdateTeamMemberInput,
    ) -> Result<UpdateTeamMemberPayload> {
        let (team, user) = ids(&input.team, &input.user)?;
        let change = MemberChange {
            role: input.role.into(),
            expires_at: change(input.expires_at).map(|end| end.map(|end| end.0)),
            allow_teams_without_admin: input.allow_teams_without_admin,
        };
        let membership = members::update(&request(context).ctx, team, user, change).await?;
        Ok(UpdateTeamMemberPayload {
            membership: TeamMembership(membership),
        })
    }

    /// Removes a user from a team. Needs `team.write` at the team's path.
    async fn remove_team_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The team and the user.")] input: RemoveTeamMemberInput,
    ) -> Result<RemoveTeamMemberPayload> {
        let (team, user) = ids(&input.team, &input.user)?;
        let request = request(context);
        let allow = input.allow_teams_without_admin;
        let left = members::remove(&request.ctx, team, user, allow).await?;
        Ok(RemoveTeamMemberPayload {
            team: Arc::new(left),
            user,
        })
    }
}

fn ids(team: &str, user: &str) -> Result<(Uuid, Uuid)> {
    Ok((
        Id::parse_as(Kind::Team, "input.team", team)?,
        Id::parse_as(Kind::User, "input.user", user)?,
    ))
}
