//! SQL of usage.

pub(super) mod report;
