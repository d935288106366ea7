//! The operations on limits.

mod announce;
mod applying;
mod bounds;
mod desk;
mod fresh;
mod policies;
mod policy;
mod read;
mod reserve;
mod rights;
mod rules;
mod settle;
mod state;
mod update;

pub use announce::announce;
pub use applying::Who;
pub use desk::{Counting, Desk, Reserved};
pub use fresh::Fresh;
pub use policies::{Policies, present as present_policy};
pub use policy::{policy, update_policy};
pub use read::{Shown, by_subjects};
pub use reserve::{Cost, lapse};
pub use rules::MAX_BUDGETS;
pub use settle::Settlement;
pub use state::{State, What};
pub use update::update;
