//! Limits: how much a key, a user, a team or a member of a team may use, and in which stretch of time.
//!
//! Invariants: amounts are whole micro-dollars, read exactly or refused ([`amount`]); windows are calendar arithmetic, computed from the
//! present moment when something is read, so that nothing has to run for one to begin ([`window`]).

pub mod amount;
pub mod window;
