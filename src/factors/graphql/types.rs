//! The types `SecondFactor` and `PasskeyChallenge`.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use uuid::Uuid;

use crate::error::{Error, Result};
use crate::factors::{model, ops};
use crate::graphql::scalars::{Json, Timestamp};
use crate::graphql::{Request, request};
use crate::permissions::ops::access;
use crate::users::graphql::User;

/// What a second factor is.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "model::FactorKind")]
pub enum SecondFactorKind {
    /// An app that makes codes of six digits (TOTP, RFC 6238).
    Totp,
    /// A passkey (Web Authentication): it signs in alone, too.
    Passkey,
}

/// Something for a passkey to sign.
#[derive(SimpleObject)]
pub struct PasskeyChallenge {
    /// Names the challenge, beside what the browser makes of it. It is good once.
    challenge: String,
    /// What the browser takes: the `PublicKeyCredentialRequestOptionsJSON` of Web Authentication, Level 3.
    options: Json,
    /// Until when it can be answered: five minutes.
    expires_at: Timestamp,
}

impl PasskeyChallenge {
    /// As it is answered.
    pub fn of(made: model::Challenge) -> PasskeyChallenge {
        PasskeyChallenge {
            challenge: made.token.expose().to_owned(),
            options: Json(made.options),
            expires_at: Timestamp(made.expires_at),
        }
    }
}

/// What a user shows beside a password.
#[derive(Clone)]
pub struct SecondFactor(pub Arc<model::Factor>);

impl SecondFactor {
    /// The factor with that id, if the actor may see it.
    ///
    /// # Errors
    /// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
    pub async fn load(request: &Request, id: Uuid) -> Result<Option<SecondFactor>> {
        access::authenticated(&request.ctx)?;
        let found = request.loaders.factors.load(id).await?;
        Ok(found
            .filter(|factor| ops::may_read(&request.ctx, factor.user_id))
            .map(SecondFactor))
    }
}

/// What a user shows beside a password to sign in.
#[Object]
impl SecondFactor {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.typed_id().to_string().into()
    }

    /// Whose it is.
    async fn user(&self, context: &Context<'_>) -> Result<User> {
        let user = request(context).loaders.users.load(self.0.user_id).await?;
        user.map(User).ok_or_else(|| {
            // Deleted between two statements, and the factor with it.
            Error::conflict("This second factor and its user have just been deleted.")
        })
    }

    /// What it is.
    async fn kind(&self) -> Result<SecondFactorKind> {
        let known = model::FactorKind::of(&self.0.kind).map(SecondFactorKind::from);
        known.ok_or_else(|| Error::internal("a stored second factor has an unknown kind"))
    }

    /// What its user calls it.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// When it was set up.
    async fn created_at(&self) -> Timestamp {
        Timestamp(self.0.created_at)
    }

    /// When it was last used to sign in, or to prove who is there.
    async fn last_used_at(&self) -> Option<Timestamp> {
        self.0.last_used_at.map(Timestamp)
    }
}

/// The factors of that user; none for who may not read the user.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn factors_of(request: &Request, user: Uuid) -> Result<Vec<SecondFactor>> {
    if !ops::may_read(&request.ctx, user) {
        return Ok(Vec::new());
    }
    let found = request.loaders.factors_of.load(user).await?;
    let found = found.unwrap_or_default().into_iter();
    Ok(found.map(SecondFactor).collect())
}

/// How many recovery codes that user has left; nothing for who may not read the user.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn recovery_codes_of(request: &Request, user: Uuid) -> Result<Option<i64>> {
    if !ops::may_read(&request.ctx, user) {
        return Ok(None);
    }
    let found = request.loaders.recovery_codes_of.load(user).await?;
    Ok(Some(found.unwrap_or(0)))
}
