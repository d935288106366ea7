//! Which children of a collection a principal may see, for lists that filter in SQL.

use std::collections::BTreeSet;

use super::check::{check, privileges_at};
use super::facts::Facts;
use super::model::Principal;
use super::path::Path;
use super::privilege::Privilege;

/// Which direct children of a collection a privilege is held at. Children are named by their segment, such as `user_01…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visible {
    /// Every child, whichever there may be.
    All,
    /// These and no others; none, if empty.
    Only(BTreeSet<String>),
    /// Every child but these, of which there is at least one.
    AllExcept(BTreeSet<String>),
}

impl Visible {
    /// Whether the child with that segment is among them.
    pub fn contains(&self, segment: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(segments) => segments.contains(segment),
            Self::AllExcept(segments) => !segments.contains(segment),
        }
    }

    /// Whether no child is among them.
    pub fn is_none(&self) -> bool {
        matches!(self, Self::Only(segments) if segments.is_empty())
    }
}

/// At which direct children of the collection the principal holds the privilege. Exact: a child that no permission names is
/// decided by what lies above it, as every other such child is.
pub fn visible(
    facts: &Facts,
    principal: &Principal,
    privilege: &Privilege,
    collection: &Path,
) -> Visible {
    let by_default = privileges_at(facts, principal, collection, true).contains(privilege);
    let differs = |child: &&Path| check(facts, principal, privilege, child).allowed != by_default;
    let named = facts
        .paths()
        .filter(|path| path.child_of(collection).is_some());
    let exceptions: BTreeSet<String> = named
        .filter(differs)
        .filter_map(|child| child.child_of(collection))
        .map(str::to_owned)
        .collect();
    match (by_default, exceptions.is_empty()) {
        (true, true) => Visible::All,
        (true, false) => Visible::AllExcept(exceptions),
        (false, _) => Visible::Only(exceptions),
    }
}
