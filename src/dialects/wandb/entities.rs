//! Entities: what the client calls teams, the personal places of users, and the places of organisations, all by one kind of name.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};
use serde_json::Value;
use uuid::Uuid;

use super::answer::absent;
use super::ids::{self, Kind};
use super::members::Member;
use super::organizations::Organization;
use super::registries::{Project, ProjectConnection};
use super::scalars::JsonString;
use super::users::User;
use super::{Asked, asked};
use crate::error::{Error, Result};
use crate::teams::model::Team;
use crate::{teams, users};

/// What stands behind a name.
#[derive(Clone)]
enum Of {
    /// A team.
    Team(Arc<Team>),
    /// A root team as the place of the organisation that it is.
    Organization(Arc<Team>),
    /// A user's own place.
    Person(Arc<users::model::User>),
}

/// A team, the personal place of a user, or the place of an organisation.
#[derive(Clone)]
pub struct Entity(Of);

impl Entity {
    /// A team.
    pub fn team(team: Arc<Team>) -> Self {
        Entity(Of::Team(team))
    }

    /// The place of an organisation.
    pub fn place(team: Arc<Team>) -> Self {
        Entity(Of::Organization(team))
    }

    /// The place of a user.
    pub fn person(user: Arc<users::model::User>) -> Self {
        Entity(Of::Person(user))
    }

    fn uuid(&self) -> Uuid {
        match &self.0 {
            Of::Team(team) | Of::Organization(team) => team.id,
            Of::Person(user) => user.id,
        }
    }

    /// The team, if it is one.
    fn as_team(&self) -> Option<&Arc<Team>> {
        match &self.0 {
            Of::Team(team) | Of::Organization(team) => Some(team),
            Of::Person(_) => None,
        }
    }
}

/// A team, the personal place of a user, or the place of an organisation.
#[Object]
impl Entity {
    /// Base64 of `Entity:` and a number.
    async fn id(&self) -> ID {
        ids::write(Kind::Entity, self.uuid()).into()
    }

    /// The team's slug, or the user's name.
    pub async fn name(&self) -> &str {
        match &self.0 {
            Of::Team(team) | Of::Organization(team) => &team.slug,
            Of::Person(user) => &user.username,
        }
    }

    /// Always false: the name is in use.
    async fn available(&self) -> Option<bool> {
        Some(false)
    }

    /// Always null: there are no pictures.
    async fn photo_url(&self) -> Option<&str> {
        None
    }

    /// Always an empty object: what limits there are is in Keystead's own API.
    async fn limits(&self) -> Option<JsonString> {
        Some(JsonString::empty())
    }

    /// Whether it is disabled.
    async fn read_only(&self) -> Option<bool> {
        Some(self.as_team().is_some_and(|team| !team.enabled))
    }

    /// Whether it is disabled.
    async fn read_only_admin(&self) -> bool {
        self.as_team().is_some_and(|team| !team.enabled)
    }

    /// Whether it is a team.
    async fn is_team(&self) -> bool {
        self.as_team().is_some()
    }

    /// `team`, `user` or `organization`.
    async fn entity_type(&self) -> Option<&str> {
        Some(match &self.0 {
            Of::Team(_) => "team",
            Of::Organization(_) => "organization",
            Of::Person(_) => "user",
        })
    }

    /// Always true: nothing is public.
    async fn private_only(&self) -> bool {
        true
    }

    /// Always 0: nothing is stored here.
    async fn storage_bytes(&self) -> i64 {
        0
    }

    /// Always false: no code is stored here.
    async fn code_saving_enabled(&self) -> bool {
        false
    }

    /// Always `PRIVATE`.
    async fn default_access(&self) -> &str {
        "PRIVATE"
    }

    /// Always null: nothing is sold.
    async fn is_paid(&self) -> Option<bool> {
        None
    }

    /// Who belongs to it, newest last: members, and invitations that wait.
    async fn members(&self, context: &Context<'_>) -> Result<Vec<Member>> {
        match &self.0 {
            Of::Team(team) | Of::Organization(team) => asked(context).members(team).await,
            Of::Person(user) => Ok(vec![Member::person(user)]),
        }
    }

    /// The user whose place it is.
    async fn user(&self) -> Option<User> {
        match &self.0 {
            Of::Person(user) => Some(User(user.clone())),
            Of::Team(_) | Of::Organization(_) => None,
        }
    }

    /// The root team above it, or itself; null for a user, and where you may not see it.
    async fn organization(&self, context: &Context<'_>) -> Option<Result<Organization>> {
        let team = self.as_team()?;
        asked(context).organization_above(team).await.transpose()
    }

    /// The registry with that name; null for what is none, as there are no other projects here.
    async fn project(
        &self,
        context: &Context<'_>,
        name: Option<String>,
    ) -> Option<Result<Project>> {
        let team = self.as_team().filter(|team| team.parent_id.is_none())?;
        let found = asked(context).registry(team, name.as_deref()?).await;
        found.transpose().map(|found| found.map(Project))
    }

    /// The registries of an organisation that you may see, by name.
    async fn projects(
        &self,
        context: &Context<'_>,
        filters: Option<JsonString>,
        after: Option<String>,
        first: Option<i32>,
        #[graphql(name = "order")] _order: Option<String>,
    ) -> Option<Result<ProjectConnection>> {
        let Some(team) = self.as_team().filter(|team| team.parent_id.is_none()) else {
            return Some(Ok(ProjectConnection::none()));
        };
        let found = async {
            let name = wanted_name(filters.as_ref())?;
            let mut all = asked(context).registries_of(team).await?;
            all.retain(|registry| {
                name.as_ref()
                    .is_none_or(|name| registry.full_name() == *name)
            });
            ProjectConnection::page(all, after.as_deref(), first)
        };
        Some(found.await)
    }
}

/// The name that the client filters by, if it filters by anything.
fn wanted_name(filters: Option<&JsonString>) -> Result<Option<String>> {
    let refuse = || {
        Error::bad_input(
            "filters",
            "Registries are found by their whole name, {\"name\": \"wandb-registry-models\"}, or all are listed.",
        )
    };
    let Some(text) = filters.map(JsonString::text) else {
        return Ok(None);
    };
    match serde_json::from_str(text).map_err(|_| refuse())? {
        Value::Null => Ok(None),
        Value::Object(fields) if fields.is_empty() => Ok(None),
        Value::Object(fields) if fields.len() == 1 => match fields.get("name") {
            Some(Value::String(name)) => Ok(Some(name.clone())),
            _ => Err(refuse()),
        },
        _ => Err(refuse()),
    }
}

/// Entities of a user.
#[derive(SimpleObject)]
pub struct EntityConnection {
    /// They, with nothing beside them.
    edges: Vec<EntityEdge>,
}

impl EntityConnection {
    /// These.
    pub fn of(entities: impl Iterator<Item = Entity>) -> Self {
        let edge = |node| EntityEdge { node: Some(node) };
        EntityConnection {
            edges: entities.map(edge).collect(),
        }
    }
}

/// An entity of a user.
#[derive(SimpleObject)]
pub struct EntityEdge {
    /// The entity.
    node: Option<Entity>,
}

impl Asked {
    /// The team with that name.
    pub(super) async fn team_named(&self, field: &str, name: &str) -> Result<Arc<Team>> {
        let found = teams::ops::by_slug(&self.ctx, name).await?;
        found.ok_or_else(|| absent(field, "team", name))
    }

    /// The team with that name, or else the place of the user with that name; without a name the caller's own.
    pub(super) async fn entity_named(&self, name: Option<String>) -> Result<Entity> {
        let Some(name) = name else {
            return Ok(Entity::person(self.viewer().await?.0));
        };
        if let Some(team) = teams::ops::by_slug(&self.ctx, &name).await? {
            return Ok(Entity::team(team));
        }
        let user = users::ops::by_username(&self.ctx, &name).await?;
        let user = user.ok_or_else(|| absent("name", "team", &name))?;
        Ok(Entity::person(user))
    }
}

/// Queries on entities.
#[derive(Default)]
pub struct EntityQueries;

#[Object]
impl EntityQueries {
    /// The team with that name, or else the place of the user with that name; without a name your own. What is not there is an error.
    async fn entity(&self, context: &Context<'_>, name: Option<String>) -> Option<Result<Entity>> {
        Some(asked(context).entity_named(name).await)
    }
}
