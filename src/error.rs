//! One error for the whole house: a public code, a public text, the input's field, and a private cause.
//!
//! The text says what was wrong, with what value, and what would be right. The cause is for the log alone. The two
//! mappings to the wire are in `graphql::error` and `http::error`.

use std::fmt;

/// The result of an operation.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $status:literal;)+) => {
        /// What kind of error it is. The names are part of the API; `docs/errors.md` explains each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[doc = $doc])+ $variant,)+ }

        impl Code {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Code] = &[$(Code::$variant),+];

            /// The name on the wire, in `extensions.code`.
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $name),+ }
            }

            /// The HTTP status where the transport carries one for the whole request.
            pub fn http_status(self) -> u16 {
                match self { $(Code::$variant => $status),+ }
            }
        }
    };
}

codes! {
    /// No credential, or one that is unknown, expired or disabled.
    Unauthenticated = "UNAUTHENTICATED", 401;
    /// The password is right, and the user has a second factor: send a code of it too.
    SecondFactorRequired = "SECOND_FACTOR_REQUIRED", 401;
    /// The user must have a second factor and has none: this session may only set one up.
    SecondFactorEnrolmentRequired = "SECOND_FACTOR_ENROLMENT_REQUIRED", 403;
    /// The actor may see the object but not do this to it, or would hand out a right that it lacks.
    Forbidden = "FORBIDDEN", 403;
    /// There is no such object, or the actor may not see it.
    NotFound = "NOT_FOUND", 404;
    /// Something with this name, e-mail address or slug exists already.
    AlreadyExists = "ALREADY_EXISTS", 409;
    /// An argument is malformed or out of range; `field` names it.
    BadUserInput = "BAD_USER_INPUT", 400;
    /// The request exceeds a limit of size, depth, cost or time.
    LimitExceeded = "LIMIT_EXCEEDED", 400;
    /// Too many requests; `retryAfter` says when to come again, in seconds.
    RateLimited = "RATE_LIMITED", 429;
    /// The change contradicts the present state, or another change came in between.
    Conflict = "CONFLICT", 409;
    /// The Idempotency-Key was used before with another request.
    IdempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED", 422;
    /// The document cannot be parsed.
    ParseFailed = "GRAPHQL_PARSE_FAILED", 400;
    /// The document is not valid against the schema.
    ValidationFailed = "GRAPHQL_VALIDATION_FAILED", 400;
    /// No operation, several without a name, or none of that name.
    OperationResolutionFailure = "OPERATION_RESOLUTION_FAILURE", 400;
    /// The request is not a GraphQL request.
    BadRequest = "BAD_REQUEST", 400;
    /// The hash of an automatic persisted query is not known yet: send the query with it.
    PersistedQueryNotFound = "PERSISTED_QUERY_NOT_FOUND", 200;
    /// Automatic persisted queries are switched off here.
    PersistedQueryNotSupported = "PERSISTED_QUERY_NOT_SUPPORTED", 200;
    /// Only listed operations run here, and this is none of them.
    UntrustedDocument = "UNTRUSTED_DOCUMENT", 403;
    /// Introspection is switched off here.
    IntrospectionDisabled = "INTROSPECTION_DISABLED", 400;
    /// The request took longer than allowed; nothing was changed.
    Timeout = "TIMEOUT", 503;
    /// The database cannot be reached or took too long; nothing was changed.
    ServiceUnavailable = "SERVICE_UNAVAILABLE", 503;
    /// A fault of Keystead's own. The log has the cause under the request id.
    Internal = "INTERNAL_SERVER_ERROR", 500;
}

/// An error with all that its readers need.
#[derive(Debug, Clone)]
pub struct Error {
    /// What kind of error.
    pub code: Code,
    /// For the caller: what was wrong, with what value, what would be right.
    pub message: String,
    /// The input's path, e.g. `input.username`.
    pub field: Option<String>,
    /// Seconds after which another try makes sense.
    pub retry_after: Option<u64>,
    /// For the log alone.
    pub cause: Option<String>,
}

impl Error {
    /// An error of that kind with a text for the caller.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let retry_after = matches!(code, Code::ServiceUnavailable | Code::Timeout).then_some(1);
        Error {
            code,
            message: message.into(),
            field: None,
            retry_after,
            cause: None,
        }
    }

    /// Bad input in `field` (the input's path).
    pub fn bad_input(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::new(Code::BadUserInput, message).at(field)
    }

    /// What is asked for is not there, or may not be seen.
    pub fn not_found(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::new(Code::NotFound, message).at(field)
    }

    /// A name, address or slug is taken.
    pub fn already_exists(field: impl Into<String>, message: impl Into<String>) -> Self {
        Error::new(Code::AlreadyExists, message).at(field)
    }

    /// Visible, but not allowed.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Error::new(Code::Forbidden, message)
    }

    /// The present state does not allow it.
    pub fn conflict(message: impl Into<String>) -> Self {
        Error::new(Code::Conflict, message)
    }

    /// Too much in a short time; after so many seconds it may be tried again.
    pub fn rate_limited(seconds: u64, message: impl Into<String>) -> Self {
        let mut error = Error::new(Code::RateLimited, message);
        error.retry_after = Some(seconds);
        error
    }

    /// A fault of ours; `cause` goes to the log, never to the caller.
    pub fn internal(cause: impl Into<String>) -> Self {
        Error::new(
            Code::Internal,
            "Something went wrong inside Keystead. The log has the cause under this request id.",
        )
        .because(cause)
    }

    /// Names the field of the input.
    pub fn at(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Adds the private cause.
    pub fn because(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Whether the same request may succeed when it is sent again.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self.code,
            Code::Conflict
                | Code::ServiceUnavailable
                | Code::Timeout
                | Code::RateLimited
                | Code::Internal
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// An error with all that is behind it, as in "error connecting to server: Connection refused (os error 111)".
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut behind = error.source();
    while let Some(error) = behind {
        text.push_str(": ");
        text.push_str(&error.to_string());
        behind = error.source();
    }
    text
}
