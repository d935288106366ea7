//! What is asked for and what is given: reading it, and comparing the one with the other.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::access_requests::model::{Access, AccessRequest, NamedRoleAt, Review, RoleAt};
use crate::ctx::Ctx;
use crate::db::Db;
use crate::error::{Error, Result};
use crate::permissions::model::{Role, TeamRole};
use crate::permissions::ops::roles;
use crate::permissions::path::Path;
use crate::permissions::privilege::PrivilegeSet;
use crate::permissions::role::NO_ACCESS;

/// Roles of one request at most.
pub(super) const MAX_ROLES: usize = 32;

/// Roles by their names at paths.
///
/// # Errors
/// `BAD_USER_INPUT`; `NOT_FOUND` for a role that is not there.
pub(super) async fn roles_at(ctx: &Ctx, field: &str, named: &[NamedRoleAt]) -> Result<Vec<RoleAt>> {
    if named.is_empty() || named.len() > MAX_ROLES {
        return Err(Error::bad_input(
            field,
            format!(
                "{field} has {} elements. It takes 1 to {MAX_ROLES}.",
                named.len()
            ),
        ));
    }
    let names: Vec<String> = named.iter().map(|each| each.role.clone()).collect();
    let found = roles::grantable(ctx, field, &names).await?;
    let mut read: Vec<RoleAt> = Vec::with_capacity(named.len());
    for (n, (each, role)) in named.iter().zip(found).enumerate() {
        let field = |part: &str| format!("{field}.{n}.{part}");
        let path = Path::parse(&each.path)
            .map_err(|error| Error::bad_input(field("path"), format!("{error}.")))?;
        if role.id == NO_ACCESS.id {
            return Err(Error::bad_input(
                field("role"),
                "NO_ACCESS takes rights away: there is nothing to ask for. Name a role that gives some.",
            ));
        }
        if read
            .iter()
            .any(|other| other.path == path && other.role == role.id)
        {
            return Err(Error::bad_input(
                field("role"),
                format!(
                    "The role {} at {path} is named twice. Name it once.",
                    role.name
                ),
            ));
        }
        read.push(RoleAt {
            path,
            role: role.id,
            propagate: each.propagate,
        });
    }
    Ok(read)
}

/// What a reviewer gives: all that is asked for, or less; and until when.
///
/// # Errors
/// `BAD_USER_INPUT` for more than is asked for, or a time that has passed; `CONFLICT` where a role is gone.
pub(super) async fn given(
    ctx: &Ctx,
    request: &AccessRequest,
    review: &Review,
) -> Result<(Access, Option<DateTime<Utc>>)> {
    let access = match (request.asked()?, &review.permissions, review.team_role) {
        (Access::Permissions(asked), None, None) => Access::Permissions(asked),
        (Access::Permissions(asked), Some(less), None) => {
            let less = roles_at(ctx, "input.permissions", less).await?;
            no_more(&ctx.db, &asked, &less).await?;
            Access::Permissions(less)
        }
        (Access::Membership { team, role }, None, less) => {
            if role == TeamRole::Member && less == Some(TeamRole::Admin) {
                return Err(more("input.teamRole"));
            }
            Access::Membership {
                team,
                role: less.unwrap_or(role),
            }
        }
        (Access::Permissions(_), _, Some(_)) => {
            return Err(Error::bad_input(
                "input.teamRole",
                "input.teamRole is for a place in a team. This request asks for permissions.",
            ));
        }
        (Access::Membership { .. }, Some(_), _) => {
            return Err(Error::bad_input(
                "input.permissions",
                "input.permissions is for permissions. This request asks for a place in a team.",
            ));
        }
    };
    let until = match (request.until, review.until) {
        (asked, None) => asked,
        (Some(asked), Some(until)) if until > asked => return Err(more("input.until")),
        (_, Some(until)) => Some(until),
    };
    if until.is_some_and(|until| until <= ctx.now()) {
        return Err(Error::bad_input(
            "input.until",
            "input.until lies in the past.",
        ));
    }
    Ok((access, until))
}

/// Every role that is given must be within one that is asked for at the same path.
async fn no_more(db: &Db, asked: &[RoleAt], given: &[RoleAt]) -> Result<()> {
    let roles = by_ids(db, asked.iter().chain(given)).await?;
    let privileges = |each: &RoleAt| -> Option<PrivilegeSet> {
        PrivilegeSet::from_patterns(&roles.get(&each.role)?.privileges).ok()
    };
    for (n, each) in given.iter().enumerate() {
        let within = |whole: &&RoleAt| {
            whole.path == each.path
                && (whole.propagate || !each.propagate)
                && (whole.role == each.role
                    || privileges(whole)
                        .zip(privileges(each))
                        .is_some_and(|(whole, part)| whole.is_superset(&part)))
        };
        if !asked.iter().any(|whole| within(&whole)) {
            return Err(more(&format!("input.permissions.{n}")));
        }
    }
    Ok(())
}

/// The roles that are named, as far as they are there.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub(super) async fn by_ids(
    db: &Db,
    named: impl Iterator<Item = &RoleAt>,
) -> Result<HashMap<Uuid, Arc<Role>>> {
    let mut ids: Vec<Uuid> = named.map(|each| each.role).collect();
    ids.sort_unstable();
    ids.dedup();
    roles::by_ids(db, ids).await
}

fn more(field: &str) -> Error {
    Error::bad_input(
        field,
        format!("{field} is more than was asked for. Give as much or less; more is given by hand."),
    )
}
