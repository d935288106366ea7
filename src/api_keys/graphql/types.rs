//! The type `ApiKey` and its connection.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, ScalarType, Value};
use ipnet::IpNet;
use uuid::Uuid;

use crate::api_keys::model::{self, ApiKeyFilter, ApiKeySort, KeysOf};
use crate::api_keys::ops;
use crate::db::pages::PageRequest;
use crate::error::{Error, Result};
use crate::graphql::connection::{Place, connection, page_request};
use crate::graphql::lean::{self, AtHand, Plain};
use crate::graphql::scalars::{Cidr, Json, Timestamp};
use crate::graphql::{Request, request};
use crate::limits::graphql::{Limits, limits_of};
use crate::limits::model::Subject;
use crate::permissions::graphql::{PERMISSIONS, PermissionConnection, permissions_of};
use crate::permissions::model::Principal;
use crate::permissions::ops::access;
use crate::teams::graphql::Team;
use crate::users::graphql::User;

/// Whether a key works, as far as the key itself goes: its owner and its team have their own switches.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "model::ApiKeyStatus")]
pub enum ApiKeyStatus {
    /// It works.
    Active,
    /// It is switched off.
    Disabled,
    /// Its time is over.
    Expired,
}

/// What programs sign on with.
#[derive(Clone)]
pub struct ApiKey(pub Arc<model::ApiKey>);

impl ApiKey {
    /// The key with that id, if the actor may see it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<ApiKey>> {
        access::authenticated(&request.ctx)?;
        let found = request.loaders.api_keys.load(id).await?;
        Ok(found
            .filter(|key| ops::may_read(&request.ctx, key))
            .map(ApiKey))
    }
}

/// What programs sign on with. Whoever may read a key may read who owns it.
#[Object]
impl ApiKey {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// The user as whom, or within whose rights, it acts.
    async fn owner(&self, context: &Context<'_>) -> Result<User> {
        let owner = request(context).loaders.users.load(self.0.owner_id).await?;
        owner.map(User).ok_or_else(|| {
            // Deleted between two statements, and the key with it.
            Error::conflict("This API key and its owner have just been deleted.")
        })
    }

    /// The team it was made for, if any; null also if you may not see that team.
    async fn team(&self, context: &Context<'_>) -> Option<Result<Team>> {
        let id = self.0.team_id?;
        Team::load(request(context), id).await.transpose()
    }

    /// The name, unique among the owner's keys.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// What may be shown of the secret, such as `ks_Ab3d…`.
    async fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// Whether it is switched on.
    async fn enabled(&self) -> bool {
        self.0.enabled
    }

    /// Why it is disabled, if somebody has said so: a person, or Keystead itself when the key was found in public. Null for a key that is
    /// switched on.
    async fn disabled_reason(&self) -> Option<&str> {
        self.0.disabled_reason.as_deref()
    }

    /// Whether it holds permissions of its own, within its owner's. If not, it may do what its owner may.
    async fn restricted(&self) -> bool {
        self.0.restricted
    }

    /// The permissions that it holds itself, of a restricted key, in the order in which they were granted.
    async fn permissions(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<AtHand<PermissionConnection>> {
        let key = Principal::ApiKey(self.0.id);
        let page = page_request(context, PERMISSIONS, first, after, last, before)?;
        permissions_of(request(context), key, &ops::paths(&self.0), page).await
    }

    /// The ranges of addresses it may be used from. None: from anywhere.
    async fn allowed_cidrs(&self) -> Result<Vec<Cidr>> {
        let read = |text: &String| text.parse::<IpNet>().map(Cidr);
        let cidrs = self.0.allowed_cidrs.iter().map(read);
        cidrs
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| Error::internal(format!("a stored address range: {error}")))
    }

    /// From this moment on it does not work.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at.map(Timestamp)
    }

    /// When it was last used; written in bulk, some seconds late.
    async fn last_used_at(&self) -> Option<Timestamp> {
        self.0.last_used_at.map(Timestamp)
    }

    /// The address it was last used from.
    async fn last_used_from(&self) -> Option<&str> {
        self.0.last_used_from.as_deref()
    }

    /// When its secret was last replaced.
    async fn rotated_at(&self) -> Option<Timestamp> {
        self.0.rotated_at.map(Timestamp)
    }

    /// Until when the secret before the last rotation works; null if it does not.
    async fn previous_secret_expires_at(&self, context: &Context<'_>) -> Option<Timestamp> {
        let now = request(context).ctx.now();
        let end = self.0.previous_secret_expires_at.filter(|end| *end > now);
        end.map(Timestamp)
    }

    /// Whether it works, as far as the key itself goes.
    async fn status(&self, context: &Context<'_>) -> ApiKeyStatus {
        self.0.status(request(context).ctx.now()).into()
    }

    /// How much it may use, and what is used of it.
    async fn limits(&self, context: &Context<'_>) -> Result<Limits> {
        limits_of(request(context), Subject::ApiKey(self.0.id)).await
    }

    /// A JSON object for whatever its readers keep there.
    async fn metadata(&self) -> Json {
        Json(self.0.metadata.clone())
    }

    /// The user who made it; null if that was Keystead itself, is gone, or may not be seen by you.
    async fn created_by(&self, context: &Context<'_>) -> Option<Result<User>> {
        let id = self.0.created_by?;
        User::load(request(context), id).await.transpose()
    }

    /// When it was made.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// When it was last changed; being used is no change.
    async fn updated_at(&self) -> Timestamp {
        Timestamp(self.0.updated_at)
    }
}

impl Plain for ApiKey {
    fn plain(&self, field: &str) -> Option<Value> {
        let row = &self.0;
        Some(match field {
            "id" => row.typed_id().to_string().into(),
            "name" => row.name.as_str().into(),
            "description" => lean::text(row.description.as_deref()),
            "prefix" => row.prefix.as_str().into(),
            "enabled" => row.enabled.into(),
            "restricted" => row.restricted.into(),
            "expiresAt" => lean::moment(row.expires_at),
            "lastUsedAt" => lean::moment(row.last_used_at),
            "createdAt" => Timestamp(row.created_at).to_value(),
            "updatedAt" => Timestamp(row.updated_at).to_value(),
            _ => return None,
        })
    }
}

connection!("A page of API keys." ApiKeyConnection, "An API key in its list." ApiKeyEdge, "The API key." ApiKey);

/// The name that cursors of nested lists carry.
pub const NESTED: &str = "apiKeys:of";

impl ApiKeyConnection {
    /// The keys of a user or a team, as far as the actor may see them: one statement for all parents of a list.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn of_parent(
        request: &Request,
        parent: KeysOf,
        filter: ApiKeyFilter,
        page: PageRequest,
    ) -> Result<AtHand<Self>> {
        access::authenticated(&request.ctx)?;
        let how = Arc::new((page, filter, ops::sight(&request.ctx)));
        let found = request
            .loaders
            .api_keys_of
            .load(ops::PageOf {
                of: parent,
                how: how.clone(),
            })
            .await?;
        let keys = found.unwrap_or_else(|| crate::db::pages::Page::empty(&how.0));
        let cursor =
            |key: &Arc<model::ApiKey>| Place::new(NESTED, ops::cursor(key, ApiKeySort::CreatedAt));
        Ok(ApiKeyConnection::of(keys, cursor, ApiKey))
    }
}
