//! Inputs of mutations on second factors.

use async_graphql::{ID, InputObject};

use crate::factors::model::{Assertion, NewPasskey, Offered, Proof};
use crate::graphql::scalars::Json;
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
    /// In place of a code: what a passkey of yours has signed.
    pub passkey: Option<PasskeyInput>,
}

/// A passkey, to be set up.
#[derive(InputObject)]
pub struct EnrolPasskeyInput {
    /// Your password, if you have no second factor yet. Not needed in the first 10 minutes of a session.
    #[graphql(secret)]
    pub password: Option<String>,
    /// A code of a second factor that you have, or a recovery code. Not needed in the first 10 minutes of a session.
    #[graphql(secret)]
    pub otp: Option<String>,
    /// In place of a code: what a passkey of yours has signed.
    pub passkey: Option<PasskeyInput>,
}

/// A passkey that a browser has made.
#[derive(InputObject)]
pub struct ConfirmPasskeyInput {
    /// The challenge that `enrolPasskey` has answered.
    #[graphql(secret)]
    challenge: String,
    /// What the browser has made: `(await navigator.credentials.create(…)).toJSON()`, the `RegistrationResponseJSON` of Web Authentication.
    credential: Json,
    /// What you call it, 1–100 characters; left out: Passkey.
    name: Option<String>,
}

impl ConfirmPasskeyInput {
    /// What the operation takes.
    pub fn read(self) -> NewPasskey {
        NewPasskey {
            challenge: Secret::new(self.challenge),
            credential: self.credential.0,
            name: self.name,
        }
    }
}

/// What a passkey has signed.
#[derive(InputObject)]
pub struct PasskeyInput {
    /// The challenge, of `passkeyChallenge`.
    #[graphql(secret)]
    challenge: String,
    /// What the browser has made of it: `(await navigator.credentials.get(…)).toJSON()`, the `AuthenticationResponseJSON` of Web
    /// Authentication.
    #[graphql(secret)]
    credential: Json,
}

impl PasskeyInput {
    /// What operations take.
    pub fn read(self) -> Assertion {
        Assertion {
            challenge: Secret::new(self.challenge),
            credential: self.credential.0,
        }
    }
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
    /// In place of a code: what a passkey of yours has signed.
    pub passkey: Option<PasskeyInput>,
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
    /// In place of a code: what a passkey of yours has signed.
    pub passkey: Option<PasskeyInput>,
}

/// What is offered as a second factor.
pub fn offered(otp: Option<String>, passkey: Option<PasskeyInput>) -> Offered {
    Offered {
        otp: otp.map(Secret::new),
        passkey: passkey.map(PasskeyInput::read),
    }
}

/// What the user shows to prove that it is there.
pub fn proof(password: Option<String>, offered: Offered) -> Proof {
    Proof {
        password: password.map(Secret::new),
        offered,
    }
}
