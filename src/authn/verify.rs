//! May the holder of this key do that? One way to the answer, for `POST /v1/verify`, forward authorisation and `apiKey(by: {secret})`:
//! the key by its secret, then whether it can be used, then [`check`], which `checkPermission` asks too.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Authenticator;
use super::usable::{SecretUsed, Unusable, secret_used, usable};
use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::permissions::check::{Decision, check};
use crate::permissions::explain::explain;
use crate::permissions::model::Principal;
use crate::permissions::ops::facts::Identified;
use crate::permissions::ops::{access, ask};
use crate::permissions::path::Path;
use crate::permissions::privilege::Privilege;
use crate::secrets::{Digest, KeyText};

/// Ask about other people's keys. Services hold it at `/`.
pub const VERIFY: &str = "apiKey.verify";

/// What a key could be, but is not.
const NOT_A_KEY: &str = "is not an API key: a key is ks_ and 37 letters and digits. Was it cut?";

/// What is asked about a key.
#[derive(Debug, Clone)]
pub struct Question {
    /// What is stored of the secret; `None`: its checksum is wrong, so that there is no such key.
    secret: Option<Digest>,
    /// What its holder wants to do; `None`: only whether the key is good.
    asked: Option<(Privilege, Path)>,
    /// Where its holder calls from.
    ip: Option<IpAddr>,
}

impl Question {
    /// About the key with that secret. `within` stands before the field's name in errors.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a text that does not look like a key at all; the error does not repeat it.
    pub fn about(within: &str, key: &str) -> Result<Question> {
        let secret = match KeyText::read(key) {
            KeyText::Key(digest) => Some(digest),
            KeyText::Wrong => None,
            KeyText::Other => {
                let field = format!("{within}key");
                let message = format!("{field} {NOT_A_KEY}");
                return Err(Error::bad_input(field, message));
            }
        };
        Ok(Question {
            secret,
            asked: None,
            ip: None,
        })
    }

    /// Whether its holder may do that there.
    #[must_use]
    pub fn asking(mut self, asked: Option<(Privilege, Path)>) -> Question {
        self.asked = asked;
        self
    }

    /// Where its holder wants to do something, `/` if nothing is asked.
    pub fn resource(&self) -> &str {
        self.asked.as_ref().map_or("/", |(_, path)| path.as_str())
    }

    /// Calling from there.
    #[must_use]
    pub fn from(mut self, ip: Option<IpAddr>) -> Question {
        self.ip = ip;
        self
    }
}

/// The kinds of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The key is good, and its holder may do what was asked.
    Valid,
    /// There is no such key, or the secret was replaced.
    NotFound,
    /// The key, its owner or its team is disabled.
    Disabled,
    /// The key or its owner has expired.
    Expired,
    /// It may not be used from that address.
    IpNotAllowed,
    /// The key is good, but its holder may not do what was asked.
    Forbidden,
    /// A budget would be exceeded.
    LimitExceeded,
    /// There are too many requests, or tokens, in this minute, or too many requests at once.
    RateLimited,
}

impl Outcome {
    /// Every one, in the order of the documentation.
    pub const ALL: [Outcome; 8] = [
        Outcome::Valid,
        Outcome::NotFound,
        Outcome::Disabled,
        Outcome::Expired,
        Outcome::IpNotAllowed,
        Outcome::Forbidden,
        Outcome::LimitExceeded,
        Outcome::RateLimited,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Valid => "VALID",
            Outcome::NotFound => "NOT_FOUND",
            Outcome::Disabled => "DISABLED",
            Outcome::Expired => "EXPIRED",
            Outcome::IpNotAllowed => "IP_NOT_ALLOWED",
            Outcome::Forbidden => "FORBIDDEN",
            Outcome::LimitExceeded => "LIMIT_EXCEEDED",
            Outcome::RateLimited => "RATE_LIMITED",
        }
    }

    fn of(why: Unusable) -> Self {
        match why {
            Unusable::Rotated | Unusable::Unknown => Outcome::NotFound,
            Unusable::Disabled | Unusable::OwnerDisabled | Unusable::TeamDisabled => {
                Outcome::Disabled
            }
            Unusable::Expired | Unusable::OwnerExpired => Outcome::Expired,
            Unusable::Elsewhere => Outcome::IpNotAllowed,
        }
    }
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Its kind.
    pub outcome: Outcome,
    /// Why, in a sentence; `None` where the key is valid.
    pub message: Option<Cow<'static, str>>,
    /// The key; `None` where there is none.
    pub key: Option<Arc<Identified>>,
    /// Which of its secrets was shown; `None` unless the key can be used.
    pub secret: Option<SecretUsed>,
    /// What was decided; `None` where nothing was asked, or the key cannot be used.
    pub decision: Option<Decision>,
}

impl Verdict {
    fn refused(why: Unusable, key: Option<Arc<Identified>>) -> Self {
        Verdict {
            outcome: Outcome::of(why),
            message: Some(why.message().into()),
            key,
            secret: None,
            decision: None,
        }
    }
}

/// Answers a service's questions about keys, in their order; their look-ups share one statement.
///
/// # Errors
/// `UNAUTHENTICATED`, `FORBIDDEN` without `apiKey.verify` at `/`, `SERVICE_UNAVAILABLE`.
pub async fn verify(
    ctx: &Ctx,
    authenticator: &Authenticator,
    questions: &[Question],
) -> Result<Vec<Verdict>> {
    access::require(ctx, VERIFY, &Path::root())?;
    authenticator.answer(questions).await
}

/// The key that has this secret, the present one or one in its overlap, whether it can be used or not; `None` if there is none.
/// Whether the actor may know of it is for the caller to ask.
///
/// # Errors
/// `UNAUTHENTICATED`; `BAD_USER_INPUT` for a text that does not look like a key at all, which it does not repeat.
pub async fn key_of(
    ctx: &Ctx,
    authenticator: &Authenticator,
    secret: &str,
) -> Result<Option<Uuid>> {
    access::authenticated(ctx)?;
    let digest = match KeyText::read(secret) {
        KeyText::Key(digest) => digest,
        KeyText::Wrong => return Ok(None),
        KeyText::Other => {
            return Err(Error::bad_input(
                "by.secret",
                format!("by.secret {NOT_A_KEY}"),
            ));
        }
    };
    let found = authenticator.identified(digest).await?;
    Ok(found
        .filter(|key| secret_used(key, digest, ctx.now()).is_ok())
        .map(|key| key.key_id))
}

impl Authenticator {
    /// Answers questions about keys, whoever asks: the caller has seen to it that it may.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be asked.
    pub async fn answer(&self, questions: &[Question]) -> Result<Vec<Verdict>> {
        let digests: Vec<Digest> = questions.iter().filter_map(|one| one.secret).collect();
        let found = match digests.as_slice() {
            [] => Vec::new(),
            [one] => vec![self.identified(*one).await?],
            many => self.identified_many(many).await?,
        };
        let now = self.clock.now();
        let mut found = found.into_iter();
        Ok(questions
            .iter()
            .map(|question| {
                let key = question.secret.and_then(|_| found.next().flatten());
                self.judge(question, key, now)
            })
            .collect())
    }

    fn judge(
        &self,
        question: &Question,
        key: Option<Arc<Identified>>,
        now: DateTime<Utc>,
    ) -> Verdict {
        let (Some(digest), Some(key)) = (question.secret, key) else {
            return Verdict::refused(Unusable::Unknown, None);
        };
        let secret = match usable(&key, digest, question.ip, now) {
            Ok(secret) => secret,
            // Whoever shows a secret that works no more is told nothing of the key.
            Err(why @ (Unusable::Rotated | Unusable::Unknown)) => {
                return Verdict::refused(why, None);
            }
            Err(why) => return Verdict::refused(why, Some(key)),
        };
        self.last_used
            .note(key.key_id, key.user_id, now, question.ip);
        let mut verdict = Verdict {
            outcome: Outcome::Valid,
            message: None,
            key: None,
            secret: Some(secret),
            decision: None,
        };
        if let Some((privilege, path)) = &question.asked {
            let principal = Principal::ApiKey(key.key_id);
            let decision = check(&key.facts.at(now), &principal, privilege, path);
            if !decision.allowed {
                let who = format!("The key {}", key.key_name);
                verdict.outcome = Outcome::Forbidden;
                verdict.message = Some(explain(&decision, &who, privilege, path).into());
            }
            verdict.decision = Some(decision);
        }
        verdict.key = Some(key);
        verdict
    }
}

/// Reads what is asked, if something is: a privilege and a path, or neither. `within` stands before the fields' names in errors.
///
/// # Errors
/// `BAD_USER_INPUT` for one without the other, and for what is no privilege or no path.
pub fn asked(
    within: &str,
    privilege: Option<&str>,
    path: Option<&str>,
) -> Result<Option<(Privilege, Path)>> {
    let lacking = |lacking: &str, given: &str| {
        let field = format!("{within}{lacking}");
        let message = format!(
            "{field} is missing, and {within}{given} is given: a privilege is held at a path. Give both, or neither."
        );
        Err(Error::bad_input(field, message))
    };
    match (privilege, path) {
        (None, None) => Ok(None),
        (Some(privilege), Some(path)) => ask::question(within, privilege, path).map(Some),
        (Some(_), None) => lacking("path", "privilege"),
        (None, Some(_)) => lacking("privilege", "path"),
    }
}
