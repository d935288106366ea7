//! Notices of keys that are going to expire: events of the trail, 14, 7 and 1 days ahead.

use serde_json::json;

use super::paths;
use crate::api_keys::store;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::permissions::ops::access;

/// Notices that one transaction gives at most.
const AT_ONCE: i64 = 500;

/// Records `apiKey.expiring` for every enabled key that will expire within 14, 7 or 1 days and of which that was not said yet: each
/// notice once, however many servers do this at the same time. A key that lives shorter than a notice's time gets none of that kind, and
/// of notices that are due together only the last. An end that is moved has notices of its own. Returns how many were given.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached; the rest is said the next time.
pub async fn announce_expiring(ctx: &Ctx) -> Result<usize> {
    access::authenticated(ctx)?;
    let mut given = 0;
    loop {
        let mut tx = ctx.db.begin("announce_expiring_api_keys").await?;
        let noticed = store::notice_expiring(&mut tx, ctx.now(), AT_ONCE).await?;
        let count = noticed.len();
        let changes = noticed.into_iter().map(|(key, days)| {
            let after = json!({
                "owner": Id::new(Kind::User, key.owner_id).to_string(), "name": key.name, "prefix": key.prefix,
                "expiresAt": key.expires_at, "daysAhead": days,
            });
            Change::created("apiKey.expiring", key.typed_id(), after).at(paths(&key))
        });
        audit::record(ctx, &mut tx, changes.collect()).await?;
        tx.commit().await?;

        if count > 0 {
            ctx.events.publish();
        }
        given += count;
        if (count as i64) < AT_ONCE {
            return Ok(given);
        }
    }
}
