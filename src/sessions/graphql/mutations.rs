//! Mutations on sessions.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};

use super::types::Session;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::factors::graphql::{PasskeyInput, offered};
use crate::factors::model::Assertion;
use crate::graphql::scalars::Json;
use crate::graphql::{enter, request};
use crate::secrets::Secret;
use crate::sessions::model::{PasskeySignIn, SignIn};
use crate::sessions::ops;
use crate::users::graphql::User;

/// Somebody who wants to sign in.
#[derive(InputObject)]
pub struct SignInInput {
    /// The user name or the e-mail address, without regard to case.
    login: String,
    /// The password.
    password: String,
    /// Of who has a second factor: the six digits that the app shows, or a recovery code. It is asked for, by `SECOND_FACTOR_REQUIRED`, once the
    /// password is right.
    #[graphql(secret)]
    otp: Option<String>,
    /// In place of a code: what a passkey of the user has signed.
    passkey: Option<PasskeyInput>,
    /// What takes the password's place, from now on; it is needed where somebody else has set the password. All other sessions end.
    new_password: Option<String>,
    /// For pages of this server's own address: the browser keeps the secret in a cookie that no script can read, and sends it by itself.
    #[graphql(default = false)]
    cookie: bool,
}

/// What `signIn` answers.
#[derive(SimpleObject)]
pub struct SignInPayload {
    /// The session that was begun.
    session: Session,
    /// Who has signed in.
    user: User,
    /// The secret of the session, for the header `Authorization: Bearer kss_…`. It is shown this once and cannot be read again. Null where
    /// it went into a cookie.
    secret: Option<String>,
    /// Whether the user must have a second factor and has none: until it has set one up, the session may do nothing else.
    must_enrol_second_factor: bool,
}

/// Somebody who signs in with a passkey alone.
#[derive(InputObject)]
pub struct SignInWithPasskeyInput {
    /// The challenge, of `passkeyChallenge`.
    #[graphql(secret)]
    challenge: String,
    /// What the browser has made of it: `(await navigator.credentials.get(…)).toJSON()`, the `AuthenticationResponseJSON` of Web
    /// Authentication.
    #[graphql(secret)]
    credential: Json,
    /// For pages of this server's own address: the browser keeps the secret in a cookie that no script can read, and sends it by itself.
    #[graphql(default = false)]
    cookie: bool,
}

/// What `signInWithPasskey` answers.
#[derive(SimpleObject)]
pub struct SignInWithPasskeyPayload {
    /// The session that was begun.
    session: Session,
    /// Who has signed in.
    user: User,
    /// The secret of the session, for the header `Authorization: Bearer kss_…`. It is shown this once and cannot be read again. Null where
    /// it went into a cookie.
    secret: Option<String>,
}

/// How to sign out.
#[derive(InputObject)]
pub struct SignOutInput {
    /// End all your sessions, not only the one that is calling.
    #[graphql(default = false)]
    everywhere: bool,
}

/// What `signOut` answers.
#[derive(SimpleObject)]
pub struct SignOutPayload {
    /// How many sessions were ended.
    revoked: usize,
}

/// Which session to end.
#[derive(InputObject)]
pub struct RevokeSessionInput {
    /// The session.
    id: ID,
}

/// What `revokeSession` answers.
#[derive(SimpleObject)]
pub struct RevokeSessionPayload {
    /// The id of the session that has ended.
    revoked_session_id: ID,
}

/// Whose sessions to end.
#[derive(InputObject)]
pub struct RevokeOtherSessionsInput {
    /// The user; you yourself if none is named.
    user: Option<ID>,
}

/// What `revokeOtherSessions` answers.
#[derive(SimpleObject)]
pub struct RevokeOtherSessionsPayload {
    /// How many sessions were ended.
    revoked: usize,
}

/// Mutations on sessions.
#[derive(Default)]
pub struct SessionMutations;

#[Object]
impl SessionMutations {
    /// Signs in with user name or e-mail address and password, and begins a session. An unknown user and a wrong password have the same
    /// answer.
    async fn sign_in(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, and how.")] input: SignInInput,
    ) -> Result<SignInPayload> {
        let wanted = SignIn {
            login: input.login,
            password: Secret::new(input.password),
            offered: offered(input.otp, input.passkey),
            new_password: input.new_password.map(Secret::new),
            cookie: input.cookie,
        };
        let made = ops::sign_in(&request(context).ctx, wanted).await?;
        let must_enrol = made.actor.must_enrol();
        enter(context, made.actor);
        Ok(SignInPayload {
            session: Session(Arc::new(made.session)),
            user: User(Arc::new(made.user)),
            secret: made.secret.map(|secret| secret.expose().to_owned()),
            must_enrol_second_factor: must_enrol,
        })
    }

    /// Signs in with a passkey alone, which stands for both factors, and begins a session. Needs no credential, and no user name: the
    /// passkey knows whose it is. All that is not good has the same answer; of two who present one answer of a passkey, one is signed in.
    async fn sign_in_with_passkey(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What the passkey has signed, and how to keep the session.")]
        input: SignInWithPasskeyInput,
    ) -> Result<SignInWithPasskeyPayload> {
        let request = request(context);
        let wanted = PasskeySignIn {
            passkey: Assertion {
                challenge: Secret::new(input.challenge),
                credential: input.credential.0,
            },
            cookie: input.cookie,
        };
        let made = ops::sign_in_with_passkey(&request.ctx, wanted)
            .await
            .map_err(|error| request.refused(error))?;
        enter(context, made.actor);
        Ok(SignInWithPasskeyPayload {
            session: Session(Arc::new(made.session)),
            user: User(Arc::new(made.user)),
            secret: made.secret.map(|secret| secret.expose().to_owned()),
        })
    }

    /// Ends the session that is calling, or all of its user's; with a key as the credential there is no session to end but others. No server accepts it once this has answered.
    async fn sign_out(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Only here, or everywhere.")] input: SignOutInput,
    ) -> Result<SignOutPayload> {
        let revoked = ops::sign_out(&request(context).ctx, input.everywhere).await?;
        Ok(SignOutPayload { revoked })
    }

    /// Ends a session. Needs `session.write` at its user's path, which everybody holds over itself. No server accepts it once this has
    /// answered.
    async fn revoke_session(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The session.")] input: RevokeSessionInput,
    ) -> Result<RevokeSessionPayload> {
        let id = Id::parse_as(Kind::Session, "input.id", &input.id)?;
        ops::revoke(&request(context).ctx, id).await?;
        Ok(RevokeSessionPayload {
            revoked_session_id: input.id,
        })
    }

    /// Ends all sessions of a user, your own if you name none, but the one that is calling. Needs `session.write` at the user's path.
    async fn revoke_other_sessions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose sessions.")] input: RevokeOtherSessionsInput,
    ) -> Result<RevokeOtherSessionsPayload> {
        let user = input.user.as_deref();
        let user = user.map(|id| Id::parse_as(Kind::User, "input.user", id));
        let revoked = ops::revoke_others(&request(context).ctx, user.transpose()?).await?;
        Ok(RevokeOtherSessionsPayload { revoked })
    }
}
