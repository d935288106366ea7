//! Which children of a collection a principal may see, and where in the tree it may look, for lists that filter in SQL.

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

/// Where in the whole tree a privilege is held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Territory {
    /// At every path.
    Everywhere,
    /// At no path.
    Nowhere,
    /// At a path, the mark that is nearest upwards decides: its own word for its path, its word for what lies below. One is at `/`.
    Marks(Vec<Mark>),
}

/// What is so at a path, and below it down to the next mark.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The path.
    pub path: Path,
    /// Whether the privilege is held at the path.
    pub here: bool,
    /// Whether it is held below.
    pub below: bool,
}

/// Where the principal holds the privilege. Exact, for the reason that [`visible`] is.
pub fn territory(facts: &Facts, principal: &Principal, privilege: &Privilege) -> Territory {
    let root = Path::root();
    let paths: BTreeSet<&Path> = facts.paths().chain([&root]).collect();
    let marks: Vec<Mark> = paths
        .into_iter()
        .map(|path| Mark {
            path: path.clone(),
            here: check(facts, principal, privilege, path).allowed,
            below: privileges_at(facts, principal, path, true).contains(privilege),
        })
        .collect();
    if marks.iter().all(|mark| mark.here && mark.below) {
        Territory::Everywhere
    } else if marks.iter().all(|mark| !mark.here && !mark.below) {
        Territory::Nowhere
    } else {
        Territory::Marks(marks)
    }
}

/// Marks as SQL takes them: of each its path, and whether the privilege is held at it and below it.
pub(crate) fn told(marks: &[Mark]) -> (Vec<String>, Vec<bool>, Vec<bool>) {
    let paths = marks.iter().map(|mark| mark.path.to_string()).collect();
    let here = marks.iter().map(|mark| mark.here).collect();
    (paths, here, marks.iter().map(|mark| mark.below).collect())
}

impl Territory {
    /// Whether the path is within.
    pub fn contains(&self, path: &Path) -> bool {
        let marks = match self {
            Self::Everywhere => return true,
            Self::Nowhere => return false,
            Self::Marks(marks) => marks,
        };
        let above = marks.iter().filter(|mark| path.starts_with(&mark.path));
        let nearest = above.max_by_key(|mark| mark.path.as_str().len());
        nearest.is_some_and(|mark| {
            if mark.path == *path {
                mark.here
            } else {
                mark.below
            }
        })
    }
}
