//! Ending sessions.

use uuid::Uuid;

use super::begin::ended;
use super::{READ, WRITE, absent, by_ids, may_read, own, path};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::authn::cookie::Cookies;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::permissions::ops::access;
use crate::replicas::model::Tag;
use crate::sessions::model::Session;
use crate::sessions::store;
use crate::users;

/// Ends a session. Whoever has a session may always end it with itself.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `session.write` at its user.
pub async fn revoke(ctx: &Ctx, id: Uuid) -> Result<Session> {
    const FIELD: &str = "input.id";
    access::authenticated(ctx)?;
    if own(ctx) != Some(id) {
        let found = by_ids(&ctx.db, vec![id]).await?.remove(&id);
        let session = found
            .filter(|session| may_read(ctx, session))
            .ok_or_else(|| absent(FIELD, id))?;
        access::require(ctx, WRITE, &path(&session))?;
    }

    let mut tx = ctx.db.begin("revoke_session").await?;
    tx.touch([Tag::Session(id)]);
    let gone = store::delete(&mut tx, &[id]).await?.pop();
    let session = gone.ok_or_else(|| absent(FIELD, id))?;
    audit::record(ctx, &mut tx, vec![ended(&session)]).await?;
    tx.commit().await?;

    ctx.events.publish();

    forget(ctx, &[id]);
    Ok(session)
}

/// Ends all sessions of a user, the caller's own if none is named, but the one that is calling; returns how many there were.
///
/// # Errors
/// `NOT_FOUND` for the user; `FORBIDDEN` without `session.write` there.
pub async fn revoke_others(ctx: &Ctx, user: Option<Uuid>) -> Result<usize> {
    let user = match user {
        Some(user) => user,
        None => ctx.holder()?.user_id,
    };
    let home = users::ops::path(user);
    let absent = || users::ops::absent("input.user", user);
    access::require_on(ctx, READ, WRITE, &[home], absent)?;
    let known = users::ops::by_ids(&ctx.db, vec![user]).await?;
    let whole = Id::new(Kind::User, user);
    known.get(&user).ok_or_else(absent)?;

    let mut tx = ctx.db.begin("revoke_other_sessions").await?;
    let changes = end_all(&mut tx, user, own(ctx)).await?;
    let count = changes.len();
    audit::record(ctx, &mut tx, Change::along(whole, changes)).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(count)
}

/// Ends the session that is calling, if one is; `everywhere`: and all others of its user. Returns how many there were.
///
/// # Errors
/// `UNAUTHENTICATED`; `FORBIDDEN` for a key without `session.write` at its owner, if all are to end.
pub async fn sign_out(ctx: &Ctx, everywhere: bool) -> Result<usize> {
    let holder = ctx.somebody()?;
    let (user, session) = (holder.user_id, holder.session_id);
    if everywhere {
        access::require(ctx, WRITE, &users::ops::path(user))?;
    }

    let mut tx = ctx.db.begin("sign_out").await?;
    let changes = if everywhere {
        end_all(&mut tx, user, None).await?
    } else {
        let own: Vec<Uuid> = session.into_iter().collect();
        tx.touch(own.iter().map(|id| Tag::Session(*id)));
        let gone = store::delete(&mut tx, &own).await?;
        gone.iter().map(ended).collect()
    };
    let count = changes.len();
    let whole = Id::new(Kind::User, user);
    audit::record(ctx, &mut tx, Change::along(whole, changes)).await?;
    tx.commit().await?;

    ctx.events.publish();

    forget(ctx, session.as_slice());
    Ok(count)
}

/// Ends all sessions of a user but one, in a transaction that has locked the user: what is to be recorded of it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn end_all(tx: &mut Tx, user: Uuid, but: Option<Uuid>) -> Result<Vec<Change>> {
    let mut ids = store::lock_all_of(tx, user).await?;
    ids.retain(|id| Some(*id) != but);
    // Also where there is none: another request may have ended them, and not every server may know yet.
    tx.touch([Tag::User(user)]);
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut gone = store::delete(tx, &ids).await?;
    gone.sort_by_key(|session| session.id);
    Ok(gone.iter().map(ended).collect())
}

/// Takes the cookie away from a browser whose session has ended with this request.
fn forget(ctx: &Ctx, ended: &[Uuid]) {
    let own = own(ctx).is_some_and(|own| ended.contains(&own));
    if let Some(cookies) = Cookies::of(&ctx.policy.public_url).filter(|_| own) {
        ctx.request.cookie.put(cookies.take_away());
    }
}
