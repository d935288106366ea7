//! The cookie in which a browser keeps a session: what the answer to a request does to it.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a browser says of the page that has caused a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// The header `Origin`.
    pub origin: Option<String>,
    /// The header `Sec-Fetch-Site`.
    pub fetch_site: Option<String>,
}

/// A place in the answer for one `Set-Cookie`. It is closed unless the answer waits for the operation: event streams and WebSockets have
/// sent their head before.
#[derive(Debug, Default)]
pub struct CookieSlot(Mutex<Slot>);

#[derive(Debug, Default)]
enum Slot {
    #[default]
    Closed,
    Open(Site),
    Filled(Site, String),
}

/// What is known of a request may be copied; its answer has one place for a cookie, which stays with the original.
impl Clone for CookieSlot {
    fn clone(&self) -> Self {
        CookieSlot::default()
    }
}

impl CookieSlot {
    /// Opens the place, for a request from that site.
    pub fn open(&self, site: Site) {
        *self.lock() = Slot::Open(site);
    }

    /// Closes the place; what was put there is dropped.
    pub fn close(&self) {
        *self.lock() = Slot::Closed;
    }

    /// The site from which the request comes; `None` where no cookie can be set.
    pub fn site(&self) -> Option<Site> {
        match &*self.lock() {
            Slot::Closed => None,
            Slot::Open(site) | Slot::Filled(site, _) => Some(site.clone()),
        }
    }

    /// Puts the value of a `Set-Cookie` header there, in place of what was put before. Where the place is closed nothing happens.
    pub fn put(&self, header: String) {
        let mut slot = self.lock();
        if let Slot::Open(site) | Slot::Filled(site, _) = std::mem::take(&mut *slot) {
            *slot = Slot::Filled(site, header);
        }
    }

    /// What was put there; the place is closed then.
    pub fn take(&self) -> Option<String> {
        match std::mem::take(&mut *self.lock()) {
            Slot::Filled(_, header) => Some(header),
            Slot::Closed | Slot::Open(_) => None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
