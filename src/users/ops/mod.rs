//! The operations on users.

mod create;
mod delete;
mod introduce;
mod login;
mod newcomer;
mod password;
mod read;
mod tell;
mod update;
mod used;

use chrono::{DateTime, Utc};
use uuid::Uuid;

pub use create::{create, create_with_key, first_admin};
pub use delete::delete;
pub use introduce::{Introduction, introduce};
pub use login::{by_login, locked, unchanged};
pub use newcomer::{MAX_FIRST_TEAMS, Newcomer, distinct as distinct_teams};
pub use password::{change_password, check_password, put_password, set_password};
pub use read::{
    by_email, by_id, by_ids, by_username, cursor, list, may_read, require_readable, seen_among,
    sight,
};
pub use tell::{doer, tell};
pub use update::update;
pub use used::note_used;

use super::model::User;
use super::store;
use crate::ctx::{Actor, Ctx};
use crate::db::ids::{Kind, quoted};
use crate::db::lock::{self, Lock};
use crate::db::{Failure, Tx};
use crate::error::{Error, Result};
use crate::permissions::facts::Facts;
use crate::permissions::gains::Exempt;
use crate::permissions::model::{InstanceRole, Principal};
use crate::permissions::ops::{access, facts};
use crate::permissions::path::Path;

/// Read a user with all that belongs to it.
pub const READ: &str = "user.read";
/// Make, change and delete users.
pub const WRITE: &str = "user.write";

/// The path of a user, `/users/user_01…`.
pub fn path(id: Uuid) -> Path {
    access::object(Kind::User, id)
}

/// The error of a user that is not there or may not be seen.
pub fn absent(field: &str, id: Uuid) -> Error {
    let id = crate::db::ids::Id::new(Kind::User, id).to_string();
    Error::not_found(
        field,
        format!("There is no user {}, or you may not see it.", quoted(&id)),
    )
}

/// The error of a row that a unique index refused.
fn taken(failure: Failure, user: &User) -> Error {
    match failure {
        Failure::Unique(index) if index == "users_email_key" => Error::already_exists(
            "input.email",
            format!(
                "The address {} belongs to another user already.",
                quoted(user.email.as_deref().unwrap_or_default())
            ),
        ),
        other => other.unique("users_username_key", || {
            Error::already_exists(
                "input.username",
                format!(
                    "There is a user named {} already. Choose another name.",
                    quoted(&user.username)
                ),
            )
        }),
    }
}

/// An administrator of the instance is changed by administrators alone: whoever could rename or re-address one could become it.
fn spare_admins(ctx: &Ctx, user: &User) -> Result<()> {
    let Actor::Holder(holder) = &ctx.actor else {
        return Ok(());
    };
    let by_admin = holder
        .facts
        .user()
        .is_some_and(|actor| actor.role == InstanceRole::Admin)
        && matches!(holder.principal, Principal::User(_));
    if user.role == InstanceRole::Admin.as_str() && !by_admin {
        return Err(Error::forbidden(format!(
            "{} is an administrator of the instance. Only administrators may change it.",
            quoted(&user.username)
        )));
    }
    Ok(())
}

/// Refuses what would let the actor sign in as that user, whose row is locked, unless it holds all that the user holds.
///
/// # Errors
/// `FORBIDDEN`, also for an administrator unless by one; `SERVICE_UNAVAILABLE`.
pub async fn may_sign_in_as(ctx: &Ctx, tx: &mut Tx, user: &User) -> Result<()> {
    spare_admins(ctx, user)?;
    let principal = Principal::User(user.id);
    let held = facts::of_principal(tx, ctx.now(), principal).await?;
    let held = held.ok_or_else(|| Error::internal("a locked user has no facts"))?;
    let nobody = Facts::nobody(ctx.now());
    let itself = [Exempt::over_itself(user.id)];
    access::may_give(ctx, &nobody, &held, &principal, &itself)
}

/// Refuses to let an administrator cease to be one at `end`, if it can act now and no other one can at `end`.
async fn keep_an_admin(ctx: &Ctx, tx: &mut Tx, user: &User, end: DateTime<Utc>) -> Result<()> {
    if user.role != InstanceRole::Admin.as_str() || !user.can_act(ctx.now()) {
        return Ok(());
    }
    // Two that are taken away at once wait for each other here, and the second sees what the first has done.
    lock::alone(tx, Lock::Administrators).await?;
    if !store::is_there_another_admin(tx, user.id, end).await? {
        return Err(Error::conflict(format!(
            "{} is the last administrator who can act. Make another one first.",
            quoted(&user.username)
        )));
    }
    Ok(())
}
