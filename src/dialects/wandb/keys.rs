//! API keys: the caller's own are made, and any that it may change is deleted.

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::asked;
use super::ids::{self, Kind};
use crate::api_keys::model::{self, NewApiKey};
use crate::api_keys::ops;
use crate::dialects::in_words;
use crate::error::{Code, Result};

/// A key.
#[derive(SimpleObject)]
pub struct ApiKey {
    /// Names it to `deleteApiKey`.
    id: ID,
    /// Its name, unique among its owner's; where it has just been made, its secret.
    name: String,
    /// What it is for.
    description: Option<String>,
}

impl ApiKey {
    /// The key, under that name.
    fn named(key: &model::ApiKey, name: String) -> Self {
        ApiKey {
            id: ids::write(Kind::ApiKey, key.id).into(),
            name,
            description: key.description.clone(),
        }
    }
}

/// Keys of a user.
#[derive(SimpleObject)]
pub struct ApiKeyConnection {
    /// They, with nothing beside them.
    pub edges: Vec<ApiKeyEdge>,
}

/// A key of a user.
#[derive(SimpleObject)]
pub struct ApiKeyEdge {
    /// The key.
    node: Option<ApiKey>,
}

impl ApiKeyEdge {
    /// A key among others, under its name.
    pub fn listed(key: &model::ApiKey) -> Self {
        ApiKeyEdge {
            node: Some(ApiKey::named(key, key.name.clone())),
        }
    }
}

/// A key that is wanted.
#[derive(InputObject)]
pub struct GenerateApiKeyInput {
    /// What it is for.
    description: Option<String>,
}

/// A key that was made.
#[derive(SimpleObject)]
pub struct GenerateApiKeyPayload {
    /// The key; its name is its secret, here and nowhere else.
    api_key: Option<ApiKey>,
}

/// A key that is to go.
#[derive(InputObject)]
pub struct DeleteApiKeyInput {
    /// Its id.
    id: String,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DeleteApiKeyPayload {
    /// Always true: what fails is an error.
    success: Option<bool>,
}

/// What can be done to keys.
#[derive(Default)]
pub struct KeyMutations;

#[Object]
impl KeyMutations {
    /// Makes a key for whoever calls.
    async fn generate_api_key(
        &self,
        context: &Context<'_>,
        input: GenerateApiKeyInput,
    ) -> Option<Result<GenerateApiKeyPayload>> {
        let new = NewApiKey {
            description: input.description.filter(|text| !text.trim().is_empty()),
            ..NewApiKey::default()
        };
        let made = ops::generate(&asked(context).ctx, new).await;
        let made = made.map_err(|error| in_words(error, &[("input.description", "description")]));
        Some(made.map(|(key, secret)| GenerateApiKeyPayload {
            api_key: Some(ApiKey::named(&key, secret.expose().to_owned())),
        }))
    }

    /// Deletes a key.
    async fn delete_api_key(
        &self,
        context: &Context<'_>,
        input: DeleteApiKeyInput,
    ) -> Option<Result<DeleteApiKeyPayload>> {
        let delete = async {
            let id = ids::read_as(Kind::ApiKey, "id", &input.id)?;
            let gone = ops::delete(&asked(context).ctx, id).await;
            gone.map_err(|mut error| {
                if error.code == Code::NotFound {
                    error.message = "There is no such API key, or you may not see it.".into();
                }
                in_words(error, &[("input.id", "id")])
            })
        };
        let gone = delete.await;
        Some(gone.map(|()| DeleteApiKeyPayload {
            success: Some(true),
        }))
    }
}
