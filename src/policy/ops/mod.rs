//! The operations on the policy, and what it asks of keys.

mod keys;
mod read;
mod update;

pub use keys::{binding, longest_lifetime, may_make_key, too_many};
pub use read::{Policies, policy, present};
pub use update::{MAX_KEYS_PER_USER, MAX_LIFETIME, update};
