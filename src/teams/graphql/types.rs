//! The type `Team` and its connection.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, ScalarType, Value};
use uuid::Uuid;

use super::inputs::TeamMemberFilterInput;
use super::members::TeamMembershipConnection;
use crate::api_keys::graphql::{self as api_keys, ApiKeyConnection, ApiKeyFilterInput};
use crate::api_keys::model::KeysOf;
use crate::db::nested::Nested;
use crate::db::pages::Cursor;
use crate::error::Result;
use crate::graphql::connection::{Place, connection, page_request};
use crate::graphql::lean::{self, AtHand, Plain};
use crate::graphql::scalars::{Json, Timestamp};
use crate::graphql::{Request, request};
use crate::limits::graphql::{Limits, limits_of};
use crate::limits::model::Subject;
use crate::permissions::graphql::{PERMISSIONS, PermissionConnection, permissions_of};
use crate::permissions::model::Principal;
use crate::permissions::ops::access;
use crate::teams::{model, ops};

/// A team: users who hold permissions together.
#[derive(Clone)]
pub struct Team(pub Arc<model::Team>);

impl Team {
    /// The team with that id, if the actor may see it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<Team>> {
        access::authenticated(&request.ctx)?;
        Team::seen(request, id).await
    }

    /// The same; nobody who has not said who it is sees any.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn seen(request: &Request, id: Uuid) -> Result<Option<Team>> {
        if !ops::may_read(&request.ctx, id) {
            return Ok(None);
        }
        Ok(request.loaders.teams.load(id).await?.map(Team))
    }
}

/// A team: users who hold permissions together. What a team holds, the members of the teams below it hold too.
#[Object]
impl Team {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// The name in addresses; unique without regard to case.
    async fn slug(&self) -> &str {
        &self.0.slug
    }

    /// The display name.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// The team above it, whose permissions hold for this team's members too; null if there is none or you may not see it.
    async fn parent(&self, context: &Context<'_>) -> Option<Result<Team>> {
        let parent = self.0.parent_id?;
        Team::load(request(context), parent).await.transpose()
    }

    /// The teams directly below it, oldest first: those you may see.
    async fn children(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AtHand<TeamConnection>> {
        const LIST: &str = "team.children";
        let request = request(context);
        let key = Nested {
            parent: self.0.id,
            list: ops::sight(&request.ctx),
            page: page_request(context, LIST, first, after, last, before)?,
        };
        let page = request.loaders.teams_below.load(key).await?;
        Ok(TeamConnection::of(
            page.unwrap_or_default().as_ref().clone(),
            |team| Place::new(LIST, Cursor::time(team.created_at, team.id)),
            |team| Team(Arc::new(team)),
        ))
    }

    /// Whether it gives its members anything: a disabled team does not, nor does anything above come through it.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// What was granted to the team itself, in the order in which it was granted: what you may see of it. Its members hold it too, and
    /// those of the teams below it.
    async fn permissions(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AtHand<PermissionConnection>> {
        let page = page_request(context, PERMISSIONS, first, after, last, before)?;
        let principal = Principal::Team(self.0.id);
        permissions_of(request(context), principal, &[ops::path(self.0.id)], page).await
    }

    /// The users who belong to it directly, in the order in which they joined: those you may see.
    async fn members(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which members; conditions are joined by AND.")] filter: Option<
            TeamMemberFilterInput,
        >,
    ) -> Result<AtHand<TeamMembershipConnection>> {
        const LIST: &str = "team.members";
        let request = request(context);
        let filter = filter.unwrap_or_default().read()?;
        let key = Nested {
            parent: self.0.id,
            list: ops::member_list(&request.ctx, self.0.id, filter),
            page: page_request(context, LIST, first, after, last, before)?,
        };
        let page = request.loaders.members.load(key).await?;
        Ok(TeamMembershipConnection::of(
            page.unwrap_or_default().as_ref().clone(),
            |member| Place::new(LIST, Cursor::time(member.since, member.user_id)),
        ))
    }

    /// The API keys made for it that you may see, in the order in which they were made.
    async fn api_keys(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which keys; conditions are joined by AND.")] filter: Option<
            ApiKeyFilterInput,
        >,
    ) -> Result<AtHand<ApiKeyConnection>> {
        let page = page_request(context, api_keys::NESTED, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        let parent = KeysOf::Team(self.0.id);
        ApiKeyConnection::of_parent(request(context), parent, filter, page).await
    }

    /// How much its keys, and those of the teams below it, together may use, and what is used of it.
    async fn limits(&self, context: &Context<'_>) -> Result<Limits> {
        limits_of(request(context), Subject::Team(self.0.id)).await
    }

    /// How much each member by itself, with the team's keys, may use, and what is used of it.
    async fn member_limits(&self, context: &Context<'_>) -> Result<Limits> {
        limits_of(request(context), Subject::EachMember(self.0.id)).await
    }

    /// A JSON object for whatever its readers keep there.
    async fn metadata(&self) -> Json {
        Json(self.0.metadata.clone())
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> Timestamp {
        Timestamp(self.0.updated_at)
    }
}

impl Plain for Team {
    fn plain(&self, field: &str) -> Option<Value> {
        let row = &self.0;
        Some(match field {
            "id" => row.typed_id().to_string().into(),
            "slug" => row.slug.as_str().into(),
            "name" => row.name.as_str().into(),
            "description" => lean::text(row.description.as_deref()),
            "enabled" => row.enabled.into(),
            "createdAt" => Timestamp(row.created_at).to_value(),
            "updatedAt" => Timestamp(row.updated_at).to_value(),
            _ => return None,
        })
    }
}

connection!("A page of teams." TeamConnection, "A team in its list." TeamEdge, "The team." Team);
