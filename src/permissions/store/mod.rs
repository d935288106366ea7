//! SQL of roles and permissions.

pub(super) mod facts;
pub(super) mod held;
pub(super) mod holders;
pub(super) mod lists;
pub(super) mod roles;
pub(super) mod rows;
