//! Reading users.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::{READ, absent, path};
use crate::ctx::Ctx;
use crate::db::Db;
use crate::db::ids::Kind;
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::error::Result;
use crate::permissions::ops::access;
use crate::teams;
use crate::users::model::{User, UserFilter, UserSight, UserSort};
use crate::users::store;

/// Users by id, for loaders: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<User>>> {
    let mut conn = db.read("users_by_ids").await?;
    let users = store::by_ids(&mut conn, &ids).await?;
    Ok(users
        .into_iter()
        .map(|user| (user.id, Arc::new(user)))
        .collect())
}

/// The user with that id; `None` if there is none or the actor may not see it.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request.
pub async fn by_id(ctx: &Ctx, id: Uuid) -> Result<Option<Arc<User>>> {
    access::authenticated(ctx)?;
    let user = by_ids(&ctx.db, vec![id]).await?.remove(&id);
    seen(ctx, user).await
}

/// The user with that name, without regard to case; `None` if there is none or the actor may not see it.
///
/// # Errors
/// As [`by_id`].
pub async fn by_username(ctx: &Ctx, username: &str) -> Result<Option<Arc<User>>> {
    access::authenticated(ctx)?;
    if username.contains('\0') {
        return Ok(None);
    }
    let found = store::by_username(&mut *ctx.db.read("user_by_username").await?, username).await?;
    seen(ctx, found.map(Arc::new)).await
}

/// The user with that e-mail address, without regard to case; `None` if there is none or the actor may not see it.
///
/// # Errors
/// As [`by_id`].
pub async fn by_email(ctx: &Ctx, email: &str) -> Result<Option<Arc<User>>> {
    access::authenticated(ctx)?;
    if email.contains('\0') {
        return Ok(None);
    }
    let found = store::by_email(&mut *ctx.db.read("user_by_email").await?, email).await?;
    seen(ctx, found.map(Arc::new)).await
}

async fn seen(ctx: &Ctx, user: Option<Arc<User>>) -> Result<Option<Arc<User>>> {
    match user {
        Some(user) if may_read(ctx, user.id).await? => Ok(Some(user)),
        _ => Ok(None),
    }
}

/// Whether the actor may read that user: at the user's path, or at the path of one of its teams.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the user's teams must be looked up and the database cannot be reached.
pub async fn may_read(ctx: &Ctx, id: Uuid) -> Result<bool> {
    Ok(unseen(ctx, &[id]).await?.is_empty())
}

/// Demands that every one of these users is there and that the actor may read it; `field` names the place of each by its number. Asks
/// the database once, or not at all where there is nobody to ask about.
///
/// # Errors
/// `NOT_FOUND` naming the first who is not; `SERVICE_UNAVAILABLE`.
pub async fn require_readable(
    ctx: &Ctx,
    field: impl Fn(usize) -> String,
    ids: &[Uuid],
) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut conn = ctx.db.read("readable_users").await?;
    let found = store::readable(&mut conn, ids, &sight(ctx)).await?;
    match ids.iter().position(|id| !found.contains(id)) {
        Some(missing) => Err(absent(&field(missing), ids[missing])),
        None => Ok(()),
    }
}

/// Which of these users somebody with that sight sees, for a loader.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn seen_among(
    db: &Db,
    asked: Vec<(Uuid, UserSight)>,
) -> Result<HashMap<(Uuid, UserSight), ()>> {
    let mut by_sight: HashMap<UserSight, Vec<Uuid>> = HashMap::new();
    for (id, sight) in asked {
        by_sight.entry(sight).or_default().push(id);
    }
    let mut seen = HashMap::new();
    for (sight, ids) in by_sight {
        let mut conn = db.read("users_in_seen_teams").await?;
        let found = store::readable(&mut conn, &ids, &sight).await?;
        seen.extend(found.into_iter().map(|id| ((id, sight.clone()), ())));
    }
    Ok(seen)
}

/// Those of these users that the actor may not read; whether they exist is asked only where their teams decide.
async fn unseen(ctx: &Ctx, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let by_path = |id: &&Uuid| !access::can(ctx, READ, &path(**id));
    let mut unseen: Vec<Uuid> = ids.iter().filter(by_path).copied().collect();
    let sight = sight(ctx);
    if unseen.is_empty() || sight.teams.is_none() {
        return Ok(unseen);
    }
    let mut conn = ctx.db.read("users_in_seen_teams").await?;
    let seen = store::readable(&mut conn, &unseen, &sight).await?;
    unseen.retain(|id| !seen.contains(id));
    Ok(unseen)
}

/// Which users the actor may see.
pub fn sight(ctx: &Ctx) -> UserSight {
    UserSight {
        users: access::seen(ctx, READ, Kind::User),
        teams: access::seen(ctx, READ, Kind::Team),
    }
}

/// A page of the users that the filter and the actor's rights leave.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `SERVICE_UNAVAILABLE`.
pub async fn list(
    ctx: &Ctx,
    filter: &UserFilter,
    sort: UserSort,
    descending: bool,
    request: &PageRequest,
) -> Result<Page<User>> {
    access::authenticated(ctx)?;
    // Who belongs to a team is told to those who may see the team.
    if filter
        .team
        .is_some_and(|team| !teams::ops::may_read(ctx, team))
    {
        return Ok(Page::empty(request));
    }
    let mut conn = ctx.db.read("users_page").await?;
    Ok(store::page(&mut conn, filter, &sight(ctx), sort, descending, request).await?)
}

/// The place of a user in a list of that order.
pub fn cursor(user: &User, sort: UserSort) -> Cursor {
    store::cursor(user, sort)
}
