//! What the guard says when it says no.

use std::fmt;

/// Why a document was refused, by the names Apollo Server uses where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// The text is not GraphQL.
    ParseFailed,
    /// The text is GraphQL, but not a valid request to this schema.
    ValidationFailed,
    /// The variables do not fit their declarations; each fault names its path.
    BadUserInput,
    /// A limit of the server was passed; the refusal carries its name, its value and what was found.
    LimitExceeded,
    /// No operation of the given name, or several and no name given.
    OperationResolutionFailure,
}

impl RefusalCode {
    /// The code as it stands in `extensions.code`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ParseFailed => "GRAPHQL_PARSE_FAILED",
            Self::ValidationFailed => "GRAPHQL_VALIDATION_FAILED",
            Self::LimitExceeded => "LIMIT_EXCEEDED",
            Self::BadUserInput => "BAD_USER_INPUT",
            Self::OperationResolutionFailure => "OPERATION_RESOLUTION_FAILURE",
        }
    }
}

/// A place in the document. Both count from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Location {
    /// The line.
    pub line: u32,
    /// The character in that line.
    pub column: u32,
}

impl Location {
    /// The place of the byte `at` of `text`.
    pub(super) fn of(text: &str, at: usize) -> Self {
        let mut end = at.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &text.as_bytes()[..end];
        let mut line = 1;
        let mut start = 0;
        for (i, byte) in before.iter().enumerate() {
            if *byte == b'\n' || (*byte == b'\r' && before.get(i + 1) != Some(&b'\n')) {
                line += 1;
                start = i + 1;
            }
        }
        let column = text[start..end].chars().count() + 1;
        Self {
            line,
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// One or two sentences for the person who wrote the document.
    pub message: String,
    /// Where it is; empty if it has no place.
    pub locations: Vec<Location>,
    /// The path of a value: of a variable's `variables.input.username`, of one in the document `input.username`.
    pub path: Option<String>,
}

/// The limit that was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitHit {
    /// Its name in the configuration.
    pub name: &'static str,
    /// Its value.
    pub limit: u64,
    /// What was found. Where counting stopped at the limit, one more than it.
    pub found: u64,
}

/// A refused document or request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of refusal.
    pub code: RefusalCode,
    /// What is wrong: never empty, at most [`MAX_FAULTS`].
    pub errors: Vec<Fault>,
    /// Set with [`RefusalCode::LimitExceeded`].
    pub limit: Option<LimitHit>,
}

/// How many faults a refusal names before it stops looking.
pub const MAX_FAULTS: usize = 10;

impl Refusal {
    pub(super) fn one(code: RefusalCode, message: String, locations: Vec<Location>) -> Self {
        Self {
            code,
            errors: vec![Fault {
                message,
                locations,
                path: None,
            }],
            limit: None,
        }
    }

    pub(super) fn limit(name: &'static str, limit: u64, found: u64, message: String) -> Self {
        Self {
            code: RefusalCode::LimitExceeded,
            errors: vec![Fault {
                message,
                locations: Vec::new(),
                path: None,
            }],
            limit: Some(LimitHit { name, limit, found }),
        }
    }

    pub(super) fn at(mut self, location: Location) -> Self {
        for fault in &mut self.errors {
            fault.locations.push(location);
        }
        self
    }

    /// Bytes it holds on the heap, roughly.
    pub(super) fn weight(&self) -> usize {
        self.errors
            .iter()
            .map(|fault| fault.message.len() + 64)
            .sum()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code.as_str())?;
        for fault in &self.errors {
            write!(f, ": {}", fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusal {}
