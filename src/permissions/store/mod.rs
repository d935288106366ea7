//! SQL of roles and permissions.

pub(super) mod facts;
