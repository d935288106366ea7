//! The operations on usage.

mod names;
mod report;

pub use names::{Names, names};
pub use report::{READ, report, too_many};
