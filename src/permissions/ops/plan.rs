//! What a change of what a principal holds at one path does: exactly these roles afterwards, or these beside those that are there.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::giving::Measure;
use super::read;
use super::update::{MAX_ROLES, Updated};
use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::permissions::model::{Grant, Permission, Principal, Role, lasts_as_long};
use crate::permissions::path::Path;
use crate::permissions::store::{roles, rows};

/// What a change of what a principal holds at a path is going to do.
pub(super) struct Plan {
    principal: Principal,
    path: Path,
    kept: Vec<Permission>,
    /// As they were and as they will be.
    changed: Vec<(Permission, Permission)>,
    new: Vec<Permission>,
    gone: Vec<Permission>,
}

impl Plan {
    /// Exactly these roles afterwards.
    pub(super) fn exactly(
        ctx: &Ctx,
        principal: Principal,
        path: &Path,
        before: Vec<Permission>,
        wanted: &[(Role, Grant)],
    ) -> Plan {
        let mut plan = Plan::nothing(principal, path);
        let mut held: HashMap<Uuid, Permission> =
            before.into_iter().map(|row| (row.role_id, row)).collect();
        for (role, grant) in wanted {
            match held.remove(&role.id) {
                Some(row) => plan.put(row, grant),
                None => plan.new.push(fresh(ctx, principal, path, role, grant)),
            }
        }
        plan.gone = held.into_values().collect();
        plan
    }

    /// These roles beside those that are there.
    ///
    /// # Errors
    /// `CONFLICT` where one is held already, further in one way and less far in another: nobody asked for both together.
    pub(super) fn beside(
        ctx: &Ctx,
        principal: Principal,
        path: &Path,
        before: Vec<Permission>,
        wanted: &[(Role, Grant)],
    ) -> Result<Plan> {
        let mut plan = Plan::nothing(principal, path);
        let mut held: HashMap<Uuid, Permission> =
            before.into_iter().map(|row| (row.role_id, row)).collect();
        for (role, grant) in wanted {
            let Some(row) = held.remove(&role.id) else {
                plan.new.push(fresh(ctx, principal, path, role, grant));
                continue;
            };
            let of_row = Grant {
                role: String::new(),
                propagate: row.propagate,
                expires_at: row.expires_at,
            };
            let over = row.expires_at.is_some_and(|end| end <= ctx.now());
            if !over && covers(&of_row, grant) {
                plan.kept.push(row);
            } else if over || covers(grant, &of_row) {
                plan.put(row, grant);
            } else {
                return Err(Error::conflict(format!(
                    "The role {} is held at {path} already, with another reach and another end. Change it with updatePermission.",
                    role.name
                )));
            }
        }
        plan.kept.extend(held.into_values());
        let count = plan.kept.len() + plan.changed.len() + plan.new.len();
        if count > MAX_ROLES {
            return Err(Error::conflict(format!(
                "With these there would be {count} roles at {path}. A principal holds at most {MAX_ROLES} roles at one path."
            )));
        }
        Ok(plan)
    }

    fn nothing(principal: Principal, path: &Path) -> Plan {
        Plan {
            principal,
            path: path.clone(),
            kept: Vec::new(),
            changed: Vec::new(),
            new: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Holds a row as it is wanted.
    fn put(&mut self, row: Permission, grant: &Grant) {
        if row.propagate == grant.propagate && row.expires_at == grant.expires_at {
            self.kept.push(row);
            return;
        }
        let after = Permission {
            propagate: grant.propagate,
            expires_at: grant.expires_at,
            ..row.clone()
        };
        self.changed.push((row, after));
    }

    /// The names of the roles that are spoken of.
    pub(super) async fn names(
        &self,
        tx: &mut Tx,
        wanted: &[(Role, Grant)],
    ) -> Result<HashMap<Uuid, String>> {
        let mut names: HashMap<Uuid, String> = wanted
            .iter()
            .map(|(role, _)| (role.id, role.name.clone()))
            .collect();
        let others = self.gone.iter().chain(&self.kept).map(|row| row.role_id);
        let others: Vec<Uuid> = others.filter(|id| !names.contains_key(id)).collect();
        if !others.is_empty() {
            let roles = roles::by_ids(tx, &others).await?;
            names.extend(roles.into_iter().map(|role| (role.id, role.name)));
        }
        Ok(names)
    }

    /// Makes the change in a transaction that has locked the principal, and answers with what is to be recorded: nothing where nothing
    /// changes.
    ///
    /// # Errors
    /// `FORBIDDEN` if somebody would come to hold what the actor lacks.
    pub(super) async fn carry_out(
        &self,
        ctx: &Ctx,
        tx: &mut Tx,
        names: &HashMap<Uuid, String>,
    ) -> Result<Option<Change>> {
        if self.is_empty() {
            return Ok(None);
        }
        let measure = Measure::begin(ctx, tx, self.principal, self.takes_away()).await?;
        rows::delete(tx, &self.gone.iter().map(|row| row.id).collect::<Vec<_>>()).await?;
        for (_, row) in &self.changed {
            rows::update(tx, row).await?;
        }
        rows::insert(tx, &self.new).await?;
        measure.finish(ctx, tx).await?;
        let mut paths = read::homes(tx, self.principal).await?;
        paths.push(self.path.clone());
        Ok(Some(self.event(names).at(paths)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.new.is_empty() && self.gone.is_empty()
    }

    /// Whether a row goes or changes, so that what it hid may come to light.
    fn takes_away(&self) -> bool {
        !self.changed.is_empty() || !self.gone.is_empty()
    }

    fn event(&self, names: &HashMap<Uuid, String>) -> Change {
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
        let told = |rows: Vec<Value>| Some(json!({ "path": self.path.as_str(), "roles": rows }));
        Change {
            action: "permission.update",
            target: self.principal.typed_id(),
            paths: Vec::new(),
            before: told(was.map(|row| told_of(row, names)).collect()),
            after: told(is.map(|row| told_of(row, names)).collect()),
        }
    }

    pub(super) fn outcome(self, names: &HashMap<Uuid, String>) -> Updated {
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

/// Whether whoever holds the one holds the other.
fn covers(one: &Grant, other: &Grant) -> bool {
    lasts_as_long(one.expires_at, other.expires_at) && (one.propagate || !other.propagate)
}

fn fresh(ctx: &Ctx, principal: Principal, path: &Path, role: &Role, grant: &Grant) -> Permission {
    Permission {
        id: ctx.new_id(),
        role_id: role.id,
        propagate: grant.propagate,
        expires_at: grant.expires_at,
        created_by: ctx.actor.user(),
        created_at: ctx.now(),
        ..Permission::of(principal, path)
    }
}

/// What the audit trail keeps of one row.
fn told_of(row: &Permission, names: &HashMap<Uuid, String>) -> Value {
    let expires_at: Option<DateTime<Utc>> = row.expires_at;
    json!({ "role": names.get(&row.role_id), "propagate": row.propagate, "expiresAt": expires_at })
}
