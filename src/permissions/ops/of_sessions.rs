//! Sessions by their secrets, with what `check` needs about their users.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::facts::{depends_on, facts, weight};
use crate::db::Db;
use crate::error::{Error, Result};
use crate::permissions::facts::Facts;
use crate::permissions::store::facts as store;
use crate::replicas::model::Tag;
use crate::secrets::Digest;

/// A session as it was found by the digest of its secret, with its user and all that `check` needs.
#[derive(Debug)]
pub struct Signed {
    /// The session.
    pub session_id: Uuid,
    /// Its user.
    pub user_id: Uuid,
    /// The user's name.
    pub username: String,
    /// From this moment on it does not work, however much it is used.
    pub expires_at: DateTime<Utc>,
    /// When it was last used, as far as this process knows: microseconds since 1970.
    last_used: AtomicI64,
    /// Whether the user has a second factor.
    pub has_factor: bool,
    /// Whether users of its role must have one, as the policy is stored; `None`: it was never changed.
    pub factor_required: Option<bool>,
    /// What `check` needs, at the moment it was read.
    pub facts: Facts,
}

impl Signed {
    /// All that this depends on: whoever changes any of it names one of these.
    pub fn depends_on(&self) -> Vec<Tag> {
        let own = [
            Tag::Session(self.session_id),
            Tag::User(self.user_id),
            Tag::Policy,
        ];
        depends_on(&self.facts, own.into_iter())
    }

    /// Bytes that it takes in memory, rather too many than too few.
    pub fn weight(&self) -> usize {
        weight(&self.facts) + self.username.len()
    }

    /// Notes that it is used at that moment.
    pub fn used(&self, now: DateTime<Utc>) {
        self.last_used
            .fetch_max(now.timestamp_micros(), Ordering::Relaxed);
    }

    /// Whether it has been left alone for so long, as far as this process knows: another one may know of a later use.
    pub fn is_idle(&self, now: DateTime<Utc>, limit: TimeDelta) -> bool {
        let unused = now.timestamp_micros() - self.last_used.load(Ordering::Relaxed);
        TimeDelta::microseconds(unused) >= limit
    }
}

/// The sessions whose secrets have these digests, by digest. One statement.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_digests(
    db: &Db,
    now: DateTime<Utc>,
    digests: Vec<Digest>,
) -> Result<HashMap<Digest, Arc<Signed>>> {
    let wanted = digests
        .iter()
        .map(|digest| digest.as_bytes().to_vec())
        .collect();
    let mut conn = db.read("identify_sessions").await?;
    let rows = store::sessions(&mut conn, wanted).await?;
    drop(conn);
    let missing = || Error::internal("a session's row lacks its user or digest");
    rows.into_iter()
        .map(|row| {
            let digest = Digest::from_stored(&row.session_digest).ok_or_else(missing)?;
            let signed = Signed {
                session_id: row.session_id,
                user_id: row.holder.user_id.ok_or_else(missing)?,
                has_factor: row.has_factor,
                factor_required: row.factor_required,
                facts: facts(now, &row.holder)?,
                username: row.holder.username.ok_or_else(missing)?,
                expires_at: row.session_expires_at,
                last_used: AtomicI64::new(row.session_last_used_at.timestamp_micros()),
            };
            Ok((digest, Arc::new(signed)))
        })
        .collect()
}
