//! What is to be delivered once a change is committed: mails, and events to webhooks.
//!
//! - A parcel is written in the transaction of the change that wants it delivered ([`ops::put`]): what is rolled back is never sent, and
//!   what is committed is sent sooner or later.
//! - Any number of servers deliver. A worker claims parcels with `FOR UPDATE SKIP LOCKED`, for so long that its attempt must have ended
//!   by then ([`office`]); if it dies, the claim runs out and another worker takes the parcel up. So each is delivered once in the good case,
//!   and at least once in the bad. A worker that was overtaken changes nothing: its claim is told by the number of attempts.
//! - What cannot be delivered is tried again with growing pauses, for a day; then it is a dead letter, kept for 30 days.
//! - Of the messages to one webhook a server delivers a few at once, so that one that is slow does not keep others waiting.
//! - Mails are sealed ([`crate::secrets::Sealer`]): a mail may hold a link that lets its reader in.
//! - Workers are woken by what this process commits; what others have committed, and what is due again, they find by looking every few
//!   seconds.

pub mod model;
pub mod office;
pub mod ops;
mod store;
