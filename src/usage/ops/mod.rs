//! The operations on usage.

mod line;
mod names;
mod record;
mod report;
mod upkeep;
mod whose;

pub use names::{Names, names};
pub use record::{UNKNOWN, record};
pub use report::{READ, report, too_many};
pub use upkeep::{missing_months, tend};

/// Record what keys and users have used.
pub const WRITE: &str = "usage.write";
