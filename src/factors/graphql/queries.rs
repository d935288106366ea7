//! Queries about passkeys.

use async_graphql::{Context, Object};

use super::types::PasskeyChallenge;
use crate::error::Result;
use crate::factors::ops;
use crate::graphql::request;

/// Queries about passkeys.
#[derive(Default)]
pub struct FactorQueries;

#[Object]
impl FactorQueries {
    /// A challenge for whichever passkey its holder chooses to sign, with `PublicKeyCredential.parseRequestOptionsFromJSON` and
    /// `navigator.credentials.get`, on a page of `public_url`: for `signInWithPasskey`, and wherever a `passkey` is taken. Needs no
    /// credential, and names nobody. Each answer is another one: keep none in a cache.
    async fn passkey_challenge(&self, context: &Context<'_>) -> Option<Result<PasskeyChallenge>> {
        let made = ops::challenge(&request(context).ctx);
        Some(made.map(PasskeyChallenge::of))
    }
}
