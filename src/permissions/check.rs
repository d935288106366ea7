//! The one question: may this principal do that there?

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::facts::{Facts, Node, PermissionFact};
use super::model::{InstanceRole, Principal};
use super::path::Path;
use super::privilege::{Privilege, PrivilegeSet};

/// The answer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether the principal holds the privilege at the path.
    pub allowed: bool,
    /// The permissions that decided: those that allow it, those that forbid it, or those that apply without including it.
    /// Empty where none applies or none was asked.
    pub decided_by: Vec<Arc<PermissionFact>>,
    /// Why, in one word.
    pub reason: Reason,
}

/// Why a decision is what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The user (or the key's owner) administers the instance.
    InstanceAdmin,
    /// A permission includes it.
    Granted,
    /// Refused to the principal itself.
    Refused(Refusal),
    /// The key's own permissions include it, but its owner does not hold it.
    OwnerRefused(Refusal),
}

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// `NO_ACCESS` applies.
    NoAccess,
    /// Permissions apply, but none includes the privilege.
    NotIncluded,
    /// No permission applies.
    NothingApplies,
    /// The principal is disabled.
    Disabled,
    /// The principal has expired.
    Expired,
    /// The team that the key was made for is disabled.
    TeamDisabled,
    /// The facts know nothing of this principal.
    Unknown,
}

/// The permissions that decided.
type Deciding = Vec<Arc<PermissionFact>>;

/// Which permissions a walk collects.
#[derive(Clone, Copy)]
pub(crate) enum Side {
    /// Rule 2: the user's own, or else its teams'.
    Holder,
    /// The key's own.
    Key,
}

/// How a principal stands before any path is looked at.
pub(crate) enum Standing {
    /// Holds everything everywhere.
    Everything,
    /// Holds what the walk yields.
    Walk(Side),
    /// A restricted key: what both walks yield; the owner may hold everything.
    Within(OwnerStanding),
    /// Holds nothing.
    Nothing(Reason),
}

/// How the owner of a restricted key stands.
#[derive(Clone, Copy)]
pub(crate) enum OwnerStanding {
    Everything,
    Walk,
}

/// What a walk ends with: the stored permissions of one node on one side, and the derived ones on the way.
pub(crate) struct Found<'a> {
    candidates: &'a [Arc<PermissionFact>],
    below: bool,
    when: DateTime<Utc>,
    /// On one way there are at most two nodes with derived permissions: `/`, and a user or a team.
    derived: [&'a [Arc<PermissionFact>]; 2],
}

impl<'a> Found<'a> {
    pub(crate) fn applying(&self) -> impl Iterator<Item = &'a Arc<PermissionFact>> + use<'a> {
        let (below, when) = (self.below, self.when);
        let stored = self
            .candidates
            .iter()
            .filter(move |permission| permission.applies(below, when));
        let derived = self.derived.into_iter().flatten();
        stored.chain(derived.filter(move |permission| permission.applies(below, when)))
    }

    /// Rule 4 for the whole set.
    pub(crate) fn privileges(&self) -> PrivilegeSet {
        let mut set = PrivilegeSet::none();
        for permission in self.applying() {
            if permission.role.is_no_access() {
                return PrivilegeSet::none();
            }
            set.extend(&permission.role.privileges);
        }
        set
    }

    /// Rule 4 for one privilege.
    fn decide(&self, privilege: &Privilege) -> Result<Deciding, (Refusal, Deciding)> {
        let forbidding: Vec<_> = self
            .applying()
            .filter(|permission| permission.role.is_no_access())
            .cloned()
            .collect();
        if !forbidding.is_empty() {
            return Err((Refusal::NoAccess, forbidding));
        }
        let including = self
            .applying()
            .filter(|permission| permission.role.privileges.contains(privilege));
        let including: Vec<_> = including.cloned().collect();
        if !including.is_empty() {
            return Ok(including);
        }
        let applying: Vec<_> = self.applying().cloned().collect();
        let refusal = if applying.is_empty() {
            Refusal::NothingApplies
        } else {
            Refusal::NotIncluded
        };
        Err((refusal, applying))
    }
}

/// Rules 1 to 3: from `/` down to the path, each node that yields something replacing what came from above; derived permissions add
/// to that. With `below`, the question is about any path below this one that no permission names.
pub(crate) fn walk<'a>(
    facts: &'a Facts,
    side: Side,
    path: &Path,
    below: bool,
    when: DateTime<Utc>,
) -> Found<'a> {
    let mut found = Found {
        candidates: &[],
        below: false,
        when,
        derived: [&[], &[]],
    };
    for node_path in path.ancestors() {
        let Some(node) = facts.node(node_path) else {
            continue;
        };
        let below = below || node_path.len() < path.as_str().len();
        if let Some(candidates) = yields(node, side, below, when) {
            (found.candidates, found.below) = (candidates, below);
        }
        if matches!(side, Side::Holder) {
            let place = usize::from(node_path.len() > 1);
            if !node.derived.is_empty() {
                found.derived[place] = &node.derived;
            }
        }
    }
    found
}

fn yields(
    node: &Node,
    side: Side,
    below: bool,
    when: DateTime<Utc>,
) -> Option<&[Arc<PermissionFact>]> {
    let any = |permissions: &[Arc<PermissionFact>]| {
        permissions.iter().any(|each| each.applies(below, when))
    };
    let by_precedence: [&[_]; 2] = match side {
        Side::Holder => [&node.own, &node.teams],
        Side::Key => [&node.key, &[]],
    };
    by_precedence
        .into_iter()
        .find(|permissions| any(permissions))
}

fn is_over(expires_at: Option<DateTime<Utc>>, when: DateTime<Utc>) -> bool {
    expires_at.is_some_and(|end| end <= when)
}

/// How the user of the facts stands: as itself, or as the owner of the key.
fn standing_of_user(facts: &Facts, when: DateTime<Utc>) -> Result<OwnerStanding, Refusal> {
    let user = facts.user().ok_or(Refusal::Unknown)?;
    if !user.enabled {
        return Err(Refusal::Disabled);
    }
    if is_over(user.expires_at, when) {
        return Err(Refusal::Expired);
    }
    Ok(match user.role {
        InstanceRole::Admin => OwnerStanding::Everything,
        _ => OwnerStanding::Walk,
    })
}

pub(crate) fn standing(facts: &Facts, principal: &Principal, when: DateTime<Utc>) -> Standing {
    let refuse = |refusal| Standing::Nothing(Reason::Refused(refusal));
    match principal {
        Principal::User(id) if facts.user().is_some_and(|user| user.id == *id) => {
            match standing_of_user(facts, when) {
                Ok(OwnerStanding::Everything) => Standing::Everything,
                Ok(OwnerStanding::Walk) => Standing::Walk(Side::Holder),
                Err(refusal) => refuse(refusal),
            }
        }
        Principal::Team(id) if facts.team() == Some(*id) => {
            match facts.teams().iter().find(|team| team.id == *id) {
                Some(team) if team.enabled => Standing::Walk(Side::Holder),
                Some(_) => refuse(Refusal::Disabled),
                None => refuse(Refusal::Unknown),
            }
        }
        Principal::ApiKey(id) => match facts.key() {
            Some(key) if key.id != *id => refuse(Refusal::Unknown),
            Some(key) if !key.enabled => refuse(Refusal::Disabled),
            Some(key) if is_over(key.expires_at, when) => refuse(Refusal::Expired),
            Some(key) => match (key.restricted, standing_of_user(facts, when)) {
                (_, Err(refusal)) => Standing::Nothing(Reason::OwnerRefused(refusal)),
                (_, Ok(_)) if !key.team_enabled => refuse(Refusal::TeamDisabled),
                (true, Ok(owner)) => Standing::Within(owner),
                (false, Ok(OwnerStanding::Everything)) => Standing::Everything,
                (false, Ok(OwnerStanding::Walk)) => Standing::Walk(Side::Holder),
            },
            None => refuse(Refusal::Unknown),
        },
        _ => refuse(Refusal::Unknown),
    }
}

/// Whether the principal holds the privilege at the path, by the six rules in the documentation of [this module](super).
/// No I/O, and nothing else in Keystead decides access.
pub fn check(facts: &Facts, principal: &Principal, privilege: &Privilege, path: &Path) -> Decision {
    let look = |side| walk(facts, side, path, false, facts.now()).decide(privilege);
    let allow = |reason, decided_by| Decision {
        allowed: true,
        decided_by,
        reason,
    };
    let refuse = |reason, decided_by| Decision {
        allowed: false,
        decided_by,
        reason,
    };
    match standing(facts, principal, facts.now()) {
        Standing::Everything => allow(Reason::InstanceAdmin, Vec::new()),
        Standing::Nothing(reason) => refuse(reason, Vec::new()),
        Standing::Walk(side) => match look(side) {
            Ok(including) => allow(Reason::Granted, including),
            Err((refusal, decided_by)) => refuse(Reason::Refused(refusal), decided_by),
        },
        Standing::Within(owner) => match (look(Side::Key), owner) {
            (Err((refusal, decided_by)), _) => refuse(Reason::Refused(refusal), decided_by),
            (Ok(including), OwnerStanding::Everything) => allow(Reason::Granted, including),
            (Ok(mut including), OwnerStanding::Walk) => match look(Side::Holder) {
                Ok(of_owner) => {
                    including.extend(of_owner);
                    allow(Reason::Granted, including)
                }
                Err((refusal, decided_by)) => refuse(Reason::OwnerRefused(refusal), decided_by),
            },
        },
    }
}

/// Why the principal holds nothing, whatever is asked: it or its owner is disabled or has expired, or its team is disabled.
/// `None` where it depends on what is asked.
pub fn stands(facts: &Facts, principal: &Principal) -> Option<Reason> {
    match standing(facts, principal, facts.now()) {
        Standing::Nothing(reason) => Some(reason),
        _ => None,
    }
}

/// Whether the principal holds everything everywhere, before any walk.
pub fn holds_everything(facts: &Facts, principal: &Principal) -> bool {
    matches!(
        standing(facts, principal, facts.now()),
        Standing::Everything
    )
}

/// Everything the principal holds at the path or, with `below`, at any path below it that no permission names.
pub fn privileges_at(
    facts: &Facts,
    principal: &Principal,
    path: &Path,
    below: bool,
) -> PrivilegeSet {
    privileges_when(facts, principal, path, below, facts.now(), facts.now())
}

/// The same, with the status of the accounts as of one moment and the permissions as of another.
pub(crate) fn privileges_when(
    facts: &Facts,
    principal: &Principal,
    path: &Path,
    below: bool,
    status: DateTime<Utc>,
    rows: DateTime<Utc>,
) -> PrivilegeSet {
    let look = |side| walk(facts, side, path, below, rows).privileges();
    match standing(facts, principal, status) {
        Standing::Everything => PrivilegeSet::all(),
        Standing::Nothing(_) => PrivilegeSet::none(),
        Standing::Walk(side) => look(side),
        Standing::Within(OwnerStanding::Everything) => look(Side::Key),
        Standing::Within(OwnerStanding::Walk) => look(Side::Key).intersection(&look(Side::Holder)),
    }
}
