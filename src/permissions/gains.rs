//! Nobody can hand out more than they hold.
//!
//! A change is measured by what it gives: [`gains`] compares what somebody holds before and after, everywhere and for all time to come
//! (a row that expires later may uncover another), and [`ensure_may_give`] compares that with what the actor holds. The actor's account
//! and credential count as they are at this moment; its permissions count only as long as they last, so that nobody prolongs a right by
//! handing it on.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use super::check::{holds_everything, privileges_when};
use super::facts::{Facts, PermissionFact, team_path, user_path};
use super::model::Principal;
use super::path::Path;
use super::privilege::PrivilegeSet;
use super::role::{BuiltIn, RoleFacts, SELF, TEAM_ADMIN};

/// How far a gain reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The path itself.
    Here,
    /// Whatever lies below the path, except for [`Gain::except`].
    Below,
    /// Both.
    HereAndBelow,
}

/// Rights that somebody comes to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gain {
    /// Where.
    pub path: Path,
    /// At the path, below it, or both.
    pub reach: Reach,
    /// Paths below that are not meant, nor what lies below them.
    pub except: Vec<Path>,
    /// From when on.
    pub from: DateTime<Utc>,
    /// Until when; `None` is for ever.
    pub until: Option<DateTime<Utc>>,
    /// Which.
    pub privileges: PrivilegeSet,
}

impl Gain {
    /// What a new permission gives to somebody who held nothing there.
    pub fn of_grant(
        path: &Path,
        role: &RoleFacts,
        propagate: bool,
        now: DateTime<Utc>,
        expires_at: Option<DateTime<Utc>>,
    ) -> Self {
        Self {
            path: path.clone(),
            reach: if propagate {
                Reach::HereAndBelow
            } else {
                Reach::Here
            },
            except: Vec::new(),
            from: now,
            until: expires_at,
            privileges: role.privileges.clone(),
        }
    }
}

/// Rights at a path and below that may be given by whoever may make the change itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exempt {
    path: Path,
    privileges: PrivilegeSet,
}

impl Exempt {
    /// What a user holds over itself: whoever may make a user makes one that can see itself.
    pub fn over_itself(user: Uuid) -> Self {
        Self::role_at(user_path(user), &SELF)
    }

    /// What the admins of a team hold over it, for the actor that has just made it.
    pub fn over_new_team(team: Uuid) -> Self {
        Self::role_at(team_path(team), &TEAM_ADMIN)
    }

    fn role_at(path: Path, role: &BuiltIn) -> Self {
        Self {
            path,
            privileges: role.facts().privileges.clone(),
        }
    }
}

/// A right that the actor lacks and a change would give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// A privilege, or a pattern such as `*.read`.
    pub privilege: String,
    /// Where it is lacking.
    pub path: Path,
    /// Whether it is lacking below the path rather than at it.
    pub below: bool,
    /// From when on it is lacking; `None` is from now.
    pub from: Option<DateTime<Utc>>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.below { "below" } else { "at" };
        write!(
            f,
            "nobody can hand out more than they hold: you lack {} {place} {}",
            self.privilege, self.path
        )?;
        match self.from {
            Some(from) => write!(
                f,
                " from {} on",
                from.to_rfc3339_opts(SecondsFormat::Secs, true)
            ),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Missing {}

/// What the principal holds afterwards that it did not hold before: at every path, now and at any later time. Exact, also where
/// something comes back because what hid it has gone.
pub fn gains(before: &Facts, after: &Facts, principal: &Principal) -> Vec<Gain> {
    let changed = changed_paths(before, after);
    let within = |path: &Path| changed.iter().any(|root| path.starts_with(root));
    let named = before
        .paths()
        .chain(after.paths())
        .filter(|path| within(path));
    let paths: BTreeSet<&Path> = named.chain(&changed).collect();
    let moments: Vec<_> = moments(&[before, after], after.now()).into_iter().collect();
    let mut gains = Vec::new();
    for (index, from) in moments.iter().copied().enumerate() {
        for path in &paths {
            for reach in [Reach::Here, Reach::Below] {
                let below = reach == Reach::Below;
                let held = |facts| privileges_when(facts, principal, path, below, from, from);
                let privileges = held(after).missing(&held(before));
                if privileges.is_empty() {
                    continue;
                }
                let deeper = paths
                    .iter()
                    .filter(|other| below && other != &path && other.starts_with(path));
                gains.push(Gain {
                    path: (*path).clone(),
                    reach,
                    except: deeper.map(|other| (*other).clone()).collect(),
                    from,
                    until: moments.get(index + 1).copied(),
                    privileges,
                });
            }
        }
    }
    gains
}

/// Whether the actor holds everything that is gained, wherever and as long as it is gained.
///
/// # Errors
/// The first right that it lacks.
pub fn ensure_may_give(
    actor: &Facts,
    principal: &Principal,
    gains: &[Gain],
    exempt: &[Exempt],
) -> Result<(), Missing> {
    if holds_everything(actor, principal) {
        return Ok(());
    }
    for gain in gains {
        let later = moments(&[actor], gain.from).into_iter();
        for moment in later.take_while(|moment| gain.until.is_none_or(|until| *moment < until)) {
            for (path, below) in cells(actor, gain) {
                let held = privileges_when(actor, principal, path, below, actor.now(), moment);
                let exempt = exempt.iter().filter(|each| path.starts_with(&each.path));
                let lacking = exempt.fold(gain.privileges.missing(&held), |rest, each| {
                    rest.missing(&each.privileges)
                });
                if let Some(privilege) = lacking.to_patterns().into_iter().next() {
                    let from = (moment > actor.now()).then_some(moment);
                    return Err(Missing {
                        privilege,
                        path: path.clone(),
                        below,
                        from,
                    });
                }
            }
        }
    }
    Ok(())
}

/// Whether the actor holds everything that the other holds: whoever makes an unrestricted key for somebody can act as that one.
///
/// # Errors
/// The first right that it lacks.
pub fn holds_all_of(
    actor: &Facts,
    principal: &Principal,
    other: &Facts,
    other_principal: &Principal,
) -> Result<(), Missing> {
    let all = gains(&Facts::nobody(other.now()), other, other_principal);
    ensure_may_give(actor, principal, &all, &[])
}

/// Where the actor may stand differently within the reach of a gain: the path, below it, and at and below each path that the actor's
/// permissions name.
fn cells<'a>(actor: &'a Facts, gain: &'a Gain) -> impl Iterator<Item = (&'a Path, bool)> {
    let here = (gain.reach != Reach::Below).then_some((&gain.path, false));
    let reaches_below = gain.reach != Reach::Here;
    let below = reaches_below.then_some((&gain.path, true));
    let meant = move |path: &&Path| {
        reaches_below
            && **path != gain.path
            && path.starts_with(&gain.path)
            && !gain.except.iter().any(|except| path.starts_with(except))
    };
    let deeper = actor
        .paths()
        .filter(meant)
        .flat_map(|path| [(path, false), (path, true)]);
    here.into_iter().chain(below).chain(deeper)
}

/// The moment given, and every later one at which something in the facts expires.
fn moments(facts: &[&Facts], from: DateTime<Utc>) -> BTreeSet<DateTime<Utc>> {
    let ends = facts.iter().flat_map(|facts| {
        let rows = facts
            .permissions()
            .filter_map(|permission| permission.expires_at);
        let user = facts.user().and_then(|user| user.expires_at);
        rows.chain(user)
            .chain(facts.key().and_then(|key| key.expires_at))
    });
    ends.filter(|end| *end > from).chain([from]).collect()
}

/// The paths at or below which anything can differ.
fn changed_paths(before: &Facts, after: &Facts) -> BTreeSet<Path> {
    if before.user() != after.user() || before.key() != after.key() {
        return BTreeSet::from([Path::root()]);
    }
    let by_id = |facts: &Facts| -> HashMap<Uuid, PermissionFact> {
        facts
            .permissions()
            .map(|permission| (permission.id, permission.as_ref().clone()))
            .collect()
    };
    let (before, after) = (by_id(before), by_id(after));
    let gone_or_changed = before
        .values()
        .filter(|old| after.get(&old.id) != Some(old));
    let new_or_changed = after
        .values()
        .filter(|new| before.get(&new.id) != Some(new));
    gone_or_changed
        .chain(new_or_changed)
        .map(|permission| permission.path.clone())
        .collect()
}
