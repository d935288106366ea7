//! Storing when users were last there.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Db;
use crate::error::Result;
use crate::users::store;

/// Stores many uses in one statement; one that is older than what is stored changes nothing. No audit: being used is no change.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn note_used(db: &Db, uses: Vec<(Uuid, DateTime<Utc>)>) -> Result<()> {
    let mut conn = db.read("note_users_used").await?;
    Ok(store::note_used(&mut conn, uses).await?)
}
