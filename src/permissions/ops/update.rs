//! Giving and taking permissions.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::giving::Measure;
use super::read::{self, WRITE, absent};
use super::{access, roles};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::{Actor, Ctx};
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
    let plan = plan(ctx, principal, &path, before, &wanted);
    let names = names(&mut tx, &plan, &wanted).await?;
    if !plan.is_empty() {
        let measure = Measure::begin(ctx, &mut tx, principal, plan.takes_away()).await?;
        rows::delete(&tx, &plan.gone.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
        for (_, row) in &plan.changed {
            rows::update(&mut tx, row).await?;
        }
        rows::insert(&tx, &plan.new).await?;
        measure.finish(ctx, &mut tx).await?;
        let mut paths = read::homes(&mut tx, principal).await?;
        paths.push(path.clone());
        let event = plan.event(principal, &path, &names).at(paths);
        audit::record(ctx, &mut tx, vec![event]).await?;
    }
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

/// What an update is going to do.
struct Plan {
    kept: Vec<Permission>,
    /// As they were and as they will be.
    changed: Vec<(Permission, Permission)>,
    new: Vec<Permission>,
    gone: Vec<Permission>,
}

fn plan(
    ctx: &Ctx,
    principal: Principal,
    path: &Path,
    before: Vec<Permission>,
    wanted: &[(Role, Grant)],
) -> Plan {
    let mut plan = Plan {
        kept: Vec::new(),
        changed: Vec::new(),
        new: Vec::new(),
        gone: Vec::new(),
    };
    let mut held: HashMap<Uuid, Permission> =
        before.into_iter().map(|row| (row.role_id, row)).collect();
    let created_by = match &ctx.actor {
        Actor::Holder(holder) => Some(holder.user_id),
        Actor::Anonymous | Actor::Keystead => None,
    };
    for (role, grant) in wanted {
        match held.remove(&role.id) {
            Some(row) if row.propagate == grant.propagate && row.expires_at == grant.expires_at => {
                plan.kept.push(row)
            }
            Some(row) => {
                let after = Permission {
                    propagate: grant.propagate,
                    expires_at: grant.expires_at,
                    ..row.clone()
                };
                plan.changed.push((row, after));
            }
            None => plan.new.push(Permission {
                id: ctx.new_id(),
                role_id: role.id,
                propagate: grant.propagate,
                expires_at: grant.expires_at,
                created_by,
                created_at: ctx.now(),
                ..Permission::of(principal, path)
            }),
        }
    }
    plan.gone = held.into_values().collect();
    plan
}

/// The names of the roles that are spoken of.
async fn names(
    tx: &mut crate::db::Tx,
    plan: &Plan,
    wanted: &[(Role, Grant)],
) -> Result<HashMap<Uuid, String>> {
    let mut names: HashMap<Uuid, String> = wanted
        .iter()
        .map(|(role, _)| (role.id, role.name.clone()))
        .collect();
    let gone: Vec<Uuid> = plan.gone.iter().map(|row| row.role_id).collect();
    if !gone.is_empty() {
        let roles = crate::permissions::store::roles::by_ids(tx, &gone).await?;
        names.extend(roles.into_iter().map(|role| (role.id, role.name)));
    }
    Ok(names)
}

impl Plan {
    fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.new.is_empty() && self.gone.is_empty()
    }

    /// Whether a row goes or changes, so that what it hid may come to light.
    fn takes_away(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }

    fn event(&self, principal: Principal, path: &Path, names: &HashMap<Uuid, String>) -> Change {
        let was = self
            .kept
            .iter()
            .chain(&self.gone)
            .chain(self.changed.iter().map(|(was, _)| was));
        let is = self
            .kept
            .iter()
            .chain(&self.new)
            .chain(self.changed.iter().map(|(_, is)| is));
        let told = |rows: Vec<Value>| Some(json!({ "path": path.as_str(), "roles": rows }));
        Change {
            action: "permission.update",
            target: principal.typed_id(),
            paths: Vec::new(),
            before: told(was.map(|row| told_of(row, names)).collect()),
            after: told(is.map(|row| told_of(row, names)).collect()),
        }
    }

    fn outcome(self, names: &HashMap<Uuid, String>) -> Updated {
        let named = |rows: Vec<&Permission>| -> Vec<String> {
            let mut named: Vec<String> = rows
                .iter()
                .filter_map(|row| names.get(&row.role_id).cloned())
                .collect();
            named.sort();
            named
        };
        let added = named(self.new.iter().collect());
        let changed = named(self.changed.iter().map(|(_, is)| is).collect());
        let removed = named(self.gone.iter().collect());
        let is = self.changed.into_iter().map(|(_, is)| is);
        let mut permissions: Vec<Permission> =
            self.kept.into_iter().chain(is).chain(self.new).collect();
        permissions.sort_by_key(|row| (row.created_at, row.id));
        Updated {
            permissions,
            added,
            changed,
            removed,
        }
    }
}

/// What the audit trail keeps of one row.
fn told_of(row: &Permission, names: &HashMap<Uuid, String>) -> Value {
    let expires_at: Option<DateTime<Utc>> = row.expires_at;
    json!({ "role": names.get(&row.role_id), "propagate": row.propagate, "expiresAt": expires_at })
}
