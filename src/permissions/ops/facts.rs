//! Loading facts: what `check` needs about holders, many holders a statement.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Deserialize;
use uuid::Uuid;

use crate::db::{Connection, Db};
use crate::error::{Error, Result};
use crate::permissions::facts::{Facts, Given, KeyFacts, PermissionFact, TeamFacts, UserFacts};
use crate::permissions::model::Principal;
use crate::permissions::path::Path;
use crate::permissions::privilege::PrivilegeSet;
use crate::permissions::role::{BuiltIn, RoleFacts};
use crate::permissions::store::facts::{self as store, HolderRow, Holders};
use crate::replicas::model::Tag;
use crate::secrets::Digest;

/// A key as it was found by the digest of a secret, with its owner and all that `check` needs about both.
#[derive(Debug)]
pub struct Identified {
    /// The key.
    pub key_id: Uuid,
    /// Its name.
    pub key_name: String,
    /// The team it was made for.
    pub team_id: Option<Uuid>,
    /// Its owner.
    pub user_id: Uuid,
    /// The owner's name.
    pub username: String,
    /// The addresses it may be used from; empty: any.
    pub allowed_cidrs: Vec<IpNet>,
    /// The digest of the secret in force.
    pub digest: Digest,
    /// The digest of the secret before the last rotation, and until when it still works.
    pub previous: Option<(Digest, DateTime<Utc>)>,
    /// What `check` needs, at the moment it was read.
    pub facts: Facts,
}

impl Identified {
    /// All that this depends on: whoever changes any of it names one of these. Built-in roles never change.
    pub fn depends_on(&self) -> Vec<Tag> {
        let own = [Tag::ApiKey(self.key_id), Tag::User(self.user_id)];
        let team = self.team_id.map(Tag::Team);
        depends_on(&self.facts, own.into_iter().chain(team))
    }

    /// Bytes that it takes in memory, rather too many than too few. A role of one's own is counted with each permission that names it.
    pub fn weight(&self) -> usize {
        weight(&self.facts)
            + self.username.len()
            + self.key_name.len()
            + self.allowed_cidrs.len() * size_of::<IpNet>()
    }
}

/// All that the facts depend on beside the holder's `own` tags.
pub(super) fn depends_on(facts: &Facts, own: impl Iterator<Item = Tag>) -> Vec<Tag> {
    let given = facts.given();
    let teams = given.teams.iter().map(|team| team.id);
    let roles = given
        .permissions
        .iter()
        .map(|permission| permission.role.id);
    let roles = roles.filter(|id| BuiltIn::by_id(*id).is_none());
    let mut tags: Vec<Tag> = own
        .chain(teams.map(Tag::Team))
        .chain(roles.map(Tag::Role))
        .collect();
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Bytes that the facts take in memory, with what is there once for each holder.
pub(super) fn weight(facts: &Facts) -> usize {
    let given = facts.given();
    let permissions = facts.permissions().map(|permission| {
        let privileges = match BuiltIn::by_id(permission.role.id) {
            Some(_) => 0,
            None => permission.role.privileges.weight(),
        };
        WEIGHT_OF_PERMISSION + 2 * permission.path.as_str().len() + privileges
    });
    WEIGHT + given.teams.len() * WEIGHT_OF_TEAM + permissions.sum::<usize>()
}

/// Bytes of a key, its owner and what else is there once.
const WEIGHT: usize = 1_024;
/// Bytes of one team.
const WEIGHT_OF_TEAM: usize = 2 * size_of::<TeamFacts>();
/// Bytes of one permission: itself, its place in the list of all, and a node of its own with four lists.
const WEIGHT_OF_PERMISSION: usize = 2 * size_of::<PermissionFact>() + 256;

/// The keys whose secrets have these digests, by digest. One statement.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_digests(
    db: &Db,
    now: DateTime<Utc>,
    digests: Vec<Digest>,
) -> Result<HashMap<Digest, Arc<Identified>>> {
    let wanted = digests
        .iter()
        .map(|digest| digest.as_bytes().to_vec())
        .collect();
    let mut conn = db.read("identify_api_keys").await?;
    let rows = store::load(&mut conn, Holders::Digests(wanted)).await?;
    drop(conn);
    let mut found = HashMap::new();
    for row in rows {
        let identified = Arc::new(identified(now, row)?);
        if let Some((previous, _)) = identified.previous {
            found.insert(previous, identified.clone());
        }
        found.insert(identified.digest, identified);
    }
    Ok(found)
}

/// The facts of these principals, at `now`. One statement for each kind of principal. An unknown principal is left out.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn of_principals(
    conn: &mut Connection,
    now: DateTime<Utc>,
    principals: &[Principal],
) -> Result<HashMap<Principal, Facts>> {
    let (mut users, mut keys, mut teams) = (Vec::new(), Vec::new(), Vec::new());
    for principal in principals {
        match principal {
            Principal::User(id) => users.push(*id),
            Principal::ApiKey(id) => keys.push(*id),
            Principal::Team(id) => teams.push(*id),
        }
    }
    let mut found = HashMap::new();
    for holders in [
        Holders::Users(users),
        Holders::ApiKeys(keys),
        Holders::Teams(teams),
    ] {
        let (Holders::Users(ids) | Holders::ApiKeys(ids) | Holders::Teams(ids)) = &holders else {
            continue;
        };
        if ids.is_empty() {
            continue;
        }
        for row in store::load(conn, holders).await? {
            let principal = match (row.key_id, row.user_id, row.team_id) {
                (Some(id), _, _) => Principal::ApiKey(id),
                (None, Some(id), _) => Principal::User(id),
                (None, None, Some(id)) => Principal::Team(id),
                (None, None, None) => continue,
            };
            found.insert(principal, facts(now, &row)?);
        }
    }
    Ok(found)
}

/// The facts of one principal; `None` if it does not exist.
///
/// # Errors
/// As [`of_principals`].
pub async fn of_principal(
    conn: &mut Connection,
    now: DateTime<Utc>,
    principal: Principal,
) -> Result<Option<Facts>> {
    Ok(of_principals(conn, now, &[principal])
        .await?
        .remove(&principal))
}

fn identified(now: DateTime<Utc>, row: HolderRow) -> Result<Identified> {
    let facts = facts(now, &row)?;
    let missing = || Error::internal("a key's row lacks its owner or digest");
    let digest = |bytes: &Option<Vec<u8>>| bytes.as_deref().and_then(Digest::from_stored);
    let cidrs = row.key_allowed_cidrs.unwrap_or_default();
    Ok(Identified {
        key_id: row.key_id.ok_or_else(missing)?,
        key_name: row.key_name.ok_or_else(missing)?,
        team_id: row.key_team_id,
        user_id: row.user_id.ok_or_else(missing)?,
        username: row.username.ok_or_else(missing)?,
        allowed_cidrs: cidrs
            .iter()
            .map(|cidr| cidr.parse())
            .collect::<std::result::Result<_, _>>()
            .map_err(|error| {
                Error::internal(format!("a stored address range cannot be read: {error}"))
            })?,
        digest: digest(&row.key_digest).ok_or_else(missing)?,
        previous: digest(&row.key_previous_digest).zip(row.key_previous_secret_expires_at),
        facts,
    })
}

pub(super) fn facts(now: DateTime<Utc>, row: &HolderRow) -> Result<Facts> {
    let user = match (
        row.user_id,
        &row.user_role,
        row.user_enabled,
        row.user_created_at,
    ) {
        (Some(id), Some(role), Some(enabled), Some(created_at)) => Some(UserFacts {
            id,
            role: role.parse().map_err(unreadable)?,
            enabled,
            expires_at: row.user_expires_at,
            created_at,
        }),
        _ => None,
    };
    let key = match (row.key_id, row.key_restricted, row.key_enabled) {
        (Some(id), Some(restricted), Some(enabled)) => Some(KeyFacts {
            id,
            restricted,
            enabled,
            expires_at: row.key_expires_at,
            team_enabled: row.key_team_enabled.unwrap_or(true),
        }),
        _ => None,
    };
    let given = Given {
        user,
        team: row.team_id,
        teams: teams(row)?,
        key,
        permissions: permissions(row)?,
    };
    Ok(Facts::new(now, given))
}

#[derive(Deserialize)]
struct TeamJson(
    Uuid,
    Option<Uuid>,
    Option<String>,
    bool,
    DateTime<Utc>,
    Option<DateTime<Utc>>,
);

fn teams(row: &HolderRow) -> Result<Vec<TeamFacts>> {
    let Some(json) = &row.teams else {
        return Ok(Vec::new());
    };
    let rows: Vec<TeamJson> = serde_json::from_str(json).map_err(unreadable)?;
    let mut teams: HashMap<Uuid, TeamFacts> = HashMap::with_capacity(rows.len());
    for TeamJson(id, parent, role, enabled, since, until) in rows {
        let role = role
            .map(|role| role.parse())
            .transpose()
            .map_err(unreadable)?;
        let team = TeamFacts {
            id,
            parent,
            role,
            enabled,
            since,
            until,
        };
        // A team may be reached twice: as the user's own and as an ancestor of another. Its own membership counts.
        match teams.entry(id) {
            std::collections::hash_map::Entry::Occupied(mut held) if team.role.is_some() => {
                held.insert(team);
            }
            std::collections::hash_map::Entry::Occupied(_) => {}
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(team);
            }
        }
    }
    Ok(teams.into_values().collect())
}

#[derive(Deserialize)]
struct PermissionJson(
    Uuid,
    Option<Uuid>,
    Option<Uuid>,
    Option<Uuid>,
    String,
    Uuid,
    String,
    Vec<String>,
    bool,
    Option<DateTime<Utc>>,
    Option<Uuid>,
    DateTime<Utc>,
);

fn permissions(row: &HolderRow) -> Result<Vec<Arc<PermissionFact>>> {
    let Some(json) = &row.permissions else {
        return Ok(Vec::new());
    };
    let rows: Vec<PermissionJson> = serde_json::from_str(json).map_err(unreadable)?;
    rows.into_iter()
        .map(|row| {
            let PermissionJson(
                id,
                user,
                team,
                key,
                path,
                role_id,
                name,
                privileges,
                propagate,
                expires_at,
                by,
                at,
            ) = row;
            let principal = match (user, team, key) {
                (Some(id), _, _) => Principal::User(id),
                (_, Some(id), _) => Principal::Team(id),
                (_, _, Some(id)) => Principal::ApiKey(id),
                (None, None, None) => {
                    return Err(Error::internal("a permission without principal"));
                }
            };
            let role = match BuiltIn::by_id(role_id) {
                Some(role) => role.facts(),
                None => {
                    let privileges = PrivilegeSet::from_patterns(privileges).map_err(unreadable)?;
                    Arc::new(RoleFacts {
                        id: role_id,
                        name,
                        privileges,
                    })
                }
            };
            let path = Path::parse(&path).map_err(unreadable)?;
            Ok(Arc::new(PermissionFact {
                id,
                principal,
                path,
                role,
                propagate,
                expires_at,
                created_by: by,
                created_at: at,
                derived: false,
            }))
        })
        .collect()
}

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::internal(format!("a stored fact cannot be read: {error}"))
}
