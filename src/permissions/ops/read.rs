//! Reading permissions.
//!
//! A permission may be read by whoever holds `permission.read` at the path it is about, or at the path of who holds it: of the user, of
//! the team, of the key's owner or of the team the key was made for.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::access;
use crate::ctx::Ctx;
use crate::db::ids::{Kind, quoted};
use crate::db::nested::{self, Nested, Pages};
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::db::statement::Seen;
use crate::db::{Connection, Db};
use crate::error::{Error, Result};
use crate::permissions::facts::{team_path, user_path};
use crate::permissions::model::{
    Permission, PermissionFilter, PermissionList, PermissionSight, Principal,
};
use crate::permissions::path::Path;
use crate::permissions::store::{lists, rows};
use crate::permissions::visible::Territory;
use crate::users;

/// See who holds what.
pub const READ: &str = "permission.read";
/// Give and take permissions.
pub const WRITE: &str = "permission.write";

/// Permissions by id, for loaders: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<Permission>>> {
    let mut conn = db.read("permissions_by_ids").await?;
    let found = rows::by_ids(&mut conn, &ids).await?;
    Ok(found
        .into_iter()
        .map(|row| (row.id, Arc::new(row)))
        .collect())
}

/// Whether the actor may read that permission.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when a key's owner must be looked up and the database cannot be reached.
pub async fn may_read(ctx: &Ctx, permission: &Permission) -> Result<bool> {
    let path = Path::parse(&permission.path).map_err(|error| Error::internal(error.to_string()))?;
    if access::can(ctx, READ, &path) {
        return Ok(true);
    }
    let principal = permission.principal()?;
    let homes = match principal {
        Principal::ApiKey(_) => homes(&mut *ctx.db.read("home_of_key").await?, principal).await?,
        _ => own_home(principal),
    };
    Ok(access::can_any(ctx, READ, &homes))
}

/// A page of the permissions that the filter and the actor's rights leave, in the order in which they were granted.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `SERVICE_UNAVAILABLE`.
pub async fn list(
    ctx: &Ctx,
    filter: &PermissionFilter,
    request: &PageRequest,
) -> Result<Page<Permission>> {
    access::authenticated(ctx)?;
    let sight = sight(ctx);
    if sight.is_none() {
        return Ok(Page::empty(request));
    }
    let mut conn = ctx.db.read("permissions_page").await?;
    Ok(lists::page(&mut conn, filter, &sight, request).await?)
}

/// The page of what one principal itself holds, as the actor may see it. `homes` are the paths of the principal: see [`homes`].
pub fn page_of(
    ctx: &Ctx,
    principal: Principal,
    homes: &[Path],
    page: PageRequest,
) -> Nested<PermissionList> {
    let sight = if access::can_any(ctx, READ, homes) {
        PermissionSight::all()
    } else {
        let none = || Seen::Only(Vec::new());
        PermissionSight {
            users: none(),
            teams: none(),
            ..sight(ctx)
        }
    };
    let list = PermissionList {
        holder: principal.typed_id().kind,
        sight: Arc::new(sight),
    };
    Nested {
        parent: principal.id(),
        list,
        page,
    }
}

/// Pages of what many principals hold, for a loader. What the actor may see is part of the key.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn pages(
    db: &Db,
    keys: Vec<Nested<PermissionList>>,
) -> Result<Pages<PermissionList, Permission>> {
    nested::load(keys, |principals, list, page| async move {
        if list.sight.is_none() {
            return Ok(principals
                .into_iter()
                .map(|id| (id, Page::empty(&page)))
                .collect());
        }
        let conn = db.read("permissions_of_principals").await?;
        Ok(lists::pages(&conn, principals, &list, &page).await?)
    })
    .await
}

/// The place of a permission in every list of them.
pub fn cursor(permission: &Permission) -> Cursor {
    Cursor::time(permission.created_at, permission.id)
}

/// Which permissions the actor may see.
pub fn sight(ctx: &Ctx) -> PermissionSight {
    let paths = access::territory(ctx, READ);
    if paths == Territory::Everywhere {
        return PermissionSight::all();
    }
    let seen = |kind| access::seen(ctx, READ, kind);
    PermissionSight {
        paths,
        users: seen(Kind::User),
        teams: seen(Kind::Team),
    }
}

pub(super) fn own_home(principal: Principal) -> Vec<Path> {
    match principal {
        Principal::User(id) => vec![user_path(id)],
        Principal::Team(id) => vec![team_path(id)],
        Principal::ApiKey(_) => Vec::new(),
    }
}

/// The paths of a principal: a user's, a team's; for a key its owner's and that of the team it was made for. None for a key that is
/// not there.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn homes(conn: &mut Connection, principal: Principal) -> Result<Vec<Path>> {
    let Principal::ApiKey(id) = principal else {
        return Ok(own_home(principal));
    };
    let Some(home) = rows::key_home(conn, id).await? else {
        return Ok(Vec::new());
    };
    Ok(
        [Some(user_path(home.owner_id)), home.team_id.map(team_path)]
            .into_iter()
            .flatten()
            .collect(),
    )
}

/// Whether the actor may see the principal itself. Whether there is one is not looked up.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub(super) async fn may_see(ctx: &Ctx, principal: Principal, homes: &[Path]) -> Result<bool> {
    match principal {
        Principal::User(id) => users::ops::may_read(ctx, id).await,
        Principal::Team(_) => Ok(access::can_any(ctx, "team.read", homes)),
        Principal::ApiKey(_) => Ok(access::can_any(ctx, "apiKey.read", homes)),
    }
}

/// The error of a principal that is not there or may not be seen.
pub(super) fn absent(field: &str, principal: Principal) -> Error {
    let id = principal.typed_id();
    let noun = id.kind.noun();
    Error::not_found(
        field,
        format!(
            "There is no {noun} {}, or you may not see it.",
            quoted(&id.to_string())
        ),
    )
}
