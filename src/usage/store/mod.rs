//! SQL of usage.

pub(super) mod months;
pub(super) mod record;
pub(super) mod report;
