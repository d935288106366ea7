//! SQL of limits.

pub(super) mod count;
pub(super) mod notices;
pub(super) mod policy;
pub(super) mod reserve;
pub(super) mod rows;
