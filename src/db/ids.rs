//! Typed ids: the kind's prefix, `_`, and the UUID as 26 characters of Crockford base32 (the TypeID form, TypeID
//! specification 0.3). They are the Relay global ids of the API.

use std::fmt;

use uuid::Uuid;

use crate::error::{Error, Result};
use crate::secrets::masked;

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A person or a service account.
    User,
    /// An API key.
    ApiKey,
    /// A team.
    Team,
    /// A role.
    Role,
    /// A permission.
    Permission,
    /// An audit event.
    AuditEvent,
    /// What was reserved of limits.
    Reservation,
    /// Who wants to be told of events.
    Webhook,
    /// One event for one webhook.
    WebhookDelivery,
    /// The policy for limits, of which there is one.
    LimitPolicy,
    /// The policy for new users and for keys, of which there is one.
    Policy,
    /// A link by which somebody comes in.
    Invitation,
    /// A session.
    Session,
    /// What somebody asks for.
    AccessRequest,
    /// What a user shows beside a password.
    SecondFactor,
    /// A link by which somebody signs in.
    MagicLink,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 16] = [
        Kind::User,
        Kind::ApiKey,
        Kind::Team,
        Kind::Role,
        Kind::Permission,
        Kind::AuditEvent,
        Kind::Reservation,
        Kind::Webhook,
        Kind::WebhookDelivery,
        Kind::LimitPolicy,
        Kind::Policy,
        Kind::Invitation,
        Kind::Session,
        Kind::AccessRequest,
        Kind::SecondFactor,
        Kind::MagicLink,
    ];

    /// The prefix, without the underscore.
    pub const fn prefix(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::ApiKey => "key",
            Kind::Team => "team",
            Kind::Role => "role",
            Kind::Permission => "perm",
            Kind::AuditEvent => "audit",
            Kind::Reservation => "rsv",
            Kind::Webhook => "webhook",
            Kind::WebhookDelivery => "delivery",
            Kind::LimitPolicy => "limit_policy",
            Kind::Policy => "policy",
            Kind::Invitation => "inv",
            Kind::Session => "sess",
            Kind::AccessRequest => "req",
            Kind::SecondFactor => "factor",
            Kind::MagicLink => "mlink",
        }
    }

    /// What it is called in a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::ApiKey => "API key",
            Kind::Team => "team",
            Kind::Role => "role",
            Kind::Permission => "permission",
            Kind::AuditEvent => "audit event",
            Kind::Reservation => "reservation",
            Kind::Webhook => "webhook",
            Kind::WebhookDelivery => "webhook delivery",
            Kind::LimitPolicy => "policy for limits",
            Kind::Policy => "policy",
            Kind::Invitation => "invitation",
            Kind::Session => "session",
            Kind::AccessRequest => "access request",
            Kind::SecondFactor => "second factor",
            Kind::MagicLink => "magic link",
        }
    }
}

/// An id with its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id {
    /// What it names.
    pub kind: Kind,
    /// The primary key.
    pub uuid: Uuid,
}

impl Id {
    /// The id of that kind.
    pub fn new(kind: Kind, uuid: Uuid) -> Self {
        Id { kind, uuid }
    }

    /// Reads an id of any kind. `field` is the input's path, for the error.
    pub fn parse(field: &str, text: &str) -> Result<Id> {
        read(text).ok_or_else(|| {
            Error::bad_input(
                field,
                format!(
                    "{} is not an id. An id looks like user_01h455vb4pex5vsknk084sn02q.",
                    quoted(text)
                ),
            )
        })
    }

    /// Reads an id that must be of `kind`.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming `field`, the value, and the form that would be right.
    pub fn parse_as(kind: Kind, field: &str, text: &str) -> Result<Uuid> {
        let wanted = || {
            format!(
                "The id of {} begins with {}_.",
                with_article(kind.noun()),
                kind.prefix()
            )
        };
        match read(text) {
            Some(id) if id.kind == kind => Ok(id.uuid),
            Some(id) => Err(Error::bad_input(
                field,
                format!(
                    "{} is the id of {}. {}",
                    quoted(text),
                    with_article(id.kind.noun()),
                    wanted()
                ),
            )),
            None => Err(Error::bad_input(
                field,
                format!("{} is not an id. {}", quoted(text), wanted()),
            )),
        }
    }
}

/// Bytes of the longest id.
const LONGEST: usize = {
    let (mut longest, mut place) = (0, 0);
    while place < Kind::ALL.len() {
        let length = Kind::ALL[place].prefix().len() + 1 + 26;
        if length > longest {
            longest = length;
        }
        place += 1;
    }
    longest
};

impl Id {
    /// Appends the text, without the detour over a formatter.
    pub fn push_to(self, text: &mut String) {
        let (bytes, length) = self.written();
        text.push_str(ascii(&bytes[..length]));
    }

    /// The text in one piece, so that whoever collects it makes room once.
    fn written(self) -> ([u8; LONGEST], usize) {
        let prefix = self.kind.prefix().as_bytes();
        let mut text = [0; LONGEST];
        text[..prefix.len()].copy_from_slice(prefix);
        text[prefix.len()] = b'_';
        let length = prefix.len() + 1 + 26;
        text[prefix.len() + 1..length].copy_from_slice(&encode(self.uuid));
        (text, length)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bytes, length) = self.written();
        f.write_str(ascii(&bytes[..length]))
    }
}

fn ascii(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("prefixes and digits are ASCII")
}

/// A noun with its article: an API key, a user.
pub fn with_article(noun: &str) -> String {
    // "a user" is said with a consonant.
    let vowel = noun.starts_with(['a', 'e', 'i', 'o', 'A']);
    format!("{} {noun}", if vowel { "an" } else { "a" })
}

/// The value as it is shown in an error: quoted, cut after 64 characters, without control characters.
pub fn quoted(value: &str) -> String {
    // Somebody may have put a key into the wrong field, and answers are shown and logged.
    let value = masked(value);
    let mut shown: String = value
        .chars()
        .take(64)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if value.chars().nth(64).is_some() {
        shown.push('…');
    }
    format!("'{shown}'")
}

/// Crockford's base32, in small letters: without those that are taken for others.
pub const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn encode(uuid: Uuid) -> [u8; 26] {
    let mut rest = uuid.as_u128();
    let mut text = [0u8; 26];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[(rest & 31) as usize];
        rest >>= 5;
    }
    text
}

fn decode(text: &[u8]) -> Option<Uuid> {
    // 26 characters carry 130 bits; the first may only hold 3.
    if text.len() != 26 || text[0] > b'7' {
        return None;
    }
    let mut value: u128 = 0;
    for byte in text {
        let digit = ALPHABET.iter().position(|a| a == byte)?;
        value = (value << 5) | digit as u128;
    }
    Some(Uuid::from_u128(value))
}

fn read(text: &str) -> Option<Id> {
    let (prefix, suffix) = text.rsplit_once('_')?;
    let kind = Kind::ALL.into_iter().find(|kind| kind.prefix() == prefix)?;
    Some(Id {
        kind,
        uuid: decode(suffix.as_bytes())?,
    })
}
