//! SQL of usage.

pub(super) mod record;
pub(super) mod report;
