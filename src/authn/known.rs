//! What is remembered of credentials, keys and sessions: who was found by the digest of a secret, with all that the answer depends on; and, for a few seconds, that
//! nobody was.
//!
//! What was found is used only under a lease and while nothing that it depends on has changed ([`crate::replicas`]). That nobody was found
//! needs neither: a secret is random, so nobody can have asked with it before it was made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use moka::sync::Cache;

use crate::permissions::ops::facts::Identified;
use crate::permissions::ops::of_sessions::Signed;
use crate::replicas::model::Tag;
use crate::replicas::{Replicas, Stamp};
use crate::secrets::Digest;

/// How long something is remembered at most, whatever happens.
const KEPT: Duration = Duration::from_secs(300);
/// How long it is remembered that a secret is nobody's.
const UNKNOWN_KEPT: Duration = Duration::from_secs(3);
/// Secrets of nobody that are remembered at once: a flood of them takes no more than some megabytes.
const MAX_UNKNOWN: u64 = 32_768;
/// Bytes that a remembered key takes beside what it consists of: the cache's own, and those of allocation.
const ENTRY: usize = 512;

/// Something that is found by the digest of a secret.
pub trait Found: Send + Sync + 'static {
    /// All that it depends on.
    fn depends_on(&self) -> Vec<Tag>;
    /// Bytes that it takes in memory.
    fn weight(&self) -> usize;
}

impl Found for Identified {
    fn depends_on(&self) -> Vec<Tag> {
        Identified::depends_on(self)
    }

    fn weight(&self) -> usize {
        Identified::weight(self)
    }
}

impl Found for Signed {
    fn depends_on(&self) -> Vec<Tag> {
        Signed::depends_on(self)
    }

    fn weight(&self) -> usize {
        Signed::weight(self)
    }
}

/// What is remembered.
pub struct Known<T> {
    replicas: Replicas,
    is_on: bool,
    found: Cache<Digest, Arc<Entry<T>>>,
    unknown: Cache<Digest, ()>,
    hits: AtomicU64,
    misses: AtomicU64,
    refusals: AtomicU64,
}

struct Entry<T> {
    key: Arc<T>,
    tags: Box<[Tag]>,
    stamp: Stamp,
    bytes: u32,
}

/// What memory says of a digest.
pub enum Remembered<T> {
    /// Whose it is.
    Found(Arc<T>),
    /// It is nobody's.
    Nobody,
    /// Nothing: ask the database.
    Nothing,
}

/// How much is remembered, and how often it was of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Keys that are remembered.
    pub keys: u64,
    /// Bytes that they take, about.
    pub bytes: u64,
    /// How often a key was answered from memory.
    pub hits: u64,
    /// How often the database was asked.
    pub misses: u64,
    /// How often memory knew that a secret is nobody's.
    pub refusals: u64,
}

impl<T: Found> Known<T> {
    /// A memory of at most `bytes`; 0 remembers nothing.
    pub fn new(replicas: Replicas, bytes: u64) -> Arc<Self> {
        let found = Cache::builder()
            .max_capacity(bytes)
            .weigher(|_, entry: &Arc<Entry<T>>| entry.bytes)
            .time_to_live(KEPT)
            .build();
        let unknown = Cache::builder()
            .max_capacity(MAX_UNKNOWN)
            .time_to_live(UNKNOWN_KEPT)
            .build();
        Arc::new(Known {
            replicas,
            is_on: bytes > 0,
            found,
            unknown,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
            refusals: AtomicU64::new(0),
        })
    }

    /// What is remembered of that digest and may be used now.
    pub fn get(&self, digest: &Digest) -> Remembered<T> {
        if !self.is_on {
            return Remembered::Nothing;
        }
        // The lease first: what was answered anywhere before this moment is marked by now.
        if self.replicas.holds_lease()
            && let Some(entry) = self.found.get(digest)
            && self.replicas.marks().hold(&entry.stamp, &entry.tags)
        {
            self.hits.fetch_add(1, Ordering::Relaxed);
            return Remembered::Found(entry.key.clone());
        }
        if self.unknown.contains_key(digest) {
            self.refusals.fetch_add(1, Ordering::Relaxed);
            return Remembered::Nobody;
        }
        self.misses.fetch_add(1, Ordering::Relaxed);
        Remembered::Nothing
    }

    /// The stamp for what is going to be read: before its statement begins.
    pub fn stamp(&self) -> Stamp {
        self.replicas.marks().stamp()
    }

    /// Remembers what was read of these digests after `stamp` was taken.
    pub fn keep(
        &self,
        stamp: &Stamp,
        digests: &[Digest],
        found: &std::collections::HashMap<Digest, Arc<T>>,
    ) {
        if !self.is_on {
            return;
        }
        let leased = self.replicas.holds_lease();
        for digest in digests {
            match found.get(digest) {
                None => self.unknown.insert(*digest, ()),
                Some(key) if leased => {
                    let entry = Entry {
                        tags: key.depends_on().into(),
                        bytes: u32::try_from(ENTRY + key.weight()).unwrap_or(u32::MAX),
                        key: key.clone(),
                        stamp: stamp.again(),
                    };
                    self.found.insert(*digest, Arc::new(entry));
                }
                Some(_) => {}
            }
        }
    }

    /// How much is remembered now.
    pub fn usage(&self) -> Usage {
        self.found.run_pending_tasks();
        Usage {
            keys: self.found.entry_count(),
            bytes: self.found.weighted_size(),
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            refusals: self.refusals.load(Ordering::Relaxed),
        }
    }
}
