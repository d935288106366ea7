//! Magic links in GraphQL.

use std::sync::Arc;

use async_graphql::{Context, InputObject, Object, SimpleObject};

use super::model::{Entry, LIFETIME};
use super::ops;
use crate::error::Result;
use crate::factors::graphql::{PasskeyInput, offered};
use crate::graphql::{enter, request};
use crate::secrets::Secret;
use crate::sessions::graphql::Session;
use crate::users::graphql::User;

/// Somebody who wants a link.
#[derive(InputObject)]
pub struct RequestMagicLinkInput {
    /// The address that it is to be sent to.
    email: String,
}

/// What `requestMagicLink` answers, whoever the address belongs to.
#[derive(SimpleObject)]
pub struct RequestMagicLinkPayload {
    /// How long a link is good, in seconds, if one is sent.
    lifetime_seconds: i64,
}

/// Somebody who signs in by a link.
#[derive(InputObject)]
pub struct SignInWithMagicLinkInput {
    /// The token of the link, `ksm_…`.
    #[graphql(secret)]
    token: String,
    /// Of who has a second factor: the six digits that the app shows, or a recovery code. It is asked for, by `SECOND_FACTOR_REQUIRED`, and the
    /// link stays good.
    #[graphql(secret)]
    otp: Option<String>,
    /// In place of a code: what a passkey of the user has signed.
    passkey: Option<PasskeyInput>,
    /// For pages of this server's own address: the browser keeps the secret in a cookie that no script can read, and sends it by itself.
    #[graphql(default = false)]
    cookie: bool,
}

/// What `signInWithMagicLink` answers.
#[derive(SimpleObject)]
pub struct SignInWithMagicLinkPayload {
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

/// Mutations on magic links.
#[derive(Default)]
pub struct MagicLinkMutations;

#[Object]
impl MagicLinkMutations {
    /// Has a link sent to that address by which its user signs in, once and within a quarter of an hour. Needs no credential. The answer is
    /// the same whether there is such a user or not; a second one within a minute is refused. Only where the setting `magic_links` is on.
    async fn request_magic_link(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "To which address.")] input: RequestMagicLinkInput,
    ) -> Result<RequestMagicLinkPayload> {
        ops::ask(&request(context).ctx, &input.email).await?;
        Ok(RequestMagicLinkPayload {
            lifetime_seconds: LIFETIME.num_seconds(),
        })
    }

    /// Signs in with the token of a link that was sent by mail, and begins a session. Needs no credential. Every token that is not good has
    /// the same answer; of two who present one, one is signed in.
    async fn sign_in_with_magic_link(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The token, and how to keep the session.")]
        input: SignInWithMagicLinkInput,
    ) -> Result<SignInWithMagicLinkPayload> {
        let request = request(context);
        let entry = Entry {
            token: Secret::new(input.token),
            offered: offered(input.otp, input.passkey),
            cookie: input.cookie,
        };
        let made = ops::sign_in(&request.ctx, entry)
            .await
            .map_err(|error| request.refused(error))?;
        let must_enrol = made.actor.must_enrol();
        enter(context, made.actor);
        Ok(SignInWithMagicLinkPayload {
            session: Session(Arc::new(made.session)),
            user: User(Arc::new(made.user)),
            secret: made.secret.map(|secret| secret.expose().to_owned()),
            must_enrol_second_factor: must_enrol,
        })
    }
}
