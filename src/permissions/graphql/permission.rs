//! The type `Permission` and its connection.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, ScalarType, Value};
use uuid::Uuid;

use super::principal::Principal;
use super::role::Role;
use crate::db::pages::{Page, PageRequest};
use crate::error::Result;
use crate::graphql::connection::{Place, connection};
use crate::graphql::lean::{self, AtHand, Plain};
use crate::graphql::scalars::Timestamp;
use crate::graphql::{Request, request};
use crate::permissions::facts::PermissionFact;
use crate::permissions::model;
use crate::permissions::ops::access;
use crate::permissions::ops::read;
use crate::permissions::path::Path;
use crate::users::graphql::User;

/// One permission: the principal holds the role at the path.
#[derive(Clone)]
pub struct Permission(pub Arc<model::Permission>);

impl Permission {
    /// The stored permission with that id, if the actor may see it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<Self>> {
        access::authenticated(&request.ctx)?;
        match request.loaders.permissions.load(id).await? {
            Some(found) if read::may_read(&request.ctx, &found).await? => Ok(Some(Self(found))),
            _ => Ok(None),
        }
    }

    /// Those that decided, stored or derived.
    pub(super) fn of_facts(facts: &[Arc<PermissionFact>]) -> Vec<Self> {
        facts
            .iter()
            .map(|fact| Self(Arc::new(model::Permission::of_fact(fact))))
            .collect()
    }
}

/// One permission: the principal holds the role at the path, and below it if it propagates.
#[Object]
impl Permission {
    /// The global id. The id of a derived permission is the same wherever it appears, but it cannot be looked up.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// Who holds it.
    async fn principal(&self, context: &Context<'_>) -> Result<Principal> {
        Principal::present(request(context), self.0.principal()?).await
    }

    /// Where it applies: `/`, `/models/gpt-4o` …
    async fn path(&self) -> &str {
        &self.0.path
    }

    /// What it allows.
    async fn role(&self, context: &Context<'_>) -> Result<Role> {
        Role::of_permission(request(context), self.0.role_id).await
    }

    /// Whether it also applies to everything below the path.
    async fn propagate(&self) -> bool {
        self.0.propagate
    }

    /// From this moment on it no longer applies; null: never.
    async fn expires_at(&self) -> Option<Timestamp> {
        self.0.expires_at.map(Timestamp)
    }

    /// Whether it comes with a status (of a user over itself, of a member over its team, of an auditor) instead of having been granted.
    async fn derived(&self) -> bool {
        self.0.is_derived()
    }

    /// The user who granted it; null for a derived one, if the user is gone, or if you may not see it.
    async fn created_by(&self, context: &Context<'_>) -> Option<Result<User>> {
        User::load(request(context), self.0.created_by?)
            .await
            .transpose()
    }

    /// When it was granted; for a derived one, when the status began.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }
}

impl Plain for Permission {
    fn plain(&self, field: &str) -> Option<Value> {
        let row = &self.0;
        Some(match field {
            "id" => row.typed_id().to_string().into(),
            "path" => row.path.as_str().into(),
            "propagate" => row.propagate.into(),
            "expiresAt" => lean::moment(row.expires_at),
            "createdAt" => Timestamp(row.created_at).to_value(),
            _ => return None,
        })
    }
}

connection!("A page of permissions." PermissionConnection, "A permission in its list." PermissionEdge, "The permission." Permission);

/// The name that cursors of every list of permissions carry.
pub const PERMISSIONS: &str = "permissions";

/// The page of what one principal itself holds, for the edge `permissions` of its type. `homes` are the principal's paths: a user's
/// own, a team's own; a key's owner's and its team's.
///
/// # Errors
/// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
pub async fn permissions_of(
    request: &Request,
    principal: model::Principal,
    homes: &[Path],
    page: PageRequest,
) -> Result<AtHand<PermissionConnection>> {
    access::authenticated(&request.ctx)?;
    let key = read::page_of(&request.ctx, principal, homes, page);
    let page = request
        .loaders
        .permissions_of
        .load(key)
        .await?
        .unwrap_or_default();
    Ok(page_of((*page).clone()))
}

/// The connection over a page of rows.
pub(super) fn page_of(page: Page<model::Permission>) -> AtHand<PermissionConnection> {
    PermissionConnection::of(
        page,
        |row| Place::new(PERMISSIONS, read::cursor(row)),
        |row| Permission(Arc::new(row)),
    )
}
