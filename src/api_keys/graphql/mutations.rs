//! Mutations on API keys.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::changes::{
    DeleteApiKeyInput, GenerateApiKeyInput, RotateApiKeyInput, UpdateApiKeyInput,
};
use super::types::ApiKey;
use crate::api_keys::ops;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::request;

/// What `generateApiKey` answers.
#[derive(SimpleObject)]
pub struct GenerateApiKeyPayload {
    /// The new key.
    api_key: ApiKey,
    /// The secret. It is shown this once and cannot be read again.
    secret: String,
}

/// What `updateApiKey` answers.
#[derive(SimpleObject)]
pub struct UpdateApiKeyPayload {
    /// The key as it is now.
    api_key: ApiKey,
}

/// What `rotateApiKey` answers.
#[derive(SimpleObject)]
pub struct RotateApiKeyPayload {
    /// The key as it is now.
    api_key: ApiKey,
    /// The new secret. It is shown this once and cannot be read again.
    secret: String,
}

/// What `deleteApiKey` answers.
#[derive(SimpleObject)]
pub struct DeleteApiKeyPayload {
    /// The id of the key that is gone.
    deleted_api_key_id: ID,
}

/// Mutations on API keys.
#[derive(Default)]
pub struct ApiKeyMutations;

#[Object]
impl ApiKeyMutations {
    /// Makes an API key, yours or another user's. Needs `apiKey.write` at its owner, and at the team of a team's key; the key can do
    /// no more than you can.
    async fn generate_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key.")] input: GenerateApiKeyInput,
    ) -> Result<GenerateApiKeyPayload> {
        let ctx = &request(context).ctx;
        let (key, secret) = ops::generate(ctx, input.read(ctx.now())?).await?;
        Ok(GenerateApiKeyPayload {
            api_key: ApiKey(Arc::new(key)),
            secret: secret.expose().to_owned(),
        })
    }

    /// Changes an API key: what is absent stays, null clears. Needs `apiKey.write` at its owner or its team; the key can afterwards
    /// do no more than you can, unless it could before.
    async fn update_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key and its changes.")] input: UpdateApiKeyInput,
    ) -> Result<UpdateApiKeyPayload> {
        let id = Id::parse_as(Kind::ApiKey, "input.id", &input.id)?;
        let key = ops::update(&request(context).ctx, id, input.read()?).await?;
        Ok(UpdateApiKeyPayload {
            api_key: ApiKey(Arc::new(key)),
        })
    }

    /// Gives an API key a new secret; the present one works for as long as `overlap` says. Rotating again during an overlap ends the
    /// older secret at once. Needs `apiKey.write` at its owner or its team, and all that the key holds.
    async fn rotate_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key.")] input: RotateApiKeyInput,
    ) -> Result<RotateApiKeyPayload> {
        let ctx = &request(context).ctx;
        let id = Id::parse_as(Kind::ApiKey, "input.id", &input.id)?;
        let (overlap, end) = input.read(ctx.now())?;
        let (key, secret) = ops::rotate(ctx, id, overlap, end).await?;
        Ok(RotateApiKeyPayload {
            api_key: ApiKey(Arc::new(key)),
            secret: secret.expose().to_owned(),
        })
    }

    /// Deletes an API key with its permissions; the audit trail stays. Needs `apiKey.write` at its owner or its team; a key may always
    /// delete itself.
    async fn delete_api_key(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The key.")] input: DeleteApiKeyInput,
    ) -> Result<DeleteApiKeyPayload> {
        let id = Id::parse_as(Kind::ApiKey, "input.id", &input.id)?;
        ops::delete(&request(context).ctx, id).await?;
        Ok(DeleteApiKeyPayload {
            deleted_api_key_id: input.id,
        })
    }
}
