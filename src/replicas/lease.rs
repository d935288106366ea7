//! The lease of this process: until when it may answer from what it has cached.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use uuid::Uuid;

/// Counts on while the machine is suspended: a lease does not outlive its time in sleep.
#[cfg(any(target_os = "linux", target_os = "android"))]
const CLOCK: ClockId = ClockId::CLOCK_BOOTTIME;
/// On other systems this one counts on in sleep.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const CLOCK: ClockId = ClockId::CLOCK_MONOTONIC;

/// A moment of a clock that never jumps: the time since the machine was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(u64);

impl Moment {
    pub(super) fn now() -> Moment {
        let since = clock_gettime(CLOCK).map_or(Duration::MAX, Duration::from);
        // Without a clock no lease is ever held: this is later than every end.
        Moment(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }

    pub(super) fn since(self, earlier: Moment) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    fn after(self, length: Duration) -> u64 {
        let length = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_add(length)
    }
}

/// One process holds one lease at a time, or none.
#[derive(Debug, Default)]
pub(super) struct Lease {
    /// Nanoseconds of [`Moment`]; 0: none is held.
    until: AtomicU64,
    id: Mutex<Option<Uuid>>,
}

impl Lease {
    /// Whether a lease is held at this moment.
    pub(super) fn is_held(&self) -> bool {
        let until = self.until.load(Ordering::SeqCst);
        until > 0 && Moment::now().0 < until
    }

    /// The lease that is held or was held last, if it has not been given up.
    pub(super) fn id(&self) -> Option<Uuid> {
        *self.lock()
    }

    /// Begins the lease `id`.
    pub(super) fn begin(&self, id: Uuid, sent: Moment, length: Duration) {
        let mut held = self.lock();
        *held = Some(id);
        self.until.store(end(sent, length), Ordering::SeqCst);
    }

    /// Extends the lease `id` by a renewal; says whether it is still this one.
    pub(super) fn extend(&self, id: Uuid, sent: Moment, length: Duration) -> bool {
        let held = self.lock();
        let same = *held == Some(id);
        if same {
            self.until.store(end(sent, length), Ordering::SeqCst);
        }
        same
    }

    /// Gives up whatever is held.
    pub(super) fn drop(&self) {
        let mut held = self.lock();
        self.until.store(0, Ordering::SeqCst);
        *held = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Uuid>> {
        self.id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lease lasts for `length` from the moment before its renewal was sent. A twentieth is left for clocks that do not run at the same
/// rate.
fn end(sent: Moment, length: Duration) -> u64 {
    sent.after(length - length / 20)
}
