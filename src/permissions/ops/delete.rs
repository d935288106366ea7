//! Taking one permission away.

use serde_json::json;
use uuid::Uuid;

use super::giving::Measure;
use super::read;
use super::update::may_write;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::permissions::model::Permission;
use crate::permissions::ops::access;
use crate::permissions::path::Path;
use crate::permissions::store::{roles, rows};

/// Takes a permission away.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `permission.write` at its path, or if what it hid gives somebody what the actor lacks.
pub async fn delete(ctx: &Ctx, id: Uuid) -> Result<()> {
    access::authenticated(ctx)?;
    let permission = by_id(ctx, id).await?;
    let principal = permission.principal()?;
    let path = Path::parse(&permission.path).map_err(|error| Error::internal(error.to_string()))?;

    may_write(ctx, principal, &path)
        .await
        .map_err(|error| error.at("input.id"))?;

    let mut tx = ctx.db.begin("delete_permission").await?;
    tx.touch([principal.into()]);
    rows::hold_teams_still(&mut tx, principal).await?;
    if !rows::lock_principal(&mut tx, principal).await? {
        return Err(absent(id));
    }
    // Another request may have been faster.
    let permission = rows::by_ids(&mut tx, &[id])
        .await?
        .pop()
        .ok_or_else(|| absent(id))?;
    let role = roles::by_ids(&mut tx, &[permission.role_id])
        .await?
        .pop()
        .map(|role| role.name);
    let measure = Measure::begin(ctx, &mut tx, principal, true).await?;
    rows::delete(&tx, &[id]).await?;
    measure.finish(ctx, &mut tx).await?;
    let before = json!({
        "principal": principal.typed_id().to_string(), "path": permission.path, "role": role,
        "propagate": permission.propagate, "expiresAt": permission.expires_at,
    });
    let mut paths = read::homes(&mut tx, principal).await?;
    paths.push(path);
    let change = Change::deleted("permission.delete", permission.typed_id(), before).at(paths);
    audit::record(ctx, &mut tx, vec![change]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}

async fn by_id(ctx: &Ctx, id: Uuid) -> Result<Permission> {
    let mut conn = ctx.db.read("permission_by_id").await?;
    let found = rows::by_ids(&mut conn, &[id])
        .await?
        .pop()
        .ok_or_else(|| absent(id))?;
    drop(conn);
    if read::may_read(ctx, &found).await? {
        Ok(found)
    } else {
        Err(absent(id))
    }
}

fn absent(id: Uuid) -> Error {
    let id = Id::new(Kind::Permission, id).to_string();
    Error::not_found(
        "input.id",
        format!(
            "There is no permission {}, or you may not see it. Permissions that come with a status cannot be deleted.",
            quoted(&id)
        ),
    )
}
