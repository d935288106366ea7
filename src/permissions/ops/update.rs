//! Giving and taking permissions.

use super::plan::Plan;
use super::read::{self, WRITE, absent};
use super::{access, roles};
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::permissions::model::{Grant, Permission, Principal, Role};
use crate::permissions::path::Path;
use crate::permissions::store::rows;

/// Roles of one principal at one path at most.
pub const MAX_ROLES: usize = 32;

/// What an update changed.
#[derive(Debug, Clone)]
pub struct Updated {
    /// What the principal holds at the path now, in the order in which it was granted.
    pub permissions: Vec<Permission>,
    /// Names of the roles it holds there now and did not before.
    pub added: Vec<String>,
    /// Names of the roles whose reach or expiry is another now.
    pub changed: Vec<String>,
    /// Names of the roles it held there before and does not now.
    pub removed: Vec<String>,
}

/// Makes the principal hold exactly these roles at the path, itself. Doing it again changes nothing.
///
/// # Errors
/// `NOT_FOUND` for a principal or role that is not there; `FORBIDDEN` without `permission.write` at the path, or if somebody would
/// come to hold what the actor lacks; `BAD_USER_INPUT`.
pub async fn update(
    ctx: &Ctx,
    principal: Principal,
    path: &str,
    grants: Vec<Grant>,
) -> Result<Updated> {
    let path =
        Path::parse(path).map_err(|error| Error::bad_input("input.path", format!("{error}.")))?;
    let wanted = validate(ctx, grants).await?;

    may_write(ctx, principal, &path).await?;

    let mut tx = ctx.db.begin("update_permission").await?;
    tx.touch([principal.into()]);
    rows::hold_teams_still(&mut tx, principal).await?;
    if !rows::lock_principal(&mut tx, principal).await? {
        return Err(absent("input.principal", principal));
    }
    let before = rows::at_path(&mut tx, principal, &path).await?;
    let plan = Plan::exactly(ctx, principal, &path, before, &wanted);
    let names = plan.names(&mut tx, &wanted).await?;
    let change = plan.carry_out(ctx, &mut tx, &names).await?;
    audit::record(ctx, &mut tx, change.into_iter().collect()).await?;
    tx.commit().await?;

    if !plan.is_empty() {
        ctx.events.publish();
    }

    Ok(plan.outcome(&names))
}

/// The roles wanted, with what is to be stored of each.
async fn validate(ctx: &Ctx, grants: Vec<Grant>) -> Result<Vec<(Role, Grant)>> {
    if grants.len() > MAX_ROLES {
        return Err(Error::bad_input(
            "input.roles",
            format!(
                "input.roles has {} elements. A principal holds at most {MAX_ROLES} roles at one path.",
                grants.len()
            ),
        ));
    }
    let mut wanted: Vec<(Role, Grant)> = Vec::with_capacity(grants.len());
    let names: Vec<String> = grants.iter().map(|grant| grant.role.clone()).collect();
    let found = roles::grantable(ctx, "input.roles", &names).await?;
    for (index, (role, grant)) in found.into_iter().zip(grants).enumerate() {
        let field = |part: &str| format!("input.roles.{index}.{part}");
        if wanted.iter().any(|(other, _)| other.id == role.id) {
            return Err(Error::bad_input(
                field("role"),
                format!("The role {} is given twice. Give it once.", role.name),
            ));
        }
        if grant.expires_at.is_some_and(|end| end <= ctx.now()) {
            return Err(Error::bad_input(
                field("expiresAt"),
                format!(
                    "{} lies in the past. To take a role away, leave it out.",
                    field("expiresAt")
                ),
            ));
        }
        wanted.push((role, grant));
    }
    Ok(wanted)
}

/// Who may see the principal and holds `permission.write` at the path may change what it holds there. A key's permissions, which
/// only narrow its owner's, are also for whoever may change the key.
pub(super) async fn may_write(ctx: &Ctx, principal: Principal, path: &Path) -> Result<()> {
    access::authenticated(ctx)?;
    let mut conn = ctx.db.read("home_of_principal").await?;
    let homes = read::homes(&mut conn, principal).await?;
    if let Principal::ApiKey(id) = principal {
        let home = rows::key_home(&mut conn, id).await?;
        drop(conn);
        let seen = read::may_see(ctx, principal, &homes).await?;
        let home = home
            .filter(|_| seen)
            .ok_or_else(|| absent("input.principal", principal))?;
        if !home.restricted {
            return Err(Error::bad_input(
                "input.principal",
                "This key is not restricted: it answers as its owner and holds nothing itself. Give the permission to the owner, \
                 or restrict the key with updateApiKey.",
            ));
        }
        if access::can_any(ctx, "apiKey.write", &homes) {
            return Ok(());
        }
    } else {
        drop(conn);
        if !read::may_see(ctx, principal, &homes).await? {
            return Err(absent("input.principal", principal));
        }
    }
    access::require(ctx, WRITE, path)
}
