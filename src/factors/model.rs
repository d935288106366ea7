//! Rows and values of second factors.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::db::ids::{Id, Kind};
use crate::db::schema::second_factors;
use crate::secrets::Secret;

/// A second factor of a user.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = second_factors, treat_none_as_default_value = false)]
pub struct Factor {
    /// The primary key.
    pub id: Uuid,
    /// Whose it is.
    pub user_id: Uuid,
    /// What it is: the name of a [`FactorKind`].
    pub kind: String,
    /// What its user calls it.
    pub name: String,
    /// What both sides know, or a passkey's public key: sealed.
    pub secret: Vec<u8>,
    /// What a passkey is known by.
    pub credential_id: Option<Vec<u8>>,
    /// The time step of the last code that was taken (RFC 6238, of 30 s), or the signature counter of a passkey's last signature.
    pub counter: i64,
    /// When its user has shown the first code of it.
    pub created_at: DateTime<Utc>,
    /// When it was last used to sign in, or to prove who is there.
    pub last_used_at: Option<DateTime<Utc>>,
}

impl Factor {
    /// The typed id.
    pub fn typed_id(&self) -> Id {
        Id::new(Kind::SecondFactor, self.id)
    }

    /// What it is called in a sentence, after "your".
    pub fn shown(&self) -> String {
        let noun = FactorKind::of(&self.kind).map_or("second factor", FactorKind::noun);
        format!("{noun} \"{}\"", self.name)
    }

    /// What the audit trail keeps of it. Use is no change, and the secret is not in it.
    pub fn snapshot(&self) -> Value {
        snapshot(self.user_id, &self.kind, &self.name)
    }
}

/// What the audit trail keeps of a factor, or of one that is being set up.
pub(super) fn snapshot(user: Uuid, kind: &str, name: &str) -> Value {
    json!({"user": Id::new(Kind::User, user).to_string(), "kind": kind, "name": name})
}

/// What a second factor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorKind {
    /// An app that makes codes of six digits (RFC 6238).
    Totp,
    /// A key pair that a browser, a phone or a security key keeps (Web Authentication).
    Passkey,
}

impl FactorKind {
    /// The name as it is stored and spoken.
    pub const fn as_str(self) -> &'static str {
        match self {
            FactorKind::Totp => "TOTP",
            FactorKind::Passkey => "PASSKEY",
        }
    }

    /// The kind with that name.
    pub fn of(name: &str) -> Option<FactorKind> {
        let all = [FactorKind::Totp, FactorKind::Passkey];
        all.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What it is called in a sentence, after "your".
    pub const fn noun(self) -> &'static str {
        match self {
            FactorKind::Totp => "authenticator app",
            FactorKind::Passkey => "passkey",
        }
    }
}

/// How a user stands with second factors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// It has one.
    pub has: bool,
    /// Its instance role must have one.
    pub required: bool,
}

impl Standing {
    /// Whether it must set one up before it may do anything else.
    pub fn must_enrol(self) -> bool {
        self.required && !self.has
    }
}

/// What somebody offers as a second factor: one of these, or nothing.
#[derive(Default)]
pub struct Offered {
    /// A code of an app, or a recovery code.
    pub otp: Option<Secret>,
    /// What a passkey has signed.
    pub passkey: Option<Assertion>,
}

impl Offered {
    /// Whether nothing is offered.
    pub fn is_empty(&self) -> bool {
        self.otp.is_none() && self.passkey.is_none()
    }
}

/// What a passkey has signed.
pub struct Assertion {
    /// The challenge, as it was handed out.
    pub challenge: Secret,
    /// What the browser made of it: the `AuthenticationResponseJSON` of Web Authentication, Level 3.
    pub credential: Value,
}

/// What the user shows to prove that it is there: unless its session has just begun, something of a factor if it has one, else its password.
#[derive(Default)]
pub struct Proof {
    /// The password.
    pub password: Option<Secret>,
    /// Something of a factor.
    pub offered: Offered,
}

/// Something for a passkey to sign.
pub struct Challenge {
    /// Names it, when it is answered. Who sees it can do nothing with it alone.
    pub token: Secret,
    /// What browsers take: the `PublicKeyCredentialCreationOptionsJSON` or `PublicKeyCredentialRequestOptionsJSON` of Web Authentication, Level 3.
    pub options: Value,
    /// Until when it can be answered.
    pub expires_at: DateTime<Utc>,
}

/// What a browser has made of a [`Challenge`] for a new passkey.
pub struct NewPasskey {
    /// The challenge, as it was handed out.
    pub challenge: Secret,
    /// The `RegistrationResponseJSON` of Web Authentication, Level 3.
    pub credential: Value,
    /// What its user calls it.
    pub name: Option<String>,
}

/// A factor that is being set up, with what is shown of it this once.
pub struct Enrolment {
    /// The `otpauth` URI that apps read.
    pub uri: Secret,
    /// The secret in base32, for who types it.
    pub secret: Secret,
    /// The URI as a QR code: an SVG document.
    pub qr_code: Secret,
    /// Until when it can be confirmed.
    pub expires_at: DateTime<Utc>,
}

/// A factor that was set up.
pub struct Enrolled {
    /// The factor.
    pub factor: Factor,
    /// New recovery codes; `None` where the user has some already.
    pub recovery_codes: Option<Vec<Secret>>,
}
