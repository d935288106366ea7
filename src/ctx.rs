//! What every operation takes first: who is calling, what that actor holds, the request, the clock, randomness, and the
//! way to the database. There is no other way to any of them.

mod cookie;
mod random;
mod whole;

pub use cookie::{CookieSlot, Site};
pub use random::Random;
pub use whole::Whole;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use crate::authn::password::Passwords;
use crate::db::Db;
use crate::error::{Code, Error, Result};
use crate::limits::model::Terms;
use crate::limits::ops::Policies;
use crate::magic_links::model as magic_links;
use crate::permissions::facts::Facts;
use crate::permissions::model::Principal;
use crate::policy::ops as policy;
use crate::secrets::{Digest, Sealer, SealingKey};
use crate::sessions::model as sessions;
use crate::webhooks::model::Settings as WebhookSettings;

/// The context of one request.
#[derive(Clone)]
pub struct Ctx {
    /// Who is calling.
    pub actor: Actor,
    /// What is known of the request, for the audit trail.
    pub request: Arc<RequestInfo>,
    /// The time.
    pub clock: Clock,
    /// Randomness.
    pub random: Random,
    /// The database.
    pub db: Db,
    /// The rules that the operator has set.
    pub policy: Arc<Policy>,
    /// Where changes are announced after commit.
    pub events: Events,
    /// Seals what is stored and must be read again.
    pub sealer: Arc<Sealer>,
    /// What passwords are verified by.
    pub passwords: Passwords,
    /// The policy for limits, as it is remembered.
    pub limit_policies: Arc<Policies>,
    /// The policy for new users and for keys, as it is remembered.
    pub policies: Arc<policy::Policies>,
}

impl Ctx {
    /// The present moment, to the microsecond, which is what Postgres keeps.
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// A new primary key (UUIDv7, RFC 9562), greater than every one that this process has made before: what is made one
    /// after the other is listed in that order, also within one millisecond.
    pub fn new_id(&self) -> Uuid {
        let millis = u64::try_from(self.now().timestamp_millis()).unwrap_or(0);
        self.random.id(millis)
    }

    /// The actor, who must be somebody.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for an anonymous request; `SECOND_FACTOR_ENROLMENT_REQUIRED` for who must set up a second factor first.
    pub fn holder(&self) -> Result<&Holder> {
        match &self.actor {
            Actor::Enrolling(_) => Err(Error::new(
                Code::SecondFactorEnrolmentRequired,
                "You must have a second factor, and have none. Until you have set one up, by enrolPasskey or enrolTotp, this session may do nothing else.",
            )),
            _ => self.somebody(),
        }
    }

    /// The same, also if it may do nothing but set up a second factor.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for an anonymous request.
    pub fn somebody(&self) -> Result<&Holder> {
        match &self.actor {
            Actor::Holder(holder) | Actor::Enrolling(holder) => Ok(holder),
            Actor::Anonymous | Actor::Keystead => Err(Error::new(
                Code::Unauthenticated,
                "This needs a credential. Send an API key in the header 'Authorization: Bearer ks_…'.",
            )),
        }
    }
}

/// Who is calling.
#[derive(Clone)]
pub enum Actor {
    /// Nobody: no credential was sent.
    Anonymous,
    /// Keystead itself, on the operator's word at the command line: may do everything.
    Keystead,
    /// A user, through a credential.
    Holder(Arc<Holder>),
    /// A user through a session that may do nothing but set up a second factor: it must have one and has none. It holds nothing.
    Enrolling(Arc<Holder>),
}

impl Actor {
    /// Who may hold something: a user that is calling, through a credential that may do more than set up a second factor.
    pub fn holder(&self) -> Option<&Holder> {
        match self {
            Actor::Holder(holder) => Some(holder),
            Actor::Anonymous | Actor::Keystead | Actor::Enrolling(_) => None,
        }
    }

    /// Whether it may do nothing but set up a second factor.
    pub fn must_enrol(&self) -> bool {
        matches!(self, Actor::Enrolling(_))
    }

    /// The user that is calling.
    pub fn user(&self) -> Option<Uuid> {
        self.holder().map(|holder| holder.user_id)
    }

    /// The user that is calling, through a credential that holds all that it does.
    pub fn user_itself(&self) -> Option<Uuid> {
        let itself = |holder: &&Holder| holder.principal == Principal::User(holder.user_id);
        self.holder().filter(itself).map(|holder| holder.user_id)
    }
}

/// A user that is calling, with the credential it used.
#[derive(Debug)]
pub struct Holder {
    /// The user.
    pub user_id: Uuid,
    /// Its name, for the audit trail.
    pub username: String,
    /// The key that was sent.
    pub api_key_id: Option<Uuid>,
    /// The session that it is signed in by.
    pub session_id: Option<Uuid>,
    /// Who is asked about: the key if it is restricted, else the user; facts know both.
    pub principal: Principal,
    /// What `check` needs to know.
    pub facts: Facts,
    /// The digest of the credential: names the holder in caches.
    pub credential: Digest,
    /// What is stored for the holder alone is encrypted with a key made of this; `None` for a password, which could be guessed.
    pub sealing: Option<SealingKey>,
}

/// What is known of a request.
#[derive(Debug, Clone, Default)]
pub struct RequestInfo {
    /// The request's id: the caller's `X-Request-Id` if it is well-formed, else one made here.
    pub id: String,
    /// The client's address.
    pub ip: Option<IpAddr>,
    /// The client's `User-Agent`, at most 512 bytes.
    pub user_agent: Option<String>,
    /// What the caller said in `X-Keystead-On-Behalf-Of`, if that was well-formed: recorded, never trusted.
    pub on_behalf_of: Option<String>,
    /// The id of the trace that the request is part of (W3C Trace Context), if it is part of one: 32 hexadecimal digits.
    pub trace_id: Option<String>,
    /// The dialect that it came by; `None`: Keystead's own API.
    pub via: Option<&'static str>,
    /// What the answer does to the browser's cookie.
    pub cookie: CookieSlot,
}

/// The time: the system's, or in tests one that moves when told.
#[derive(Clone)]
pub struct Clock {
    manual: Option<Arc<AtomicI64>>,
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Clock { manual: None }
    }

    /// A clock that stands at `at` until it is moved.
    pub fn manual(at: DateTime<Utc>) -> Self {
        Clock {
            manual: Some(Arc::new(AtomicI64::new(at.timestamp_micros()))),
        }
    }

    /// Moves a manual clock.
    pub fn advance(&self, by: TimeDelta) {
        if let Some(micros) = &self.manual {
            micros.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// The present moment, to the microsecond.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the system's clock enters"
    )]
    pub fn now(&self) -> DateTime<Utc> {
        match &self.manual {
            None => {
                let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let micros = since.map_or(0, |since| since.as_micros() as i64);
                DateTime::from_timestamp_micros(micros).unwrap_or_default()
            }
            Some(micros) => {
                DateTime::from_timestamp_micros(micros.load(Ordering::SeqCst)).unwrap_or_default()
            }
        }
    }
}

/// The rules that the operator has set, as far as operations need them.
#[derive(Debug, Clone)]
pub struct Policy {
    /// bcrypt's cost for new passwords, 4–15.
    pub password_cost: u32,
    /// Characters that a password has at least.
    pub password_min_length: usize,
    /// What the policy for new users and for keys is until somebody changes it.
    pub first: crate::policy::model::Policy,
    /// What becomes of what is reserved of limits.
    pub reservations: Terms,
    /// How long usage events are kept; `None`: for ever.
    pub usage_retention: Option<TimeDelta>,
    /// How long sessions last.
    pub sessions: sessions::Terms,
    /// The public address of this server, without a slash at its end.
    pub public_url: String,
    /// Who may sign in by links.
    pub magic_links: magic_links::Settings,
    /// How webhooks are delivered.
    pub webhooks: WebhookSettings,
}

impl Policy {
    /// How far back usage events may lie: as long as they are kept, ten years at most.
    pub fn usage_kept(&self) -> TimeDelta {
        self.usage_retention.unwrap_or(TimeDelta::days(3_650))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            password_cost: 12,
            password_min_length: 12,
            first: crate::policy::model::Policy::default(),
            reservations: Terms::default(),
            usage_retention: Some(TimeDelta::days(400)),
            sessions: sessions::Terms::default(),
            public_url: "http://127.0.0.1:4000".into(),
            magic_links: magic_links::Settings::default(),
            webhooks: WebhookSettings::default(),
        }
    }
}

/// Tells those who follow the audit trail that it has grown.
#[derive(Clone)]
pub struct Events {
    grown: Arc<watch::Sender<u64>>,
}

impl Default for Events {
    fn default() -> Self {
        Events {
            grown: Arc::new(watch::Sender::new(0)),
        }
    }
}

impl Events {
    /// Announces a committed change.
    pub fn publish(&self) {
        self.grown.send_modify(|count| *count += 1);
    }

    /// Follows the announcements of this process.
    pub fn follow(&self) -> watch::Receiver<u64> {
        self.grown.subscribe()
    }
}
