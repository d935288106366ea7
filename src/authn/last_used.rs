//! When keys, sessions and users were last used: noted in memory, stored in bulk. A use that was not stored when the process is killed is
//! forgotten; nothing decides by it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::api_keys::model::KeyUse;
use crate::db::Db;
use crate::error::Result;
use crate::sessions::model::SessionUse;
use crate::{api_keys, sessions, users};

/// Maps with a lock each: requests seldom meet.
const SHARDS: usize = 16;
/// Keys noted in one map at most between two flushes. Further ones go unnoted until the next.
const MAX_NOTED: usize = 8_192;
/// Keys stored by one statement at most.
const MAX_STORED: usize = 10_000;

/// The latest uses of keys and sessions that are not stored yet.
#[derive(Default)]
pub struct LastUsed {
    shards: [Mutex<HashMap<Uuid, Noted>>; SHARDS],
}

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Used {
    Key,
    Session,
    Password,
}

#[derive(Debug, Clone, Copy)]
struct Noted {
    of: Used,
    user: Uuid,
    at: DateTime<Utc>,
    from: Option<IpAddr>,
}

impl LastUsed {
    /// Notes that the key was used, and its owner with it.
    pub fn note(&self, key: Uuid, user: Uuid, at: DateTime<Utc>, from: Option<IpAddr>) {
        let noted = Noted {
            of: Used::Key,
            user,
            at,
            from,
        };
        self.merge(key, noted);
    }

    /// Notes that the session was used, and its user with it.
    pub fn note_session(&self, session: Uuid, user: Uuid, at: DateTime<Utc>, from: Option<IpAddr>) {
        let noted = Noted {
            of: Used::Session,
            user,
            at,
            from,
        };
        self.merge(session, noted);
    }

    /// Notes that the user was there with its password.
    pub fn note_user(&self, user: Uuid, at: DateTime<Utc>) {
        let noted = Noted {
            of: Used::Password,
            user,
            at,
            from: None,
        };
        self.merge(user, noted);
    }

    fn merge(&self, key: Uuid, noted: Noted) {
        let shard = usize::from(key.as_bytes()[15]) % SHARDS;
        let mut shard = lock(&self.shards[shard]);
        let full = shard.len() >= MAX_NOTED;
        match shard.get_mut(&key) {
            Some(last) if last.at <= noted.at => *last = noted,
            Some(_) => {}
            None if full => {}
            None => {
                shard.insert(key, noted);
            }
        }
    }

    /// Stores what was noted, and returns for how many keys. What cannot be stored is kept for the next time.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn flush(&self, db: &Db) -> Result<usize> {
        let mut noted: Vec<(Uuid, Noted)> = Vec::new();
        for shard in &self.shards {
            noted.extend(std::mem::take(&mut *lock(shard)));
        }
        let mut stored = 0;
        while stored < noted.len() {
            let end = noted.len().min(stored + MAX_STORED);
            if let Err(error) = store(db, &noted[stored..end]).await {
                for (key, each) in &noted[stored..] {
                    self.merge(*key, *each);
                }
                return Err(error);
            }
            stored = end;
        }
        Ok(stored)
    }
}

async fn store(db: &Db, noted: &[(Uuid, Noted)]) -> Result<()> {
    let mut by_user: HashMap<Uuid, DateTime<Utc>> = HashMap::new();
    for (_, each) in noted {
        let last = by_user.entry(each.user).or_insert(each.at);
        *last = each.at.max(*last);
    }
    let place = |from: Option<IpAddr>| from.map(|ip| ip.to_canonical().to_string());
    let (of_sessions, of_keys): (Vec<_>, Vec<_>) = noted
        .iter()
        .filter(|(_, each)| each.of != Used::Password)
        .partition(|(_, each)| each.of == Used::Session);
    if !of_keys.is_empty() {
        let uses = of_keys.iter().map(|(key, each)| KeyUse {
            key: *key,
            at: each.at,
            from: place(each.from),
        });
        api_keys::ops::note_used(db, &uses.collect::<Vec<_>>()).await?;
    }
    if !of_sessions.is_empty() {
        let uses = of_sessions.iter().map(|(session, each)| SessionUse {
            session: *session,
            at: each.at,
            from: place(each.from),
        });
        sessions::ops::note_used(db, &uses.collect::<Vec<_>>()).await?;
    }
    users::ops::note_used(db, by_user.into_iter().collect()).await
}

fn lock(shard: &Mutex<HashMap<Uuid, Noted>>) -> MutexGuard<'_, HashMap<Uuid, Noted>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
