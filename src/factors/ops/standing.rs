//! How users stand with second factors.

use crate::db::Connection;
use crate::error::Result;
use crate::factors::model::Standing;
use crate::factors::store;
use crate::permissions::model::InstanceRole;
use crate::policy::model::Policy;
use crate::users::model::User;

/// How the user stands; `first` is the policy until somebody changes it.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn standing(conn: &mut Connection, first: &Policy, user: &User) -> Result<Standing> {
    let (has, stored) = store::standing(conn, user.id, &user.role).await?;
    let role: Option<InstanceRole> = user.role.parse().ok();
    Ok(Standing {
        has,
        required: required(stored, first, role),
    })
}

/// Whether users of that role must have a factor: as it is `stored`, else as the `first` policy says.
pub fn required(stored: Option<bool>, first: &Policy, role: Option<InstanceRole>) -> bool {
    stored.unwrap_or_else(|| role.is_some_and(|role| first.second_factor_roles.contains(&role)))
}
