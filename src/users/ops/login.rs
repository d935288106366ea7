//! Users as they sign in: before anybody is known, so nobody's rights are asked.

use uuid::Uuid;

use crate::db::{Db, Tx};
use crate::error::Result;
use crate::users::model::User;
use crate::users::store;

/// The user with that name, or else with that e-mail address, without regard to case. For signing in alone: what is found must not be
/// told to who has not shown the password.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_login(db: &Db, login: &str) -> Result<Option<User>> {
    // Postgres has no text with such a character, and a look for one must take as long as any.
    let login = login.replace('\0', "\u{fffd}");
    Ok(store::by_login(&mut *db.read("user_by_login").await?, &login).await?)
}

/// The user as it is now, if its password is still the one that was verified. Nobody changes it until the transaction ends.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn unchanged(tx: &mut Tx, verified: &User) -> Result<Option<User>> {
    let user = locked(tx, verified.id).await?;
    Ok(user.filter(|user| user.password_hash == verified.password_hash))
}

/// The user, whom nobody changes until the transaction ends.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn locked(tx: &mut Tx, id: Uuid) -> Result<Option<User>> {
    Ok(store::lock(tx, id).await?)
}
