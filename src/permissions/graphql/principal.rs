//! The union `Principal`.

use async_graphql::Union;

use crate::api_keys::graphql::ApiKey;
use crate::error::{Error, Result};
use crate::graphql::Request;
use crate::permissions::model;
use crate::teams::graphql::Team;
use crate::users::graphql::User;

/// Who can hold rights: a person or a service account, a team, or an API key.
#[derive(Union, Clone)]
pub enum Principal {
    /// A person or a service account.
    User(User),
    /// A team.
    Team(Team),
    /// What programs sign on with.
    ApiKey(ApiKey),
}

impl Principal {
    /// The principal itself, without asking whether the actor may see it: for those who may read what it holds or has done. `None` if
    /// it is gone.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn load(request: &Request, principal: model::Principal) -> Result<Option<Self>> {
        match principal {
            model::Principal::User(id) => Ok(request
                .loaders
                .users
                .load(id)
                .await?
                .map(User)
                .map(Self::User)),
            model::Principal::ApiKey(id) => Ok(request
                .loaders
                .api_keys
                .load(id)
                .await?
                .map(ApiKey)
                .map(Self::ApiKey)),
            model::Principal::Team(id) => Ok(request
                .loaders
                .teams
                .load(id)
                .await?
                .map(Team)
                .map(Self::Team)),
        }
    }

    /// The same, for a principal that was there a moment ago.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is gone; as [`Self::load`].
    pub(super) async fn present(request: &Request, principal: model::Principal) -> Result<Self> {
        let gone = || {
            let id = principal.typed_id();
            Error::not_found(
                "principal",
                format!("The {} {id} has just been deleted.", id.kind.noun()),
            )
        };
        Self::load(request, principal).await?.ok_or_else(gone)
    }
}
