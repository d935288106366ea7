//! The type `Role`.

use std::sync::Arc;

use async_graphql::{ID, Object};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::graphql::Request;
use crate::graphql::scalars::Timestamp;
use crate::permissions::model;
use crate::permissions::ops::access;

/// A named set of privileges.
#[derive(Clone)]
pub struct Role(pub Arc<model::Role>);

impl Role {
    /// The role with that id. Everybody who is signed in may read every role.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<Self>> {
        access::authenticated(&request.ctx)?;
        Ok(request.loaders.roles.load(id).await?.map(Self))
    }

    /// The role of a permission.
    pub(super) async fn of_permission(request: &Request, id: Uuid) -> Result<Self> {
        let gone = || Error::internal("a permission of a role that is not there");
        request
            .loaders
            .roles
            .load(id)
            .await?
            .map(Self)
            .ok_or_else(gone)
    }
}

/// A named set of privileges. Some are built in; others are made with `createRole`.
#[Object]
impl Role {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// The name, unique without regard to case.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// What it is for.
    async fn description(&self) -> Option<&str> {
        self.0.description.as_deref()
    }

    /// What it allows: names of privileges. In built-in roles also `*`, every privilege, and `*.read`, every privilege that ends in
    /// `.read`.
    async fn privileges(&self) -> &[String] {
        &self.0.privileges
    }

    /// Whether it came with Keystead and never changes.
    async fn built_in(&self) -> bool {
        self.0.built_in
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
