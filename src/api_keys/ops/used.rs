//! Storing when keys were last used.

use crate::api_keys::model::KeyUse;
use crate::api_keys::store;
use crate::db::Db;
use crate::error::Result;

/// Stores many uses in one statement; one that is older than what is stored changes nothing. No audit: being used is no change.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn note_used(db: &Db, uses: &[KeyUse]) -> Result<()> {
    let mut conn = db.read("note_api_keys_used").await?;
    Ok(store::note_used(&mut conn, uses).await?)
}
