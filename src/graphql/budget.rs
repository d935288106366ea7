//! How much one caller may ask for in a minute: requests, and points of cost. Buckets are kept in memory, by a bounded
//! number of keys; each process counts on its own.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use uuid::Uuid;

use super::settings::Settings;
use crate::ctx::{Actor, Ctx};
use crate::error::{Error, Result};

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Caller {
    /// A user, through whichever credential.
    User(Uuid),
    /// An IPv4 address, or the first 64 bits of an IPv6 address: what one subscriber is given.
    Address(u64),
    /// Some of those that come when too many are counted already.
    Crowd(u16),
}

impl Caller {
    /// Whoever sent the request; `None` for Keystead itself.
    pub fn of(ctx: &Ctx) -> Option<Caller> {
        match &ctx.actor {
            Actor::Holder(holder) | Actor::Enrolling(holder) => Some(Caller::User(holder.user_id)),
            Actor::Anonymous => Some(Caller::at(ctx.request.ip)),
            Actor::Keystead => None,
        }
    }

    /// Whoever calls from that address.
    pub fn at(ip: Option<IpAddr>) -> Caller {
        match ip.map(|ip| ip.to_canonical()) {
            Some(IpAddr::V4(ip)) => Caller::Address(u64::from(u32::from(ip))),
            Some(IpAddr::V6(ip)) => Caller::Address((u128::from(ip) >> 64) as u64),
            None => Caller::Address(u64::MAX),
        }
    }

    fn crowd(self) -> Caller {
        let number = match self {
            Caller::User(id) => id.as_u64_pair().1,
            Caller::Address(address) => address,
            Caller::Crowd(number) => u64::from(number),
        };
        // A Fibonacci hash: neighbouring addresses go to different crowds.
        Caller::Crowd((number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as u16)
    }
}

/// Callers counted one by one; beyond them crowds are.
const MAX_CALLERS: usize = 100_000;

/// After so many checks those who have not called for a minute are forgotten.
const SWEEP: u32 = 4_096;

type Buckets = RateLimiter<
    Caller,
    DashMapStateStore<Caller>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

/// A number of points for each caller and minute.
pub struct Budget {
    per_minute: NonZeroU32,
    what: &'static str,
    buckets: Buckets,
    checks: AtomicU32,
}

impl Budget {
    /// So many `what` a minute; `None` for 0, which means no limit.
    pub fn per_minute(points: u32, what: &'static str) -> Option<Budget> {
        let per_minute = NonZeroU32::new(points)?;
        Some(Budget {
            per_minute,
            what,
            buckets: RateLimiter::new(
                Quota::per_minute(per_minute),
                DashMapStateStore::default(),
                MonotonicClock,
            ),
            checks: AtomicU32::new(0),
        })
    }

    /// Takes so many points from the caller's bucket.
    ///
    /// # Errors
    /// `RATE_LIMITED` with the seconds after which there is enough again.
    pub fn take(&self, caller: Caller, points: u64) -> Result<()> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            self.buckets.retain_recent();
            self.buckets.shrink_to_fit();
        }
        let caller = if self.buckets.len() < MAX_CALLERS {
            caller
        } else {
            caller.crowd()
        };
        let Some(points) = u32::try_from(points)
            .ok()
            .map_or(Some(self.per_minute), NonZeroU32::new)
        else {
            return Ok(());
        };
        // One request may cost a whole minute's points, never more.
        match self
            .buckets
            .check_key_n(&caller, points.min(self.per_minute))
        {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_until)) => {
                let wait = not_until.wait_time_from(MonotonicClock.now());
                Err(self.refuse(wait.as_secs() + 1))
            }
            Err(_) => Err(self.refuse(60)),
        }
    }

    fn refuse(&self, seconds: u64) -> Error {
        Error::rate_limited(
            seconds,
            format!(
                "Too much in a short time: at most {} {} a minute. Try again in {seconds} s.",
                self.per_minute, self.what
            ),
        )
    }
}

/// What callers of the API may ask for in a minute.
pub struct Budgets {
    per_actor: Option<Budget>,
    per_address: Option<Budget>,
    cost: Option<Budget>,
}

impl Budgets {
    /// As the settings have them.
    pub fn new(settings: &Settings) -> Self {
        Budgets {
            per_actor: Budget::per_minute(settings.requests_per_actor, "operations by one user"),
            per_address: Budget::per_minute(
                settings.requests_per_address,
                "operations from one address without a valid credential",
            ),
            cost: Budget::per_minute(settings.cost_per_minute, "points of cost"),
        }
    }

    /// Counts one operation; of Keystead's own none.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn request(&self, caller: Option<Caller>) -> Result<()> {
        let budget = match caller {
            Some(Caller::User(_)) => &self.per_actor,
            _ => &self.per_address,
        };
        take(budget, caller, 1)
    }

    /// Counts points of cost.
    ///
    /// # Errors
    /// `RATE_LIMITED`.
    pub fn cost(&self, caller: Option<Caller>, points: u64) -> Result<()> {
        take(&self.cost, caller, points)
    }
}

fn take(budget: &Option<Budget>, caller: Option<Caller>, points: u64) -> Result<()> {
    match (budget, caller) {
        (Some(budget), Some(caller)) => budget.take(caller, points),
        _ => Ok(()),
    }
}
