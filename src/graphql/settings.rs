//! What the operator has set for GraphQL requests, whichever transport they come by.

use std::time::Duration;

use super::guard::Limits;
use super::trusted::TrustedDocuments;

/// The settings of the GraphQL API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether everybody may introspect. Administrators always may. Default: yes.
    pub introspection: bool,
    /// How large, deep and costly one document may be.
    pub limits: Limits,
    /// How long one operation may take; what it began is then rolled back. Default: 30 seconds. Subscriptions are not bound by it.
    pub deadline: Duration,
    /// Operations in one batch at most. Default: 10.
    pub max_batch: usize,
    /// Operations a minute by one user, through whichever credential; 0: no limit. Default: 6,000.
    pub requests_per_actor: u32,
    /// Operations a minute from one address without a valid credential; 0: no limit. Default: 600. An IPv6 address counts
    /// with its /64.
    pub requests_per_address: u32,
    /// Points of cost a minute by one user, or by one address without a valid credential; 0: no limit. Default: 1,000,000.
    pub cost_per_minute: u32,
    /// Whether clients may register queries by their hash (automatic persisted queries). Default: yes.
    pub persisted_queries: bool,
    /// Bytes of registered queries that are kept. Default: 8 MiB.
    pub persisted_bytes: u64,
    /// Whether this is a subgraph of an Apollo federation. Default: no.
    pub federation: bool,
    /// If set, only these operations run.
    pub trusted: Option<TrustedDocuments>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            introspection: true,
            limits: Limits::default(),
            deadline: Duration::from_secs(30),
            max_batch: 10,
            requests_per_actor: 6_000,
            requests_per_address: 600,
            cost_per_minute: 1_000_000,
            persisted_queries: true,
            persisted_bytes: 8 * 1024 * 1024,
            federation: false,
            trusted: None,
        }
    }
}
