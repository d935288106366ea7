//! SQL of teams and memberships.

pub(super) mod lists;
pub(super) mod members;
pub(super) mod rows;
pub(super) mod tree;
