//! Dialects: what clients of other systems say, over the same operations. Wire form in, an operation of a domain, wire form out.
//!
//! A dialect keeps nothing of its own and decides nothing: who may do what is the operations' answer, and what is made through a dialect
//! is what Keystead's own API shows at once. `http` reads requests and finds out who is calling; a dialect answers with a status and
//! bytes.

pub mod numbers;
pub mod wandb;

use axum::http::StatusCode;

use crate::error::{Code, Error};

/// What a dialect answers.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The body, JSON.
    pub body: Vec<u8>,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u64>,
    /// The first error's code.
    pub code: Option<&'static str>,
    /// What was asked for, as metrics and the log call it.
    pub operation: String,
    /// Points of cost.
    pub cost: u64,
}

/// The status of an error with that code.
pub fn status(code: &str) -> StatusCode {
    let known = Code::ALL.iter().find(|known| known.as_str() == code);
    known
        .and_then(|code| StatusCode::from_u16(code.http_status()).ok())
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// An error in the words of a dialect: where the operation names one of its inputs, the client hears the name that it has used. Each pair
/// is an operation's name and the dialect's.
pub fn in_words(mut error: Error, names: &[(&str, &str)]) -> Error {
    for (ours, theirs) in names {
        if error.field.as_deref() == Some(ours) {
            error.field = Some((*theirs).to_owned());
        }
        if error.message.contains(ours) {
            error.message = error.message.replace(ours, theirs);
        }
    }
    error
}

/// What a dialect calls roles, the strongest first: its name and the role's own.
pub struct RoleNames(pub &'static [(&'static str, &'static str)]);

impl RoleNames {
    /// The dialect's names.
    pub fn all(&self) -> Vec<&'static str> {
        self.0.iter().map(|(theirs, _)| *theirs).collect()
    }

    /// The role of that name.
    pub fn ours(&self, theirs: &str) -> Option<&'static str> {
        let found = self.0.iter().find(|(name, _)| *name == theirs);
        found.map(|(_, ours)| *ours)
    }

    /// The strongest of several roles, by the dialect's name; where it has none for any, the first by its own.
    pub fn strongest(&self, held: Vec<String>) -> String {
        let known = self
            .0
            .iter()
            .find(|(_, ours)| held.iter().any(|name| name.as_str() == *ours));
        match known {
            Some((theirs, _)) => (*theirs).to_owned(),
            None => held.into_iter().next().unwrap_or_default(),
        }
    }
}
