//! What has changed since when: by it a cached answer is known to be out of date. Nothing is looked up by tag: an answer knows what it
//! depends on, and is measured when it is used.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::model::{Changes, Tag};

/// Tags that are remembered; beyond, everything that is cached is forgotten instead.
const MAX_MARKS: usize = 65_536;

/// The changes this process has heard of, in order.
#[derive(Debug, Default)]
pub struct Marks {
    /// Counts changes. It is raised after the marks of a change stand.
    epoch: AtomicU64,
    latest: RwLock<Latest>,
}

#[derive(Debug, Default)]
struct Latest {
    /// What was read before this epoch is out of date.
    floor: u64,
    /// The epoch in which each tag last changed.
    of: HashMap<Tag, u64>,
}

/// When an answer was last known to be right.
#[derive(Debug)]
pub struct Stamp(AtomicU64);

impl Stamp {
    /// The same stamp for another answer of the same statement.
    pub fn again(&self) -> Stamp {
        Stamp(AtomicU64::new(self.0.load(Ordering::SeqCst)))
    }
}

impl Marks {
    /// The stamp of an answer whose statement has **not yet begun**.
    pub fn stamp(&self) -> Stamp {
        Stamp(AtomicU64::new(self.epoch.load(Ordering::SeqCst)))
    }

    /// Marks what has changed.
    pub fn change(&self, changes: &Changes) {
        let mut latest = self.latest.write().unwrap_or_else(PoisonError::into_inner);
        let epoch = self.epoch.load(Ordering::SeqCst) + 1;
        match changes {
            Changes::Nothing => return,
            Changes::Tags(tags) => {
                latest.of.extend(tags.iter().map(|tag| (*tag, epoch)));
                if latest.of.len() > MAX_MARKS {
                    latest.rise(epoch);
                }
            }
            Changes::Everything => latest.rise(epoch),
        }
        self.epoch.store(epoch, Ordering::SeqCst);
    }

    /// Whether nothing that the answer depends on has changed since its stamp, which is then renewed.
    pub fn hold(&self, stamp: &Stamp, tags: &[Tag]) -> bool {
        let epoch = self.epoch.load(Ordering::SeqCst);
        let stamped = stamp.0.load(Ordering::SeqCst);
        if stamped == epoch {
            return true;
        }
        let latest = self.latest.read().unwrap_or_else(PoisonError::into_inner);
        let later = |tag| latest.of.get(tag).is_some_and(|mark| *mark > stamped);
        if stamped < latest.floor || tags.iter().any(later) {
            return false;
        }
        // Marks up to this epoch have been looked at; never one that was made since.
        stamp.0.fetch_max(epoch, Ordering::SeqCst);
        true
    }
}

impl Latest {
    fn rise(&mut self, epoch: u64) {
        self.floor = epoch;
        self.of.clear();
    }
}
