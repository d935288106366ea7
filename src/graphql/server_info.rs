//! What a front end needs to know before anybody signs in.

use async_graphql::{ComplexObject, Context, Object, SimpleObject};

use super::request;
use crate::db::pages::{DEFAULT_PAGE, MAX_PAGE};
use crate::error::Result;
use crate::factors::ops as factors;
use crate::limits::graphql::ApiKeyBounds;
use crate::policy::graphql::ApiKeyRules;
use crate::secrets::API_KEY_LENGTH;

/// This server: what runs, what it can do, and its rules.
#[derive(SimpleObject)]
pub struct ServerInfo {
    /// The version of Keystead, as in its change log.
    version: &'static str,
    /// What this server offers beyond the plain API, by name.
    features: Vec<&'static str>,
    /// How much one request may ask for.
    limits: ServerLimits,
    /// The rules for passwords.
    password_policy: PasswordPolicy,
    /// The rules for API keys.
    api_key_policy: ApiKeyPolicy,
    /// The public address of this server.
    public_url: String,
}

/// How much one request may ask for.
#[derive(SimpleObject)]
struct ServerLimits {
    /// Objects on one page of a list at most.
    max_page_size: i64,
    /// Objects on one page of a list when neither `first` nor `last` is given.
    default_page_size: i64,
    /// Operations in one batch at most.
    max_batch_size: i32,
}

/// The rules for passwords.
#[derive(SimpleObject)]
struct PasswordPolicy {
    /// Characters at least.
    min_length: i32,
    /// Bytes of UTF-8 at most.
    max_bytes: i32,
}

/// The rules for API keys.
#[derive(SimpleObject)]
#[graphql(complex)]
struct ApiKeyPolicy {
    /// What every key begins with.
    prefix: &'static str,
    /// Characters of a key.
    length: i32,
}

/// The rules for API keys.
#[ComplexObject]
impl ApiKeyPolicy {
    /// What keys have at most that others than administrators make or change.
    async fn bounds(&self, context: &Context<'_>) -> Option<Result<ApiKeyBounds>> {
        let ctx = &request(context).ctx;
        let policy = ctx.limit_policies.present(&ctx.db).await;
        Some(policy.map(|policy| ApiKeyBounds::of(&policy)))
    }

    /// Who may make keys, and what keys must have that others than administrators make or change.
    async fn rules(&self, context: &Context<'_>) -> Option<Result<ApiKeyRules>> {
        let ctx = &request(context).ctx;
        let policy = ctx.policies.present(&ctx.db).await;
        Some(policy.map(|policy| ApiKeyRules::of(&policy.keys)))
    }
}

/// What a server offers: links to sign in by only where they are switched on, passkeys where browsers make any for its address.
fn features(links: bool, passkeys: bool) -> Vec<&'static str> {
    let all = [
        ("idempotency-key", true),
        ("magic-links", links),
        ("passkeys", passkeys),
        ("persisted-queries", true),
        ("subscriptions", true),
    ];
    let there = all.into_iter().filter(|(_, there)| *there);
    there.map(|(name, _)| name).collect()
}

/// Queries about the server itself.
#[derive(Default)]
pub struct ServerQueries;

#[Object]
impl ServerQueries {
    /// This server: version, features, limits, and the rules for passwords and keys. Needs no credential.
    async fn server_info(&self, context: &Context<'_>) -> ServerInfo {
        let policy = &request(context).ctx.policy;
        ServerInfo {
            version: env!("CARGO_PKG_VERSION"),
            features: features(
                policy.magic_links.enabled,
                factors::passkeys_at(&policy.public_url).is_ok(),
            ),
            limits: ServerLimits {
                max_page_size: MAX_PAGE,
                default_page_size: DEFAULT_PAGE,
                max_batch_size: i32::try_from(request(context).max_batch).unwrap_or(i32::MAX),
            },
            password_policy: PasswordPolicy {
                min_length: i32::try_from(policy.password_min_length).unwrap_or(i32::MAX),
                max_bytes: 72,
            },
            api_key_policy: ApiKeyPolicy {
                prefix: "ks_",
                length: i32::try_from(API_KEY_LENGTH).unwrap_or(i32::MAX),
            },
            public_url: policy.public_url.clone(),
        }
    }
}
