//! What a principal holds, path by path.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::check::{OwnerStanding, Side, Standing, privileges_at, standing, walk};
use super::facts::{Facts, PermissionFact};
use super::model::Principal;
use super::path::Path;
use super::privilege::PrivilegeSet;

/// What a principal holds at one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The path.
    pub path: Path,
    /// What is held there.
    pub privileges: PrivilegeSet,
    /// What is held at any path below it, down to the next one that is listed.
    pub below: PrivilegeSet,
    /// The permissions that decide at the path.
    pub decided_by: Vec<Arc<PermissionFact>>,
}

impl Effective {
    /// Whether everything held at the path is held below it as well.
    pub fn propagated(&self) -> bool {
        self.below.is_superset(&self.privileges)
    }
}

/// What the principal holds at the prefix and at every path below it that a permission names, in the order of the paths. Together
/// that says what it holds anywhere at or below the prefix.
pub fn effective(facts: &Facts, principal: &Principal, prefix: &Path) -> Vec<Effective> {
    let mut paths: BTreeSet<&Path> = facts
        .paths()
        .filter(|path| path.starts_with(prefix))
        .collect();
    paths.insert(prefix);
    let entry = |path: &Path| Effective {
        path: path.clone(),
        privileges: privileges_at(facts, principal, path, false),
        below: privileges_at(facts, principal, path, true),
        decided_by: deciding(facts, principal, path),
    };
    paths.into_iter().map(entry).collect()
}

fn deciding(facts: &Facts, principal: &Principal, path: &Path) -> Vec<Arc<PermissionFact>> {
    let sides: &[Side] = match standing(facts, principal, facts.now()) {
        Standing::Everything | Standing::Nothing(_) => &[],
        Standing::Walk(Side::Holder) => &[Side::Holder],
        Standing::Walk(Side::Key) | Standing::Within(OwnerStanding::Everything) => &[Side::Key],
        Standing::Within(OwnerStanding::Walk) => &[Side::Key, Side::Holder],
    };
    let found = sides
        .iter()
        .flat_map(|side| walk(facts, *side, path, false, facts.now()).applying());
    found.cloned().collect()
}
