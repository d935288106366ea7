//! The operations on sessions.

mod attempts;
mod begin;
mod by_passkey;
mod end;
mod proving;
mod read;
mod sign_in;
mod used;

pub use attempts::{Attempt, forget_attempts};
pub use begin::{Fresh, MAX_SESSIONS, begin, cookies};
pub use by_passkey::sign_in_with_passkey;
pub use end::{end_all, revoke, revoke_others, sign_out};
pub use proving::{MAX_LOGIN, Proving};
pub use read::{by_ids, cursor, list, may_read, own};
pub use sign_in::sign_in;
pub use used::{note_used, purge};

use uuid::Uuid;

use super::model::Session;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::Error;
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// See somebody's sessions.
pub const READ: &str = "session.read";
/// End somebody's sessions.
pub const WRITE: &str = "session.write";

/// The path of a session: its user's.
pub fn path(session: &Session) -> Path {
    access::object(Kind::User, session.user_id)
}

/// The error of a session that is not there or may not be seen.
pub fn absent(field: &str, id: Uuid) -> Error {
    let id = Id::new(Kind::Session, id).to_string();
    Error::not_found(
        field,
        format!(
            "There is no session {}, or you may not see it.",
            quoted(&id)
        ),
    )
}
