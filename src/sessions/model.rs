//! Rows and values of sessions.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::ctx::Actor;
use crate::db::ids::{Id, Kind};
use crate::db::schema::sessions;
use crate::factors::model::{Assertion, Offered};
use crate::secrets::Secret;
use crate::users::model::User;

/// A session, without the digest of its secret: that never leaves the store and the sign-on.
#[derive(Debug, Clone, Queryable, Selectable, QueryableByName, Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct Session {
    /// The primary key.
    pub id: Uuid,
    /// Who is signed in.
    pub user_id: Uuid,
    /// How it was begun: the name of a [`Method`].
    pub method: String,
    /// The `User-Agent` that signed in.
    pub device: Option<String>,
    /// The address that signed in.
    pub created_from: Option<String>,
    /// When it was begun.
    pub created_at: DateTime<Utc>,
    /// From this moment on it does not work, however much it is used.
    pub expires_at: DateTime<Utc>,
    /// When it was last used; written in bulk.
    pub last_used_at: DateTime<Utc>,
    /// The address it was last used from.
    pub last_used_from: Option<String>,
}

impl Session {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::Session, self.id)
    }

    /// When it ends if it is not used any more.
    pub fn ends_at(&self, terms: &Terms) -> DateTime<Utc> {
        self.expires_at.min(self.last_used_at + terms.idle)
    }

    /// What the audit trail keeps of it. Use is not a change, and the digest is not in it.
    pub fn snapshot(&self) -> Value {
        json!({
            "user": Id::new(Kind::User, self.user_id).to_string(), "method": self.method, "device": self.device,
            "createdFrom": self.created_from, "expiresAt": self.expires_at,
        })
    }
}

/// How long sessions last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// A session that is not used for so long ends.
    pub idle: TimeDelta,
    /// So long after it was begun a session ends, however much it is used.
    pub lifetime: TimeDelta,
}

impl Default for Terms {
    fn default() -> Self {
        Terms {
            idle: TimeDelta::days(1),
            lifetime: TimeDelta::days(14),
        }
    }
}

/// How a session was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// With a password.
    Password,
    /// By accepting an invitation.
    Invitation,
    /// By a link that was sent by mail.
    MagicLink,
    /// With a passkey.
    Passkey,
}

impl Method {
    /// The name as it is stored and spoken.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Password => "PASSWORD",
            Method::Invitation => "INVITATION",
            Method::MagicLink => "MAGIC_LINK",
            Method::Passkey => "PASSKEY",
        }
    }
}

/// Somebody who wants to sign in.
pub struct SignIn {
    /// A user name or an e-mail address.
    pub login: String,
    /// The password in the clear.
    pub password: Secret,
    /// What takes the password's place.
    pub new_password: Option<Secret>,
    /// What is offered as a second factor.
    pub offered: Offered,
    /// Whether a browser is to keep the secret in a cookie.
    pub cookie: bool,
}

/// Somebody who wants to sign in with a passkey alone.
pub struct PasskeySignIn {
    /// What the passkey has signed.
    pub passkey: Assertion,
    /// Whether a browser is to keep the secret in a cookie.
    pub cookie: bool,
}

/// Somebody who has signed in.
pub struct SignedIn {
    /// Who.
    pub user: User,
    /// The session that was begun.
    pub session: Session,
    /// Its secret, unless it went into a cookie.
    pub secret: Option<Secret>,
    /// Who is calling from now on.
    pub actor: Actor,
}

/// One use of a session, to be stored in bulk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionUse {
    /// The session.
    pub session: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// The client's address, if known.
    pub from: Option<String>,
}
