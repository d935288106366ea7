//! A registry as the client sees it: a project in the place of its organisation.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::{ROLES, Registry};
use crate::dialects::wandb::entities::Entity;
use crate::dialects::wandb::ids::{self, Kind};
use crate::dialects::wandb::scalars::JsonString;
use crate::dialects::wandb::users::User;
use crate::dialects::wandb::{Asked, asked};
use crate::error::{Error, Result};
use crate::graphql::scalars::Timestamp;
use crate::permissions::model::Permission;
use crate::permissions::ops::access;
use crate::{teams, users};

/// A registry.
#[derive(Clone)]
pub struct Project(pub Registry);

/// A registry.
#[Object]
impl Project {
    /// Names it to whatever changes it.
    async fn id(&self) -> ID {
        self.0.id().into()
    }

    /// Base64 of `Project:` and a number.
    async fn internal_id(&self) -> ID {
        ids::encode(&format!("Project:{}", self.0.number())).into()
    }

    /// Its name, with the client's prefix.
    async fn name(&self) -> String {
        self.0.full_name()
    }

    /// The name of the organisation.
    async fn entity_name(&self) -> &str {
        &self.0.organization.slug
    }

    /// The place of the organisation.
    async fn entity(&self) -> Entity {
        Entity::place(self.0.organization.clone())
    }

    /// Always null: there is no place for it.
    async fn description(&self) -> Option<&str> {
        None
    }

    /// When the oldest of the permissions was given that hold there.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at())
    }

    /// When the newest was.
    async fn updated_at(&self) -> Option<Timestamp> {
        self.0.updated_at().map(Timestamp)
    }

    /// `PRIVATE`: the organisation's members may look at it; `RESTRICTED`: only who was added.
    async fn access(&self) -> Option<&str> {
        Some(match self.0.is_for_all() {
            true => "PRIVATE",
            false => "RESTRICTED",
        })
    }

    /// Always null.
    async fn views(&self) -> Option<JsonString> {
        None
    }

    /// Always false.
    async fn is_benchmark(&self) -> bool {
        false
    }

    /// Whether you may only look at it: you lack the privilege `registry.edit` at its path.
    async fn read_only(&self, context: &Context<'_>) -> Option<bool> {
        let ctx = &asked(context).ctx;
        Some(!access::can(ctx, "registry.edit", &self.0.path))
    }

    /// Always null: nobody owns it.
    async fn user(&self) -> Option<User> {
        None
    }

    /// Always true: there are no artifacts here.
    async fn allow_all_artifact_types_in_registry(&self) -> bool {
        true
    }

    /// Always empty: there are no artifacts here.
    async fn artifact_types(
        &self,
        #[graphql(name = "includeAll")] _include_all: Option<bool>,
    ) -> ArtifactTypeConnection {
        ArtifactTypeConnection { edges: Vec::new() }
    }

    /// The users who hold a role there themselves.
    async fn members(&self, context: &Context<'_>) -> Result<Vec<ProjectMember>> {
        let asked = asked(context);
        let held = asked.roles(&self.0, |row| row.user_id).await?;
        let people = asked
            .loaders
            .users
            .load_many(held.iter().map(|(id, _)| *id))
            .await?;
        let sights = try_join_all(held.iter().map(|(id, _)| asked.sees(*id))).await?;
        let found = held.into_iter().zip(people.into_iter().zip(sights));
        let member = |((id, role), (user, sees)): ((Uuid, Role), (Option<Arc<_>>, bool))| {
            // Who may see that somebody holds something need not see who that is.
            let seen: Option<Arc<users::model::User>> = user.filter(|_| sees);
            ProjectMember {
                id: ids::write(Kind::User, id).into(),
                name: seen.as_ref().map(|user| user.shown_name().to_owned()),
                username: seen.as_ref().map(|user| user.username.clone()),
                email: seen.and_then(|user| user.email.clone()),
                role,
            }
        };
        Ok(found.map(member).collect())
    }

    /// The teams that hold a role there themselves, as far as you may see them.
    async fn team_members(&self, context: &Context<'_>) -> Result<Vec<ProjectTeamMember>> {
        let asked = asked(context);
        let mut held = asked.roles(&self.0, |row| row.team_id).await?;
        held.retain(|(id, _)| teams::ops::may_read(&asked.ctx, *id));
        let found = asked
            .loaders
            .teams
            .load_many(held.iter().map(|(id, _)| *id))
            .await?;
        let members = held.into_iter().zip(found).filter_map(|((_, role), team)| {
            let team = Entity::team(team?);
            Some(ProjectTeamMember { team, role })
        });
        Ok(members.collect())
    }
}

impl Asked {
    /// Whether the caller may read that user: many are asked about at once.
    async fn sees(&self, id: Uuid) -> Result<bool> {
        if access::can(&self.ctx, users::ops::READ, &users::ops::path(id)) {
            return Ok(true);
        }
        let sight = users::ops::sight(&self.ctx);
        if sight.teams.is_none() {
            return Ok(false);
        }
        Ok(self.loaders.users_seen.load((id, sight)).await?.is_some())
    }

    /// Each holder of one kind with its role, in the order in which it came. Of several roles the strongest is told, in the client's words.
    async fn roles(
        &self,
        registry: &Registry,
        holder: impl Fn(&Permission) -> Option<Uuid>,
    ) -> Result<Vec<(Uuid, Role)>> {
        let mut order: Vec<Uuid> = Vec::new();
        let mut names: HashMap<Uuid, Vec<String>> = HashMap::new();
        let roles = self.role_names(&registry.held).await?;
        for (row, role) in registry.held.iter().zip(roles) {
            let Some(id) = holder(row) else { continue };
            let held = names.entry(id).or_insert_with(|| {
                order.push(id);
                Vec::new()
            });
            held.push(role);
        }
        let strongest = |id: Uuid| {
            let name = ROLES.strongest(names.remove(&id).unwrap_or_default());
            (id, Role { name })
        };
        Ok(order.into_iter().map(strongest).collect())
    }
}

/// A role at a registry.
#[derive(SimpleObject)]
pub struct Role {
    /// `admin`, `member`, `viewer`, `restricted_viewer`, or the name of another role of Keystead's.
    name: String,
}

/// A user who holds a role at a registry.
#[derive(SimpleObject)]
pub struct ProjectMember {
    /// The user's.
    id: ID,
    /// The display name; null for who may not be seen.
    name: Option<String>,
    /// The user name; null for who may not be seen.
    username: Option<String>,
    /// The address.
    email: Option<String>,
    /// The role.
    role: Role,
}

/// A team that holds a role at a registry.
#[derive(SimpleObject)]
pub struct ProjectTeamMember {
    /// The team.
    team: Entity,
    /// The role.
    role: Role,
}

/// Types of artifacts. There are none.
#[derive(SimpleObject)]
pub struct ArtifactTypeConnection {
    /// None.
    edges: Vec<ArtifactTypeEdge>,
}

/// A type among others.
#[derive(SimpleObject)]
pub struct ArtifactTypeEdge {
    /// The type.
    node: Option<ArtifactType>,
}

/// A type of artifacts.
#[derive(SimpleObject)]
pub struct ArtifactType {
    /// Its name.
    name: String,
}

/// A page of registries.
#[derive(SimpleObject)]
pub struct ProjectConnection {
    /// Where it lies in the list.
    page_info: PageInfo,
    /// The registries.
    edges: Vec<ProjectEdge>,
}

/// A registry among others.
#[derive(SimpleObject)]
pub struct ProjectEdge {
    /// The registry.
    node: Option<Project>,
}

/// Where a page lies in its list.
#[derive(SimpleObject)]
pub struct PageInfo {
    /// After what the next page begins.
    end_cursor: Option<String>,
    /// Whether there is one.
    has_next_page: bool,
}

/// Registries of a page at most.
const MOST: usize = 1_000;

impl ProjectConnection {
    /// None.
    pub fn none() -> Self {
        ProjectConnection {
            page_info: PageInfo {
                end_cursor: None,
                has_next_page: false,
            },
            edges: Vec::new(),
        }
    }

    /// A page of those whose names come after that one.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a number that no page has.
    pub fn page(all: Vec<Registry>, after: Option<&str>, first: Option<i32>) -> Result<Self> {
        let first = match first.map(usize::try_from) {
            None => MOST,
            Some(Ok(first)) if first <= MOST => first,
            Some(_) => {
                let message = format!("A page has 0 to {MOST} registries.");
                return Err(Error::bad_input("first", message));
            }
        };
        let mut rest: Vec<Registry> = all
            .into_iter()
            .filter(|registry| after.is_none_or(|after| registry.name.as_str() > after))
            .collect();
        let has_next_page = rest.len() > first;
        rest.truncate(first);
        let page_info = PageInfo {
            end_cursor: rest.last().map(|registry| registry.name.clone()),
            has_next_page,
        };
        let edges = rest.into_iter().map(|registry| ProjectEdge {
            node: Some(Project(registry)),
        });
        Ok(ProjectConnection {
            page_info,
            edges: edges.collect(),
        })
    }
}

/// Queries on registries.
#[derive(Default)]
pub struct ProjectQueries;

#[Object]
impl ProjectQueries {
    /// The registry with that name; null for what is none, as there are no other projects here.
    async fn project(
        &self,
        context: &Context<'_>,
        name: Option<String>,
        entity_name: Option<String>,
    ) -> Option<Result<Project>> {
        let asked = asked(context);
        let found = async {
            let (Some(name), Some(of)) = (name, entity_name) else {
                return Ok(None);
            };
            let team = teams::ops::by_slug(&asked.ctx, &of).await?;
            match team.filter(|team| team.parent_id.is_none()) {
                Some(team) => asked.registry(&team, &name).await,
                None => Ok(None),
            }
        };
        let found: Result<Option<Registry>> = found.await;
        found.transpose().map(|found| found.map(Project))
    }

    /// Projects, of which there are none.
    async fn models(
        &self,
        context: &Context<'_>,
        entity_name: Option<String>,
        #[graphql(name = "after")] _after: Option<String>,
        #[graphql(name = "first")] _first: Option<i32>,
    ) -> Option<Result<ProjectConnection>> {
        let of = asked(context).entity_named(entity_name).await;
        Some(of.map(|_| ProjectConnection::none()))
    }
}
