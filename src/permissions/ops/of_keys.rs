//! The permissions of a key, as part of making and changing the key itself: what is asked for, and its rows.

use std::sync::Arc;

use uuid::Uuid;

use super::roles;
use crate::ctx::Ctx;
use crate::db::Connection;
use crate::error::{Error, Result};
use crate::permissions::facts::PermissionFact;
use crate::permissions::model::Permission;
use crate::permissions::privilege::PrivilegeSet;
use crate::permissions::role::{BuiltIn, RoleFacts};
use crate::permissions::store::rows;

/// The roles with these names, in their order, as [`check`](crate::permissions::check::check) takes them. Built-in ones cost no
/// statement.
///
/// # Errors
/// As [`roles::grantable`].
pub async fn roles(ctx: &Ctx, field: &str, names: &[String]) -> Result<Vec<Arc<RoleFacts>>> {
    let built_in: Option<Vec<Arc<RoleFacts>>> = names
        .iter()
        .map(|name| {
            let role = BuiltIn::by_name(name).filter(|role| role.grantable)?;
            Some(role.facts())
        })
        .collect();
    if let Some(found) = built_in {
        return Ok(found);
    }
    let found = roles::grantable(ctx, field, names).await?;
    found
        .into_iter()
        .map(|role| {
            let privileges = PrivilegeSet::from_patterns(&role.privileges)
                .map_err(|error| Error::internal(error.to_string()))?;
            Ok(Arc::new(RoleFacts {
                id: role.id,
                name: role.name,
                privileges,
            }))
        })
        .collect()
}

/// Replaces rows of a key by others, in the transaction that changes the key.
///
/// # Errors
/// `CONFLICT` when a role has been deleted meanwhile; what the statements failed with.
pub async fn replace(tx: &Connection, gone: &[Uuid], new: &[Arc<PermissionFact>]) -> Result<()> {
    if !gone.is_empty() {
        rows::delete(tx, gone).await?;
    }
    if !new.is_empty() {
        let new: Vec<Permission> = new.iter().map(|fact| Permission::of_fact(fact)).collect();
        rows::insert(tx, &new).await.map_err(|failure| {
            failure.foreign_key("permissions_role_id_fkey", || {
                Error::conflict(
                    "A role of the list has just been deleted. Ask for the roles again.",
                )
            })
        })?;
    }
    Ok(())
}
