//! Inputs of mutations on second factors.

use async_graphql::{ID, InputObject};

use crate::factors::model::Proof;
use crate::secrets::Secret;

/// An app that makes codes, to be set up.
#[derive(InputObject)]
pub struct EnrolTotpInput {
    /// What you call it, 1–100 characters; left out: Authenticator app.
    pub name: Option<String>,
    /// Your password, if you have no second factor yet. Not needed in the first 10 minutes of a session.
    #[graphql(secret)]
    pub password: Option<String>,
    /// A code of a second factor that you have, or a recovery code. Not needed in the first 10 minutes of a session.
    #[graphql(secret)]
    pub otp: Option<String>,
}

/// What shows that the app is set up.
#[derive(InputObject)]
pub struct ConfirmTotpInput {
    /// The six digits that the app shows now.
    #[graphql(secret)]
    pub code: String,
}

/// Who wants new recovery codes.
#[derive(InputObject)]
pub struct RegenerateRecoveryCodesInput {
    /// A code of a second factor, or a recovery code. Not needed in the first 10 minutes of a session.
    #[graphql(secret)]
    pub otp: Option<String>,
}

/// A second factor with another name.
#[derive(InputObject)]
pub struct UpdateSecondFactorInput {
    /// The second factor.
    pub id: ID,
    /// What it is to be called, 1–100 characters.
    pub name: String,
}

/// A second factor that is to go.
#[derive(InputObject)]
pub struct RemoveSecondFactorInput {
    /// The second factor.
    pub id: ID,
    /// If it is your own: a code of a second factor, or a recovery code. Not needed in the first 10 minutes of a session.
    #[graphql(secret)]
    pub otp: Option<String>,
}

/// What the user shows to prove that it is there.
pub fn proof(password: Option<String>, otp: Option<String>) -> Proof {
    Proof {
        password: password.map(Secret::new),
        otp: otp.map(Secret::new),
    }
}
