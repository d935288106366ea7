//! Beginning a session, by whichever means its user has shown who it is.

use std::sync::Arc;

use super::path;
use crate::audit::model::Change;
use crate::authn::cookie::Cookies;
use crate::ctx::{Actor, Ctx, Holder};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::factors::model::Standing;
use crate::factors::ops::{self as factors, Second};
use crate::permissions::model::Principal;
use crate::permissions::ops::facts;
use crate::replicas::model::Tag;
use crate::secrets::{SESSION_PREFIX, Secret};
use crate::sessions::model::{Method, Session, SignedIn};
use crate::sessions::store;
use crate::users::model::User;

/// Sessions of one user at most: one more ends the one that was left alone longest.
pub const MAX_SESSIONS: i64 = 100;

/// A session that has just been begun.
pub struct Fresh {
    /// The session.
    pub session: Session,
    /// The request, with the session's user as the actor.
    pub ctx: Ctx,
    /// What is to be recorded, in the transaction that has made it.
    pub changes: Vec<Change>,
    /// How its user stands with second factors: who must have one and has none may do nothing else with it than to set one up.
    pub standing: Standing,
    secret: Secret,
}

/// Begins a session of that user in the transaction, unless the user has a second factor and has shown nothing of it: this is the one place
/// where sessions begin. The user's row is in the transaction, or locked, so that whatever would end its sessions waits.
///
/// # Errors
/// As [`factors::admit`].
pub async fn begin(
    ctx: &Ctx,
    tx: &mut Tx,
    user: &User,
    method: Method,
    second: Second,
) -> Result<Fresh> {
    let (standing, mut changes) = factors::admit(ctx, tx, user, second).await?;
    let (now, secret) = (ctx.now(), Secret::generate(&ctx.random, SESSION_PREFIX));
    let digest = secret.digest();
    let address = ctx.request.ip.map(|ip| ip.to_canonical().to_string());
    let session = Session {
        id: ctx.new_id(),
        user_id: user.id,
        method: method.as_str().into(),
        device: ctx.request.user_agent.clone(),
        created_from: address.clone(),
        created_at: now,
        expires_at: now + ctx.policy.sessions.lifetime,
        last_used_at: now,
        last_used_from: address,
    };
    let over = store::beyond(tx, user.id, MAX_SESSIONS - 1).await?;
    if !over.is_empty() {
        tx.touch(over.iter().map(|id| Tag::Session(*id)));
        let gone = store::delete(tx, &over).await?;
        changes.extend(gone.iter().map(ended));
    }
    store::insert(tx, &session, &digest).await?;
    let created = Change::created("session.create", session.typed_id(), session.snapshot());
    changes.push(created.at(vec![path(&session)]));
    let principal = Principal::User(user.id);
    let facts = facts::of_principal(tx, now, principal)
        .await?
        .ok_or_else(|| Error::internal("a user who signs in has no facts"))?;
    let holder = Holder {
        user_id: user.id,
        username: user.username.clone(),
        api_key_id: None,
        session_id: Some(session.id),
        principal,
        facts,
        credential: digest,
        sealing: Some(secret.sealing_key()),
    };
    let ctx = Ctx {
        actor: Actor::Holder(Arc::new(holder)),
        ..ctx.clone()
    };
    Ok(Fresh {
        session,
        ctx,
        changes,
        standing,
        secret,
    })
}

/// What is recorded of a session that somebody has ended.
pub(super) fn ended(session: &Session) -> Change {
    Change::deleted("session.delete", session.typed_id(), session.snapshot())
        .at(vec![path(session)])
}

impl Fresh {
    /// What whoever has signed in is answered, after the commit.
    pub fn signed_in(self, user: User, cookies: Option<Cookies>) -> SignedIn {
        let actor = self.actor();
        let (session, secret) = self.hand_over(cookies);
        SignedIn {
            user,
            session,
            secret,
            actor,
        }
    }

    /// Who is calling from now on, with this session.
    pub fn actor(&self) -> Actor {
        match &self.ctx.actor {
            Actor::Holder(holder) if self.standing.must_enrol() => Actor::Enrolling(holder.clone()),
            actor => actor.clone(),
        }
    }

    /// Hands the secret over, after the commit: it is returned, unless a browser is to keep it in a cookie.
    pub fn hand_over(self, cookies: Option<Cookies>) -> (Session, Option<Secret>) {
        let Some(cookies) = cookies else {
            return (self.session, Some(self.secret));
        };
        let lasts = self.session.expires_at - self.session.created_at;
        let header = cookies.give(&self.secret, lasts.num_seconds());
        self.ctx.request.cookie.put(header);
        (self.session, None)
    }
}

/// How a browser is to keep the session, if that is asked for, the answer can carry a cookie and the request comes from one of our own pages. `field` is the
/// input's that asks for it.
///
/// # Errors
/// `BAD_USER_INPUT`, `FORBIDDEN`.
pub fn cookies(ctx: &Ctx, field: &str, asked: bool) -> Result<Option<Cookies>> {
    if !asked {
        return Ok(None);
    }
    let site = ctx.request.cookie.site().ok_or_else(|| {
        Error::bad_input(
            field,
            format!(
                "{field} works in an answer to a POST alone: event streams and WebSockets have sent their head before. Leave it out, and keep the secret."
            ),
        )
    })?;
    let cookies = Cookies::of(&ctx.policy.public_url).ok_or_else(|| {
        Error::bad_input(
            field,
            format!(
                "{field} needs TLS: public_url is {}, where a cookie would travel in the clear. Set public_url to an https address, or leave {field} out.",
                ctx.policy.public_url
            ),
        )
    })?;
    cookies.believe(&site)?;
    Ok(Some(cookies))
}
