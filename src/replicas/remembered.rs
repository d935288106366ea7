//! One value that every server remembers under its lease, while nothing that it depends on has changed.

use std::sync::{Arc, PoisonError, RwLock};

use super::Stamp;
use super::model::Tag;
use crate::db::Db;
use crate::error::Result;

/// What is remembered, and of when.
pub struct Remembered<T> {
    known: RwLock<Option<Arc<Entry<T>>>>,
}

struct Entry<T> {
    value: Arc<T>,
    tags: Vec<Tag>,
    stamp: Stamp,
}

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Remembered {
            known: RwLock::default(),
        }
    }
}

impl<T> Remembered<T> {
    /// The value as it is now: from memory, or as `read` reads it, with what it depends on. On a handle that is bound to a transaction:
    /// as that transaction sees it.
    ///
    /// # Errors
    /// What `read` failed with.
    pub async fn present(
        &self,
        db: &Db,
        read: impl AsyncFnOnce() -> Result<(T, Vec<Tag>)>,
    ) -> Result<Arc<T>> {
        let replicas = db.replicas();
        // The lease first: what was answered anywhere before this moment is marked by now.
        let remembers = !db.is_bound() && replicas.holds_lease();
        if remembers
            && let Some(entry) = self.entry()
            && replicas.marks().hold(&entry.stamp, &entry.tags)
        {
            return Ok(entry.value.clone());
        }
        // Before anything is read: what changes from here on makes the answer out of date.
        let stamp = replicas.marks().stamp();
        let (value, tags) = read().await?;
        let value = Arc::new(value);
        if remembers && replicas.holds_lease() {
            let entry = Entry {
                value: value.clone(),
                tags,
                stamp,
            };
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            *known = Some(Arc::new(entry));
        }
        Ok(value)
    }

    fn entry(&self) -> Option<Arc<Entry<T>>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }
}
