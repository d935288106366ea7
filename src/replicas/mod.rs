//! Servers on one database, and what each of them may remember.
//!
//! A server answers about a key from its memory only while it holds a *lease*. A change that can alter such an answer is announced in its
//! own transaction, and its operation answers only when every server whose lease may still be held has acknowledged it, or cannot hold
//! its lease any more. So once `deleteApiKey` has answered, no server says yes, whatever was lost, delayed or restarted.
//! `docs/revocation.md` has the protocol and its proof.
//!
//! - [`model`]: what a change is about ([`model::Tag`]), and how it is told.
//! - `marks`: what has changed since when; a cached answer is measured by it whenever it is used.
//! - `lease`: until when this server may use its memory, by a clock that never jumps.
//! - `listen`: the connection that hears of changes and renews the lease.
//! - `publish`: what a transaction does before and after it commits.
//! - `remembered`: a single value that is remembered so.
//! - `others`: the other servers' leases; who is dead.

mod lease;
mod listen;
mod marks;
pub mod model;
mod others;
mod publish;
mod remembered;
mod store;

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::ctx::Random;
use crate::db::Endpoint;
use lease::Lease;
pub use marks::{Marks, Stamp};
use model::Changes;
use others::Others;
pub(crate) use publish::Announced;
use publish::Waiting;
pub use remembered::Remembered;

/// How a server holds its lease.
#[derive(Clone)]
pub struct ReplicaSettings {
    /// How long a change waits, at most, for a server that does not answer: a lease lasts a little shorter. 500 ms to 1 minute.
    pub lease: Duration,
    /// Where the connection goes that listens for changes; `None`: where all others go.
    pub listen: Option<Endpoint>,
}

impl Default for ReplicaSettings {
    fn default() -> Self {
        ReplicaSettings {
            lease: Duration::from_secs(2),
            listen: None,
        }
    }
}

/// This process among the others. Cheap to clone.
#[derive(Clone)]
pub struct Replicas {
    inner: Arc<Inner>,
}

struct Inner {
    process: Uuid,
    marks: Marks,
    lease: Lease,
    others: Others,
    waiting: Waiting,
    /// Announces nothing and waits for nobody.
    mute: bool,
}

impl Default for Replicas {
    fn default() -> Self {
        Replicas {
            inner: Arc::new(Inner {
                process: new_id(),
                marks: Marks::default(),
                lease: Lease::default(),
                others: Others::default(),
                waiting: Waiting::default(),
                mute: muted(),
            }),
        }
    }
}

/// Two processes never have the same id, also where a test seeds everything else.
fn new_id() -> Uuid {
    uuid::Builder::from_random_bytes(Random::system().bytes()).into_uuid()
}

/// A test that is to find stale answers takes the protocol away. No released program knows this.
fn muted() -> bool {
    cfg!(debug_assertions) && std::env::var_os("KEYSTEAD_TEST_WITHOUT_REVOCATION").is_some()
}

impl Replicas {
    /// Whether what is cached may be used now. Ask this **before** looking at the [`Marks`]: at this moment everything that has been
    /// answered by anybody is marked.
    pub fn holds_lease(&self) -> bool {
        self.inner.lease.is_held()
    }

    /// What has changed since when.
    pub fn marks(&self) -> &Marks {
        &self.inner.marks
    }

    fn lease(&self) -> &Lease {
        &self.inner.lease
    }

    fn lease_id(&self) -> Option<Uuid> {
        self.inner.lease.id()
    }

    fn process(&self) -> Uuid {
        self.inner.process
    }

    fn others(&self) -> &Others {
        &self.inner.others
    }

    fn waiting(&self) -> &Waiting {
        &self.inner.waiting
    }

    fn is_mute(&self) -> bool {
        self.inner.mute
    }

    /// Gives up the lease and forgets what is cached; says whether there was one.
    fn lose(&self) -> bool {
        let held = self.lease_id().is_some();
        self.inner.lease.drop();
        self.marks().change(&Changes::Everything);
        held
    }
}
