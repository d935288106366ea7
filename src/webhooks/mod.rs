//! Webhooks: events sent by HTTP to whoever asked for them, in the form of Standard Webhooks.
//!
//! - A webhook gets what its maker may read, and of that what it asks for: both are decided when an event is spread ([`spread`]), and the
//!   rights once more before each attempt ([`courier`]).
//! - Every row of the audit trail is an event. Where there is a webhook, a trigger puts it into the outbox with the row itself; workers
//!   spread it into a delivery for each webhook that gets it, and deliver these.
//! - A message is named by its event (`webhook-id`), however often it is sent: receivers can tell a repetition.
//! - It is signed with HMAC-SHA-256 and a secret that is shown once and stored sealed, since signing needs it. After a rotation both secrets
//!   sign until the old one ends.
//! - It goes to public addresses alone, unless the configuration says otherwise ([`address`]): looked at after the name is resolved, and
//!   that very address is connected to. Redirects are not followed; of the answer only the status is read.

pub mod address;
pub mod courier;
pub mod graphql;
pub mod model;
pub mod ops;
mod request;
mod signature;
pub mod spread;
mod store;
