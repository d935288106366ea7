//! The audit trail in GraphQL.

mod inputs;
mod queries;
mod subscription;
mod types;

pub use inputs::{AuditFilterInput, AuditOrder};
pub use queries::{AuditQueries, EVENTS_OF_TARGET, of_target};
pub use subscription::AuditSubscription;
pub use types::{AuditEvent, AuditEventConnection, AuditEventEdge};
