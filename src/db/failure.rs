//! What can go wrong between Keystead and Postgres, told apart by what the caller should do.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use crate::error::{Code, Error};

/// The result of a statement.
pub type Result<T> = std::result::Result<T, Failure>;

/// Why a statement or a check-out failed.
#[derive(Debug)]
pub enum Failure {
    /// A unique index refused the row; the name is the index's.
    Unique(String),
    /// A foreign key refused the row or the deletion; the name is the constraint's.
    ForeignKey(String),
    /// A check constraint refused the row; the name is the constraint's.
    Check(String),
    /// A deadlock or a serialisation conflict: the same transaction may succeed when tried again.
    Conflict(String),
    /// The statement ran longer than the statement time-out.
    Timeout(String),
    /// Postgres cannot be reached, is shutting down, is full or read-only, or the pool is exhausted.
    Unavailable(String),
    /// The connection broke while the transaction was being committed: whether it took effect is not known.
    Unsettled(String),
    /// The change is committed, but not every server is known to have heard of it.
    Unconfirmed(String),
    /// Anything else: a fault of ours.
    Other(String),
}

impl Failure {
    /// Turns the violation of the unique index `index` into the error that `say` makes; any other failure as it is.
    pub fn unique(self, index: &str, say: impl FnOnce() -> Error) -> Error {
        match self {
            Failure::Unique(name) if name == index => say(),
            other => other.into(),
        }
    }

    /// Turns the violation of the foreign key `constraint` into the error that `say` makes.
    pub fn foreign_key(self, constraint: &str, say: impl FnOnce() -> Error) -> Error {
        match self {
            Failure::ForeignKey(name) if name == constraint => say(),
            other => other.into(),
        }
    }
}

impl Failure {
    /// The same failure where it happened in a commit: what Postgres itself refused did not take effect, anything else may have.
    pub(super) fn in_commit(self) -> Self {
        match self {
            Failure::Unavailable(cause) | Failure::Timeout(cause) | Failure::Other(cause) => {
                Failure::Unsettled(cause)
            }
            refused => refused,
        }
    }
}

impl From<DieselError> for Failure {
    fn from(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = error else {
            return match error {
                DieselError::BrokenTransactionManager => {
                    Failure::Unavailable("the connection broke in a transaction".into())
                }
                other => Failure::Other(other.to_string()),
            };
        };
        let constraint = || info.constraint_name().unwrap_or_default().to_owned();
        let message = info.message().to_owned();
        match kind {
            DatabaseErrorKind::UniqueViolation => Failure::Unique(constraint()),
            DatabaseErrorKind::ForeignKeyViolation => Failure::ForeignKey(constraint()),
            DatabaseErrorKind::CheckViolation => Failure::Check(constraint()),
            DatabaseErrorKind::SerializationFailure => Failure::Conflict(message),
            DatabaseErrorKind::ReadOnlyTransaction => Failure::Unavailable(message),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Failure::Unavailable(message)
            }
            _ => by_message(message),
        }
    }
}

/// Diesel keeps no SQLSTATE for the rest, so these few are known by Postgres' English text (`lc_messages` is set to C).
fn by_message(message: String) -> Failure {
    const UNAVAILABLE: [&str; 10] = [
        "connection closed",
        "terminating connection",
        "the database system is",
        "read-only",
        "too many clients",
        "remaining connection slots",
        "error communicating with the server",
        "could not connect",
        "could not extend file",
        "No space left on device",
    ];
    if message.contains("statement timeout") || message.contains("lock timeout") {
        Failure::Timeout(message)
    } else if message.contains("deadlock detected") {
        Failure::Conflict(message)
    } else if UNAVAILABLE.iter().any(|part| message.contains(part)) {
        Failure::Unavailable(message)
    } else {
        Failure::Other(explained(message))
    }
}

/// What Postgres said, with the reason where only a pooler that gives each transaction another connection makes it say that.
pub(super) fn explained(message: String) -> String {
    if message.starts_with("prepared statement \"") {
        format!(
            "{message}: a pooler in between gives each transaction another connection. Let it pool sessions."
        )
    } else {
        message
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Conflict(cause) => Error::new(
                Code::Conflict,
                "Another change came in between. Try the request again.",
            )
            .because(cause),
            Failure::Timeout(cause) => Error::new(
                Code::ServiceUnavailable,
                "The database took too long to answer. Nothing was changed; try again.",
            )
            .because(cause),
            Failure::Unsettled(cause) => Error::new(
                Code::ServiceUnavailable,
                "The connection to the database broke while the change was being stored: it may or may not have taken effect. Look before you try again, or use an Idempotency-Key, with which a repetition is safe.",
            )
            .because(cause),
            Failure::Unconfirmed(cause) => Error::new(
                Code::ServiceUnavailable,
                "The change is stored, but the database could not be asked whether every server knows of it. One that is cut off from the database may answer as before for some seconds more, until its lease runs out.",
            )
            .because(cause),
            Failure::Unavailable(cause) => Error::new(
                Code::ServiceUnavailable,
                "The database cannot be reached right now. Nothing was changed; try again.",
            )
            .because(cause),
            Failure::Unique(name) | Failure::ForeignKey(name) | Failure::Check(name) => {
                Error::internal(format!("unexpected violation of {name}"))
            }
            Failure::Other(cause) => Error::internal(cause),
        }
    }
}
