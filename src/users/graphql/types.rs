//! The type `User` and its connection.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, ScalarType, Value};
use uuid::Uuid;

use crate::api_keys::graphql::{self as api_keys, ApiKeyConnection, ApiKeyFilterInput};
use crate::api_keys::model::KeysOf;
use crate::audit::graphql::{AuditEventConnection, AuditFilterInput, EVENTS_OF_TARGET, of_target};
use crate::error::Result;
use crate::factors::graphql::{SecondFactor, factors_of, recovery_codes_of};
use crate::graphql::connection::{connection, page_request};
use crate::graphql::lean::{self, AtHand, Plain};
use crate::graphql::scalars::{Json, Timestamp};
use crate::graphql::{Request, request};
use crate::limits::graphql::{Limits, limits_of};
use crate::limits::model::Subject;
use crate::permissions::graphql::{PERMISSIONS, PermissionConnection, permissions_of};
use crate::permissions::model::{self as permissions, Principal};
use crate::permissions::ops::access;
use crate::teams::graphql::{self as teams, TeamConnection, TeamMembershipConnection};
use crate::users::{model, ops};

/// A person, or an account for a program.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "model::UserKind")]
pub enum UserKind {
    /// A human being.
    Person,
    /// A program, a CI job, a server.
    Service,
}

/// What a user is to the whole instance.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "permissions::InstanceRole")]
pub enum InstanceRole {
    /// Holds everything everywhere.
    Admin,
    /// Reads everything.
    Auditor,
    /// Reads itself and makes its own keys; everything else by permissions.
    Member,
    /// Reads itself; everything else by permissions.
    Viewer,
}

/// A person or a service account.
#[derive(Clone)]
pub struct User(pub Arc<model::User>);

impl User {
    /// The user with that id, if the actor may see it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<User>> {
        access::authenticated(&request.ctx)?;
        let Some(user) = request.loaders.users.load(id).await? else {
            return Ok(None);
        };
        let ctx = &request.ctx;
        if access::can(ctx, ops::READ, &ops::path(id)) {
            return Ok(Some(User(user)));
        }
        let sight = ops::sight(ctx);
        if sight.teams.is_none() {
            return Ok(None);
        }
        // Through a team that both know: many users are asked about at once.
        let seen = request.loaders.users_seen.load((id, sight)).await?;
        Ok(seen.map(|()| User(user)))
    }
}

/// A person or a service account.
#[Object]
impl User {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// The name it signs in with; unique without regard to case.
    async fn username(&self) -> &str {
        &self.0.username
    }

    /// The e-mail address; unique without regard to case.
    async fn email(&self) -> Option<&str> {
        self.0.email.as_deref()
    }

    /// The display name.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The given name.
    async fn given_name(&self) -> Option<&str> {
        self.0.given_name.as_deref()
    }

    /// The family name.
    async fn family_name(&self) -> Option<&str> {
        self.0.family_name.as_deref()
    }

    /// A person, or an account for a program.
    async fn kind(&self) -> UserKind {
        if self.0.kind == model::UserKind::Service.as_str() {
            UserKind::Service
        } else {
            UserKind::Person
        }
    }

    /// What it is to the whole instance.
    async fn role(&self) -> Result<InstanceRole> {
        let role: permissions::InstanceRole = self
            .0
            .role
            .parse()
            .map_err(|_| crate::error::Error::internal("a stored user has an unknown role"))?;
        Ok(role.into())
    }

    /// Whether it may do anything at all. The keys of a disabled user do not work.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// From this moment on it counts as disabled.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at.map(Timestamp)
    }

    /// A comment for administrators.
    async fn comment(&self) -> Option<&str> {
        self.0.comment.as_deref()
    }

    /// How much all its keys together may use, and what is used of it.
    async fn limits(&self, context: &Context<'_>) -> Result<Limits> {
        limits_of(request(context), Subject::User(self.0.id)).await
    }

    /// A JSON object for whatever its readers keep there.
    async fn metadata(&self) -> Json {
        Json(self.0.metadata.clone())
    }

    /// Whether a password is set.
    async fn has_password(&self) -> bool {
        self.0.password_hash.is_some()
    }

    /// Whether the password is good for one sign-in, at which another one is chosen: somebody else has set it.
    async fn must_change_password(&self) -> bool {
        self.0.must_change_password
    }

    /// When the password was last set or taken away; null if there was none ever.
    async fn password_changed_at(&self) -> Option<Timestamp> {
        self.0.password_changed_at.map(Timestamp)
    }

    /// What it shows beside its password to sign in, in the order in which it was set up; nothing for who may not read the user.
    async fn second_factors(&self, context: &Context<'_>) -> Result<Vec<SecondFactor>> {
        factors_of(request(context), self.0.id).await
    }

    /// How many recovery codes it has left for when its second factors are lost; null for who may not read the user.
    async fn recovery_codes_left(&self, context: &Context<'_>) -> Option<Result<i64>> {
        let left = recovery_codes_of(request(context), self.0.id).await;
        left.transpose()
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// When it was last changed.
    async fn updated_at(&self) -> Timestamp {
        Timestamp(self.0.updated_at)
    }

    /// When a credential of its was last used; written in bulk, some seconds late.
    async fn last_used_at(&self) -> Option<Timestamp> {
        self.0.last_used_at.map(Timestamp)
    }

    /// Its API keys that you may see, in the order in which they were made.
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
        let parent = KeysOf::Owner(self.0.id);
        ApiKeyConnection::of_parent(request(context), parent, filter, page).await
    }

    /// The teams to which it belongs directly, with its role, in the order in which it joined: those you may see.
    async fn memberships(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AtHand<TeamMembershipConnection>> {
        let page = page_request(context, teams::MEMBERSHIPS, first, after, last, before)?;
        teams::memberships_of(request(context), self.0.id, page).await
    }

    /// What was granted to the user itself, in the order in which it was granted: what you may see of it. What it holds through teams is
    /// with them; `effectivePermissions` puts it together.
    async fn permissions(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AtHand<PermissionConnection>> {
        let page = page_request(context, PERMISSIONS, first, after, last, before)?;
        let principal = Principal::User(self.0.id);
        permissions_of(request(context), principal, &[ops::path(self.0.id)], page).await
    }

    /// The teams to which it belongs directly, in the order in which it joined: those you may see.
    async fn teams(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AtHand<TeamConnection>> {
        let page = page_request(context, teams::TEAMS, first, after, last, before)?;
        teams::teams_of(request(context), self.0.id, page).await
    }

    /// The audit events about this user, newest first, as far as you may read them. What the user did is in the query
    /// `auditEvents` with `filter: {actor: …}`.
    async fn audit_events(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which events; conditions are joined by AND.")] filter: Option<
            AuditFilterInput,
        >,
    ) -> Result<AtHand<AuditEventConnection>> {
        let page = page_request(context, EVENTS_OF_TARGET, first, after, last, before)?;
        let filter = filter.unwrap_or_default().read()?;
        of_target(request(context), self.0.typed_id(), filter, page).await
    }
}

impl Plain for User {
    fn plain(&self, field: &str) -> Option<Value> {
        let row = &self.0;
        Some(match field {
            "id" => row.typed_id().to_string().into(),
            "username" => row.username.as_str().into(),
            "email" => lean::text(row.email.as_deref()),
            "name" => lean::text(row.name.as_deref()),
            "givenName" => lean::text(row.given_name.as_deref()),
            "familyName" => lean::text(row.family_name.as_deref()),
            "enabled" => row.enabled.into(),
            "expiresAt" => lean::moment(row.expires_at),
            "createdAt" => Timestamp(row.created_at).to_value(),
            "updatedAt" => Timestamp(row.updated_at).to_value(),
            "lastUsedAt" => lean::moment(row.last_used_at),
            _ => return None,
        })
    }
}

connection!("A page of users." UserConnection, "A user in its list." UserEdge, "The user." User);
