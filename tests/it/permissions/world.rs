//! A small world in plain words, of which the facts are made.

use std::sync::Arc;

use chrono::{DateTime, Duration, TimeZone, Utc};
use keystead::permissions::facts::{Facts, Given, KeyFacts, PermissionFact, TeamFacts, UserFacts};
use keystead::permissions::model::{InstanceRole, Principal, TeamRole};
use keystead::permissions::path::Path;
use keystead::permissions::privilege::PrivilegeSet;
use keystead::permissions::role::{BuiltIn, RoleFacts};
use uuid::Uuid;

/// Who holds a row, or is asked about. There is one user and one key, both with the number 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    User,
    Team(u8),
    Key,
    /// Somebody the facts do not know.
    Stranger,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub who: Who,
    pub path: &'static str,
    pub role: &'static str,
    pub propagate: bool,
    /// Minutes from now.
    pub expires: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    pub id: u8,
    pub parent: Option<u8>,
    pub role: Option<TeamRole>,
    pub enabled: bool,
    /// Minutes from now at which the user leaves it.
    pub until: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub role: InstanceRole,
    pub enabled: bool,
    pub expires: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Key {
    pub restricted: bool,
    pub enabled: bool,
    pub team_enabled: bool,
    pub expires: Option<i64>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct World {
    pub user: Option<Account>,
    pub asked_team: Option<u8>,
    pub teams: Vec<Team>,
    pub key: Option<Key>,
    pub rows: Vec<Row>,
}

/// Roles made by users, beside those built in.
pub const CUSTOM: [(&str, &[&str]); 2] = [
    ("BUILDER", &["a.use", "x.y"]),
    ("CLERK", &["user.read", "x.y", "team.write"]),
];

pub fn now() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

pub fn minutes(minutes: i64) -> DateTime<Utc> {
    now() + Duration::minutes(minutes)
}

pub fn id(number: u8) -> Uuid {
    Uuid::from_u128(number.into())
}

impl Who {
    pub fn principal(self) -> Principal {
        match self {
            Who::User => Principal::User(id(1)),
            Who::Team(team) => Principal::Team(id(team)),
            Who::Key => Principal::ApiKey(id(1)),
            Who::Stranger => Principal::User(id(99)),
        }
    }
}

impl Default for World {
    /// A member without teams, keys or permissions.
    fn default() -> Self {
        let user = Account {
            role: InstanceRole::Member,
            enabled: true,
            expires: None,
        };
        World {
            user: Some(user),
            asked_team: None,
            teams: Vec::new(),
            key: None,
            rows: Vec::new(),
        }
    }
}

impl World {
    pub fn role(mut self, role: InstanceRole) -> Self {
        self.user.as_mut().unwrap().role = role;
        self
    }

    pub fn team(mut self, id: u8, parent: Option<u8>, role: Option<TeamRole>) -> Self {
        self.teams.push(Team {
            id,
            parent,
            role,
            enabled: true,
            until: None,
        });
        self
    }

    pub fn restricted_key(mut self) -> Self {
        self.key = Some(Key {
            restricted: true,
            enabled: true,
            team_enabled: true,
            expires: None,
        });
        self
    }

    pub fn free_key(mut self) -> Self {
        self.key = Some(Key {
            restricted: false,
            enabled: true,
            team_enabled: true,
            expires: None,
        });
        self
    }

    pub fn grant(self, who: Who, path: &'static str, role: &'static str) -> Self {
        self.row(who, path, role, true, None)
    }

    pub fn here(self, who: Who, path: &'static str, role: &'static str) -> Self {
        self.row(who, path, role, false, None)
    }

    pub fn row(
        mut self,
        who: Who,
        path: &'static str,
        role: &'static str,
        propagate: bool,
        expires: Option<i64>,
    ) -> Self {
        self.rows.push(Row {
            who,
            path,
            role,
            propagate,
            expires,
        });
        self
    }

    pub fn facts(&self) -> Facts {
        let user = self.user.as_ref().map(|user| UserFacts {
            id: id(1),
            role: user.role,
            enabled: user.enabled,
            expires_at: user.expires.map(minutes),
            created_at: now() - Duration::days(1),
        });
        let teams = self.teams.iter().map(|team| TeamFacts {
            id: id(team.id),
            parent: team.parent.map(id),
            role: team.role,
            enabled: team.enabled,
            since: now() - Duration::days(1),
            until: team.until.map(minutes),
        });
        let key = self.key.as_ref().map(|key| KeyFacts {
            id: id(1),
            restricted: key.restricted,
            enabled: key.enabled,
            expires_at: key.expires.map(minutes),
            team_enabled: key.team_enabled,
        });
        let given = Given {
            user,
            team: self.asked_team.map(id),
            teams: teams.collect(),
            key,
            permissions: self.rows.iter().map(fact).collect(),
        };
        Facts::new(now(), given)
    }
}

/// The id of a row depends on what it is, as it would if rows were kept between two states of the world.
fn fact(row: &Row) -> Arc<PermissionFact> {
    let text = format!("{row:?}");
    let number = text.bytes().fold(7_u128, |sum, byte| {
        sum.wrapping_mul(1_000_003).wrapping_add(byte.into())
    });
    Arc::new(PermissionFact {
        id: Uuid::from_u128(number),
        principal: row.who.principal(),
        path: Path::parse(row.path).unwrap(),
        role: role(row.role),
        propagate: row.propagate,
        expires_at: row.expires.map(minutes),
        created_by: None,
        created_at: now() - Duration::days(1),
        derived: false,
    })
}

pub fn role(name: &str) -> Arc<RoleFacts> {
    if let Some(built_in) = BuiltIn::by_name(name) {
        return built_in.facts();
    }
    let (index, custom) = CUSTOM
        .iter()
        .enumerate()
        .find(|(_, (each, _))| *each == name)
        .unwrap();
    let privileges = PrivilegeSet::from_patterns(custom.1).unwrap();
    Arc::new(RoleFacts {
        id: Uuid::from_u128(0xC0 + index as u128),
        name: name.to_owned(),
        privileges,
    })
}
