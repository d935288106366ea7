//! Ids as the client reads them: base64 of the kind and a number, `User:123`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use uuid::Uuid;

use crate::db::ids::quoted;
use crate::dialects::numbers;
use crate::error::{Error, Result};

/// What an id names. The client looks into those of users, entities and projects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A user.
    User,
    /// A team, or the personal entity of a user.
    Entity,
    /// An API key.
    ApiKey,
    /// An invitation that waits.
    Invite,
    /// A root team.
    Organization,
}

impl Kind {
    const ALL: [Kind; 5] = [
        Kind::User,
        Kind::Entity,
        Kind::ApiKey,
        Kind::Invite,
        Kind::Organization,
    ];

    fn name(self) -> &'static str {
        match self {
            Kind::User => "User",
            Kind::Entity => "Entity",
            Kind::ApiKey => "ApiKey",
            Kind::Invite => "Invite",
            Kind::Organization => "Organization",
        }
    }
}

/// The id of that kind.
pub fn write(kind: Kind, id: Uuid) -> String {
    encode(&format!("{}:{}", kind.name(), numbers::of(id)))
}

/// Any text in the form of an id.
pub fn encode(text: &str) -> String {
    STANDARD.encode(text)
}

/// The text in an id; `None` where there is none.
pub fn decode(id: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(id).ok()?).ok()
}

/// What an id names.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field, for what is no id.
pub fn read(field: &str, text: &str) -> Result<(Kind, Uuid)> {
    let read = || {
        let plain = decode(text)?;
        let (name, number) = plain.split_once(':')?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name)?;
        Some((kind, numbers::read(number)?))
    };
    read().ok_or_else(|| {
        Error::bad_input(
            field,
            format!(
                "{} is not an id of this server. Take the id of something that it has answered with.",
                quoted(text)
            ),
        )
    })
}

/// The id of that kind.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field, for what is no id, or one of another kind.
pub fn read_as(kind: Kind, field: &str, text: &str) -> Result<Uuid> {
    let (found, id) = read(field, text)?;
    if found == kind {
        return Ok(id);
    }
    let message = format!(
        "{} is the id of {}, where that of {} belongs.",
        quoted(text),
        found.name(),
        kind.name()
    );
    Err(Error::bad_input(field, message))
}
