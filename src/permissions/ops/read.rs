//! Reading permissions.
//!
//! A permission may be read by whoever holds `permission.read` at the path it is about, or at the path of who holds it: of the user, of
//! the team, of the key's owner or of the team the key was made for.

use std::collections::HashMap;
use std::sync::Arc;

use uuid::Uuid;

use super::access;
use crate::ctx::{Actor, Ctx};
use crate::db::ids::{Kind, quoted};
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::db::statement::Seen;
use crate::db::{Connection, Db};
use crate::error::{Error, Result};
use crate::permissions::facts::{team_path, user_path};
use crate::permissions::model::{Permission, PermissionFilter, PermissionSight, Principal};
use crate::permissions::path::Path;
use crate::permissions::privilege::Privilege;
use crate::permissions::store::{lists, rows};
use crate::permissions::visible::{Territory, territory};
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

/// One page of what one principal itself holds, as one reader may see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageOf {
    /// Whose.
    pub principal: Principal,
    /// Which page.
    pub request: PageRequest,
    /// What the reader may see of it.
    pub sight: Arc<PermissionSight>,
}

impl PageOf {
    /// The page that the actor asks for. `homes` are the paths of the principal: see [`homes`].
    pub fn new(ctx: &Ctx, principal: Principal, homes: &[Path], request: PageRequest) -> Self {
        let sight = if access::can_any(ctx, READ, homes) {
            PermissionSight::all()
        } else {
            PermissionSight {
                users: Seen::Only(Vec::new()),
                teams: Seen::Only(Vec::new()),
                ..sight(ctx)
            }
        };
        Self {
            principal,
            request,
            sight: Arc::new(sight),
        }
    }
}

/// Pages of many principals, for loaders: one statement for each kind of principal and each way of asking.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn pages(db: &Db, wanted: Vec<PageOf>) -> Result<HashMap<PageOf, Arc<Page<Permission>>>> {
    let mut alike: HashMap<(lists::Holder, PageRequest, Arc<PermissionSight>), Vec<Principal>> =
        HashMap::new();
    for page in wanted {
        let key = (lists::Holder::of(page.principal), page.request, page.sight);
        alike.entry(key).or_default().push(page.principal);
    }
    let mut conn = db.read("permissions_of_principals").await?;
    let mut found = HashMap::new();
    for ((holder, request, sight), principals) in alike {
        let ids: Vec<Uuid> = principals.iter().map(Principal::id).collect();
        let mut pages = match sight.is_none() {
            true => HashMap::new(),
            false => lists::pages(&mut conn, holder, &ids, &sight, &request).await?,
        };
        for principal in principals {
            let page = pages
                .remove(&principal.id())
                .unwrap_or_else(|| Page::empty(&request));
            found.insert(
                PageOf {
                    principal,
                    request: request.clone(),
                    sight: sight.clone(),
                },
                Arc::new(page),
            );
        }
    }
    Ok(found)
}

/// The place of a permission in every list of them.
pub fn cursor(permission: &Permission) -> Cursor {
    Cursor::time(permission.created_at, permission.id)
}

/// Which permissions the actor may see.
pub fn sight(ctx: &Ctx) -> PermissionSight {
    let paths = match &ctx.actor {
        Actor::Keystead => Territory::Everywhere,
        Actor::Anonymous => Territory::Nowhere,
        Actor::Holder(holder) => {
            let read = Privilege::parse(READ).expect("a constant");
            territory(&holder.facts.at(ctx.now()), &holder.principal, &read)
        }
    };
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

fn own_home(principal: Principal) -> Vec<Path> {
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
