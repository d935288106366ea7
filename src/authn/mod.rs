//! Who is calling: from the request's credential to the actor.
//!
//! A credential is `Authorization: Bearer ks_…` (a key) or `Bearer kss_…` (a session), `Basic` with a key as the password and any user
//! name, or with a user's own name and password, or, from a browser, the cookie of a session. A wrong checksum is refused without a query; look-ups of many requests share one
//! statement.

mod by_password;
pub mod cookie;
pub mod graphql;
mod hashing;
pub mod known;
pub mod last_used;
pub mod password;
pub mod usable;
pub mod verify;

use std::net::IpAddr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ctx::{Actor, Clock, Holder};
use crate::db::Db;
use crate::db::coalesce::Coalescer;
use crate::error::{Code, Error, Result};
use crate::permissions::check::{Reason, Refusal, stands};
use crate::permissions::model::Principal;
use crate::permissions::ops::facts::{self, Identified};
use crate::permissions::ops::of_sessions::{self, Signed};
use known::{Known, Remembered, Usage};
use last_used::LastUsed;
use password::Passwords;
use usable::{Unusable, usable};

use crate::factors::ops as factors;
use crate::policy::model as policy;
use crate::secrets::{
    API_KEY_PREFIX, Digest, INVITATION_PREFIX, KeyText, MAGIC_LINK_PREFIX, SESSION_PREFIX,
    SealingKey, Secret,
};
use crate::sessions::model::Terms;

/// What the tokens of links begin with: of invitations, and of links to sign in by.
const OF_LINKS: [&str; 2] = [INVITATION_PREFIX, MAGIC_LINK_PREFIX];
/// The longest `Authorization` header that is looked at, in bytes.
const MAX_HEADER: usize = 1_024;

/// What a request shows to say who is calling.
pub enum Credential {
    /// Nothing.
    None,
    /// An API key.
    ApiKey(Secret),
    /// The secret of a session.
    Session(Secret),
    /// A user name or an e-mail address, and the password.
    Password(String, Secret),
}

impl Credential {
    /// Reads the value of an `Authorization` header (RFC 6750 `Bearer`, RFC 7617 `Basic`).
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when it is malformed or of another scheme.
    pub fn from_header(value: Option<&str>) -> Result<Credential> {
        let Some(value) = value else {
            return Ok(Credential::None);
        };
        let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value, ""));
        if value.len() > MAX_HEADER {
            return Err(refused(
                "The Authorization header is longer than any credential.",
            ));
        }
        if scheme.eq_ignore_ascii_case("bearer") {
            let secret = Secret::new(rest.trim().to_owned());
            Ok(if secret.expose().starts_with(SESSION_PREFIX) {
                Credential::Session(secret)
            } else {
                Credential::ApiKey(secret)
            })
        } else if scheme.eq_ignore_ascii_case("basic") {
            basic(rest.trim())
        } else {
            Err(refused(
                "The Authorization header must be 'Bearer ks_…' or 'Bearer kss_…', or Basic with a key or a password.",
            ))
        }
    }
}

fn basic(encoded: &str) -> Result<Credential> {
    let malformed = || {
        refused(
            "The Basic credentials cannot be read: they are base64 of 'name:key' or 'name:password'.",
        )
    };
    let bytes = STANDARD.decode(encoded).map_err(|_| malformed())?;
    let text = String::from_utf8(bytes).map_err(|_| malformed())?;
    let (name, password) = text.split_once(':').ok_or_else(malformed)?;
    if name.starts_with(API_KEY_PREFIX) && !password.starts_with(API_KEY_PREFIX) {
        return Err(refused(
            "The API key stands where the user name belongs. Send it as the password, as `curl -u :ks_…` does.",
        ));
    }
    // With a name it may be a password that happens to begin so.
    if KeyText::of(SESSION_PREFIX, password) != KeyText::Other
        || (name.is_empty() && password.starts_with(SESSION_PREFIX))
    {
        return Err(refused(
            "The secret of a session stands where the password belongs. Send it as 'Bearer kss_…'.",
        ));
    }
    let password = Secret::new(password.to_owned());
    Ok(
        if name.is_empty() || password.expose().starts_with(API_KEY_PREFIX) {
            Credential::ApiKey(password)
        } else {
            Credential::Password(name.to_owned(), password)
        },
    )
}

/// Why that text is no API key.
fn no_key(text: &str) -> &'static str {
    if text.is_empty() {
        "The credential is empty. It is a key, ks_…, or the secret of a session, kss_…."
    } else if OF_LINKS.iter().any(|prefix| text.starts_with(prefix)) {
        "That is the token of a link, and no credential. Open the link."
    } else {
        "The credential is not an API key: a key is ks_ and 37 letters and digits, the last six a checksum. Was it cut?"
    }
}

fn refused(message: impl Into<String>) -> Error {
    Error::new(Code::Unauthenticated, message)
}

/// Finds the actor behind a credential.
pub struct Authenticator {
    /// When keys and users were last used.
    pub last_used: LastUsed,
    clock: Clock,
    db: Db,
    keys: Arc<Coalescer<Digest, Arc<Identified>>>,
    known: Arc<Known<Identified>>,
    sessions: Arc<Coalescer<Digest, Arc<Signed>>>,
    signed: Arc<Known<Signed>>,
    people: People,
}

/// How people show who they are.
pub struct People {
    /// How long sessions last.
    pub sessions: Terms,
    /// What passwords are verified by.
    pub passwords: Passwords,
    /// The cost of hashing them.
    pub cost: u32,
    /// The policy until somebody changes it: it says whose instance role must have a second factor.
    pub first: policy::Policy,
}

/// The part of the memory that is for sessions: there are far fewer of them than keys.
const FOR_SESSIONS: u64 = 8;

/// Looks credentials up by their digests, and remembers what it finds.
macro_rules! identifying {
    ($db:expr, $clock:expr, $known:expr, $fetch:path) => {{
        let (db, clock, known) = ($db.clone(), $clock.clone(), $known.clone());
        Coalescer::new(2, move |digests: Vec<Digest>| {
            let (db, now, known) = (db.clone(), clock.now(), known.clone());
            async move {
                // Before the statement begins: what changes from here on makes its answer out of date.
                let stamp = known.stamp();
                let found = $fetch(&db, now, digests.clone()).await?;
                known.keep(&stamp, &digests, &found);
                Ok(found)
            }
        })
    }};
}

impl Authenticator {
    /// Over that database; look-ups that arrive together share a statement. What is found is remembered in so many bytes at most;
    /// `people` says how others than programs show who they are.
    pub fn new(db: Db, clock: Clock, memory: u64, people: People) -> Self {
        let for_sessions = memory / FOR_SESSIONS;
        let known = Known::new(db.replicas().clone(), memory - for_sessions);
        let signed = Known::new(db.replicas().clone(), for_sessions);
        Authenticator {
            last_used: LastUsed::default(),
            keys: identifying!(db, clock, known, facts::by_digests),
            known,
            sessions: identifying!(db, clock, signed, of_sessions::by_digests),
            signed,
            clock,
            db,
            people,
        }
    }

    /// The actor behind the credential, calling from `ip`.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` when the key is unknown, expired, disabled, its owner is, its team is, or it may not be used from
    /// there, or when the session has ended; `SERVICE_UNAVAILABLE` when the database cannot be asked.
    pub async fn actor(&self, credential: Credential, ip: Option<IpAddr>) -> Result<Actor> {
        match credential {
            Credential::None => Ok(Actor::Anonymous),
            Credential::ApiKey(secret) => self.by_key(&secret, ip).await,
            // In a box: most callers have keys, and their futures need not carry the room for it along.
            Credential::Session(secret) => Box::pin(self.by_session(&secret, ip)).await,
            Credential::Password(login, password) => {
                Box::pin(self.by_password(&login, &password, ip)).await
            }
        }
    }

    async fn by_key(&self, secret: &Secret, ip: Option<IpAddr>) -> Result<Actor> {
        let KeyText::Key(digest) = KeyText::read(secret.expose()) else {
            return Err(refused(no_key(secret.expose())));
        };
        let holder = self.holder(digest, secret.sealing_key(), ip).await?;
        if let Some(key) = holder.api_key_id {
            let now = holder.facts.now();
            self.last_used.note(key, holder.user_id, now, ip);
        }
        Ok(Actor::Holder(Arc::new(holder)))
    }

    async fn by_session(&self, secret: &Secret, ip: Option<IpAddr>) -> Result<Actor> {
        let KeyText::Key(digest) = KeyText::of(SESSION_PREFIX, secret.expose()) else {
            return Err(refused(
                "The credential is not the secret of a session: that is kss_ and 37 letters and digits, the last six a checksum. Was it cut?",
            ));
        };
        let (actor, signed) = self.signed_in(digest, secret.sealing_key()).await?;
        let now = self.clock.now();
        signed.used(now);
        self.last_used
            .note_session(signed.session_id, signed.user_id, now, ip);
        Ok(actor)
    }

    /// The same actor anew: whether its credential still works from there, and what it holds now.
    ///
    /// # Errors
    /// As [`Authenticator::actor`].
    pub async fn again(&self, actor: &Actor, ip: Option<IpAddr>) -> Result<Actor> {
        let (Actor::Holder(before) | Actor::Enrolling(before)) = actor else {
            return Ok(actor.clone());
        };
        let (digest, sealing) = (before.credential, before.sealing.clone());
        if let (Some(_), Some(sealing)) = (before.session_id, &sealing) {
            let sealing = sealing.clone();
            let (actor, _) = Box::pin(self.signed_in(digest, sealing)).await?;
            return Ok(actor);
        }
        if before.api_key_id.is_none() {
            let holder = Box::pin(self.known_by_password(before.user_id)).await?;
            let same = holder.credential == digest;
            let changed =
                || refused("The password has been changed. Connect again with the new one.");
            return same
                .then(|| Actor::Holder(Arc::new(holder)))
                .ok_or_else(changed);
        }
        let sealing = sealing.ok_or_else(|| Error::internal("a key without a sealing key"))?;
        Ok(Actor::Holder(Arc::new(
            self.holder(digest, sealing, ip).await?,
        )))
    }

    /// The key one of whose secrets has this digest, used or not, from memory where that is right. Every look-up of a key by its secret
    /// comes this way. Its facts speak of the moment in which they were read: look at them [`Facts::at`](crate::permissions::facts::Facts::at)
    /// the present one.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be asked.
    pub async fn identified(&self, digest: Digest) -> Result<Option<Arc<Identified>>> {
        match self.known.get(&digest) {
            Remembered::Found(key) => Ok(Some(key)),
            Remembered::Nobody => Ok(None),
            // In a box, so that what is remembered, as most is, does not carry the room for it along.
            Remembered::Nothing => Box::pin(self.keys.load(digest)).await,
        }
    }

    /// The same for many digests, in their order: those that are not remembered share a statement.
    ///
    /// # Errors
    /// As [`Authenticator::identified`].
    pub async fn identified_many(
        &self,
        digests: &[Digest],
    ) -> Result<Vec<Option<Arc<Identified>>>> {
        let each = digests.iter().map(|digest| self.identified(*digest));
        futures_util::future::try_join_all(each).await
    }

    /// What is remembered of keys, and how often it was of use.
    pub fn memory(&self) -> Usage {
        self.known.usage()
    }

    async fn holder(
        &self,
        digest: Digest,
        sealing: SealingKey,
        ip: Option<IpAddr>,
    ) -> Result<Holder> {
        let found = self.identified(digest).await?;
        let key = found.ok_or_else(|| refused(Unusable::Unknown.message()))?;
        let now = self.clock.now();
        usable(&key, digest, ip, now).map_err(|why| refused(why.message()))?;
        let restricted = key.facts.key().is_some_and(|key| key.restricted);
        Ok(Holder {
            user_id: key.user_id,
            username: key.username.clone(),
            api_key_id: Some(key.key_id),
            session_id: None,
            principal: if restricted {
                Principal::ApiKey(key.key_id)
            } else {
                Principal::User(key.user_id)
            },
            facts: key.facts.at(now),
            credential: digest,
            sealing: Some(sealing),
        })
    }

    /// Who is signed in by the session whose secret has this digest, if it works.
    async fn signed_in(&self, digest: Digest, sealing: SealingKey) -> Result<(Actor, Arc<Signed>)> {
        let ended = || refused("This session is unknown or has ended. Sign in again.");
        let now = self.clock.now();
        let mut found = match self.signed.get(&digest) {
            Remembered::Found(signed) => Some(signed),
            Remembered::Nobody => None,
            Remembered::Nothing => self.sessions.load(digest).await?,
        };
        if found
            .as_ref()
            .is_some_and(|one| one.is_idle(now, self.people.sessions.idle))
        {
            // Another server may know of a later use.
            found = self.sessions.load(digest).await?;
        }
        let signed = found
            .filter(|one| now < one.expires_at && !one.is_idle(now, self.people.sessions.idle))
            .ok_or_else(ended)?;
        let facts = signed.facts.at(now);
        let role = facts.user().map(|user| user.role);
        let must_enrol = !signed.has_factor
            && factors::required(signed.factor_required, &self.people.first, role);
        let principal = Principal::User(signed.user_id);
        if let Some(reason) = stands(&facts, &principal) {
            return Err(match reason {
                Reason::Refused(Refusal::Disabled) => {
                    refused("The user of this session is disabled.")
                }
                Reason::Refused(Refusal::Expired) => {
                    refused("The user of this session has expired.")
                }
                _ => ended(),
            });
        }
        let holder = Arc::new(Holder {
            user_id: signed.user_id,
            username: signed.username.clone(),
            api_key_id: None,
            session_id: Some(signed.session_id),
            principal,
            facts,
            credential: digest,
            sealing: Some(sealing),
        });
        let actor = match must_enrol {
            true => Actor::Enrolling(holder),
            false => Actor::Holder(holder),
        };
        Ok((actor, signed))
    }
}
