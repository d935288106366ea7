//! What a change is about, and how it is told to other processes.

use std::collections::BTreeSet;
use std::fmt;

use uuid::Uuid;

use crate::permissions::model::Principal;

/// Something that the answer about a key may depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tag {
    /// A user: the row, its memberships and its permissions.
    User(Uuid),
    /// An API key: the row and its permissions.
    ApiKey(Uuid),
    /// A team: the row, its place in the tree and its permissions.
    Team(Uuid),
    /// A role that is not built in: its name and privileges.
    Role(Uuid),
    /// The policy for limits.
    LimitPolicy,
    /// The policy for new users and for keys.
    Policy,
    /// A session: the row.
    Session(Uuid),
}

/// What changes when the principal's permissions do.
impl From<Principal> for Tag {
    fn from(principal: Principal) -> Tag {
        match principal {
            Principal::User(id) => Tag::User(id),
            Principal::Team(id) => Tag::Team(id),
            Principal::ApiKey(id) => Tag::ApiKey(id),
        }
    }
}

impl Tag {
    fn letter(self) -> char {
        match self {
            Tag::User(_) => 'u',
            Tag::ApiKey(_) => 'k',
            Tag::Team(_) => 't',
            Tag::Role(_) => 'r',
            Tag::LimitPolicy => 'l',
            Tag::Policy => 'p',
            Tag::Session(_) => 's',
        }
    }

    fn id(self) -> Uuid {
        match self {
            Tag::User(id) | Tag::ApiKey(id) | Tag::Team(id) | Tag::Role(id) | Tag::Session(id) => {
                id
            }
            Tag::LimitPolicy | Tag::Policy => Uuid::nil(),
        }
    }

    fn read(word: &str) -> Option<Tag> {
        let id = Uuid::try_parse(word.get(1..)?).ok()?;
        match word.as_bytes()[0] {
            b'u' => Some(Tag::User(id)),
            b'k' => Some(Tag::ApiKey(id)),
            b't' => Some(Tag::Team(id)),
            b'r' => Some(Tag::Role(id)),
            b'l' => Some(Tag::LimitPolicy),
            b'p' => Some(Tag::Policy),
            b's' => Some(Tag::Session(id)),
            _ => None,
        }
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.letter(), self.id().simple())
    }
}

/// What one transaction changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Changes {
    /// Nothing that an answer depends on.
    #[default]
    Nothing,
    /// These.
    Tags(BTreeSet<Tag>),
    /// Perhaps everything: too much to be named.
    Everything,
}

/// Tags that are named at most; a notification of Postgres has less than 8,000 bytes.
const MAX_TAGS: usize = 200;

impl Changes {
    /// Adds what else is changed.
    pub fn add(&mut self, tags: impl IntoIterator<Item = Tag>) {
        let mut all = match std::mem::take(self) {
            Changes::Everything => return *self = Changes::Everything,
            Changes::Tags(held) => held,
            Changes::Nothing => BTreeSet::new(),
        };
        all.extend(tags);
        *self = match all.len() {
            0 => Changes::Nothing,
            1..=MAX_TAGS => Changes::Tags(all),
            _ => Changes::Everything,
        };
    }

    /// Adds all of another transaction's, which has become part of this one.
    pub fn merge(&mut self, other: Changes) {
        match other {
            Changes::Nothing => {}
            Changes::Tags(tags) => self.add(tags),
            Changes::Everything => *self = Changes::Everything,
        }
    }
}

/// A change as it is announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Announcement {
    /// The lease of the process that made it, on whose channel it hears acknowledgements; `None` where it hears none.
    pub origin: Option<Uuid>,
    /// Tells the changes of one process apart.
    pub number: u64,
    pub changes: Changes,
}

/// The form of announcements. What is of another form, from a newer version, means everything.
const FORM: &str = "1";

impl fmt::Display for Announcement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = self.origin.map(|id| id.simple().to_string());
        let origin = origin.as_deref().unwrap_or("-");
        write!(f, "{FORM} {origin} {}", self.number)?;
        match &self.changes {
            Changes::Nothing => Ok(()),
            Changes::Everything => write!(f, " *"),
            Changes::Tags(tags) => tags.iter().try_for_each(|tag| write!(f, " {tag}")),
        }
    }
}

impl Announcement {
    /// What a payload says. What cannot be read means that everything may have changed.
    pub(super) fn read(payload: &str) -> Announcement {
        let mut words = payload.split(' ');
        let form = words.next();
        let origin = words.next().and_then(|id| Uuid::try_parse(id).ok());
        let number = words.next().and_then(|number| number.parse().ok());
        let mut changes = Changes::Nothing;
        for word in words {
            match Tag::read(word) {
                Some(tag) => changes.add([tag]),
                None => changes = Changes::Everything,
            }
        }
        if form != Some(FORM) || number.is_none() {
            changes = Changes::Everything;
        }
        Announcement {
            origin,
            number: number.unwrap_or_default(),
            changes,
        }
    }
}

/// What one lease hears on a channel of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Its own renewal, with its number, has come round.
    Beat(i64),
    /// The holder of that lease has heard the change with that number.
    Ack(Uuid, u64),
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Word::Beat(number) => write!(f, "beat {number}"),
            Word::Ack(lease, number) => write!(f, "ack {} {number}", lease.simple()),
        }
    }
}

impl Word {
    pub(super) fn read(payload: &str) -> Option<Word> {
        let mut words = payload.split(' ');
        match (words.next()?, words.next()?, words.next()) {
            ("beat", number, None) => Some(Word::Beat(number.parse().ok()?)),
            ("ack", lease, Some(number)) => Some(Word::Ack(
                Uuid::try_parse(lease).ok()?,
                number.parse().ok()?,
            )),
            _ => None,
        }
    }
}

/// A lease as the database has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// One listening connection of one process.
    pub id: Uuid,
    /// The process; all its leases, one after the other, have the same.
    pub process: Uuid,
    /// How often it was renewed.
    pub renewals: i64,
    /// How long its holder may go on after it began a renewal that succeeded.
    pub length: std::time::Duration,
    /// The machine and the process, for people.
    pub holder: String,
}
