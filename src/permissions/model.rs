//! The values that the permission check speaks of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Who can hold rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Principal {
    /// A person or a service account.
    User(Uuid),
    /// A team; its members hold its rights through it.
    Team(Uuid),
    /// An API key that is restricted to permissions of its own.
    ApiKey(Uuid),
}

impl Principal {
    /// The id, without its kind.
    pub fn id(&self) -> Uuid {
        match self {
            Self::User(id) | Self::Team(id) | Self::ApiKey(id) => *id,
        }
    }
}

/// What a user is to the whole instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum InstanceRole {
    /// Holds everything everywhere, before any walk.
    Admin,
    /// Reads everything: holds the role `AUDITOR` at `/`.
    Auditor,
    /// Reads itself and makes its own keys; everything else by permissions.
    Member,
    /// Reads itself; everything else by permissions.
    Viewer,
}

impl InstanceRole {
    /// The name as it is stored and spoken.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Auditor => "AUDITOR",
            Self::Member => "MEMBER",
            Self::Viewer => "VIEWER",
        }
    }
}

/// What a user is to a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TeamRole {
    /// Changes the team, its members and its keys.
    Admin,
    /// Belongs to the team.
    Member,
}

impl TeamRole {
    /// The name as it is stored and spoken.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "ADMIN",
            Self::Member => "MEMBER",
        }
    }
}

/// A text that is none of the names expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownName {
    value: String,
    right: &'static str,
}

impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is none of {}", self.value, self.right)
    }
}

impl std::error::Error for UnknownName {}

impl FromStr for InstanceRole {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ADMIN" => Ok(Self::Admin),
            "AUDITOR" => Ok(Self::Auditor),
            "MEMBER" => Ok(Self::Member),
            "VIEWER" => Ok(Self::Viewer),
            _ => Err(UnknownName {
                value: text.to_owned(),
                right: "ADMIN, AUDITOR, MEMBER, VIEWER",
            }),
        }
    }
}

impl FromStr for TeamRole {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "ADMIN" => Ok(Self::Admin),
            "MEMBER" => Ok(Self::Member),
            _ => Err(UnknownName {
                value: text.to_owned(),
                right: "ADMIN, MEMBER",
            }),
        }
    }
}

impl fmt::Display for InstanceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for TeamRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
