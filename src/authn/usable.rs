//! Whether a key that was found can be used: the one answer for signing on, verifying and forward authorisation.

use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::permissions::check::{Reason, Refusal, stands};
use crate::permissions::model::Principal;
use crate::permissions::ops::facts::Identified;
use crate::secrets::Digest;

/// Which secret of a key was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretUsed {
    /// The one in force.
    Current,
    /// The one before the last rotation, which works until this moment.
    Previous(DateTime<Utc>),
}

/// Why a key that exists cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// The secret was replaced, and the overlap is over.
    Rotated,
    /// The facts speak of another key: it went while they were read.
    Unknown,
    /// The key is switched off.
    Disabled,
    /// The key's time is over.
    Expired,
    /// Its owner is switched off.
    OwnerDisabled,
    /// Its owner's time is over.
    OwnerExpired,
    /// The team it was made for is switched off.
    TeamDisabled,
    /// It may not be used from that address.
    Elsewhere,
}

impl Unusable {
    /// A sentence for whoever showed the secret.
    pub fn message(self) -> &'static str {
        match self {
            Unusable::Rotated => {
                "This API key was rotated and its old secret no longer works. Use the new one."
            }
            Unusable::Unknown => "There is no such API key. It may have been deleted or rotated.",
            Unusable::Disabled => "This API key is disabled.",
            Unusable::Expired => "This API key has expired.",
            Unusable::OwnerDisabled => "The owner of this API key is disabled.",
            Unusable::OwnerExpired => "The owner of this API key has expired.",
            Unusable::TeamDisabled => "The team of this API key is disabled.",
            Unusable::Elsewhere => "This API key may not be used from this address.",
        }
    }

    fn of(reason: Reason) -> Self {
        match reason {
            Reason::Refused(Refusal::Disabled) => Unusable::Disabled,
            Reason::Refused(Refusal::Expired) => Unusable::Expired,
            Reason::Refused(Refusal::TeamDisabled) => Unusable::TeamDisabled,
            Reason::OwnerRefused(Refusal::Disabled) => Unusable::OwnerDisabled,
            Reason::OwnerRefused(Refusal::Expired) => Unusable::OwnerExpired,
            _ => Unusable::Unknown,
        }
    }
}

/// Which of the key's secrets has this digest, if one that works at that moment has.
///
/// # Errors
/// [`Unusable::Rotated`].
pub fn secret_used(
    key: &Identified,
    digest: Digest,
    now: DateTime<Utc>,
) -> Result<SecretUsed, Unusable> {
    if key.digest == digest {
        return Ok(SecretUsed::Current);
    }
    match key.previous {
        Some((previous, until)) if previous == digest && now < until => {
            Ok(SecretUsed::Previous(until))
        }
        _ => Err(Unusable::Rotated),
    }
}

/// Whether the key can be used with the secret of that digest, from that address, at that moment.
///
/// # Errors
/// Why not: the secret first, then key, owner and team, then the address.
pub fn usable(
    key: &Identified,
    digest: Digest,
    ip: Option<IpAddr>,
    now: DateTime<Utc>,
) -> Result<SecretUsed, Unusable> {
    let used = secret_used(key, digest, now)?;
    if let Some(reason) = stands(&key.facts.at(now), &Principal::ApiKey(key.key_id)) {
        return Err(Unusable::of(reason));
    }
    let from = |ip: IpAddr| {
        let ip = ip.to_canonical();
        key.allowed_cidrs.iter().any(|cidr| cidr.contains(&ip))
    };
    if key.allowed_cidrs.is_empty() || ip.is_some_and(from) {
        Ok(used)
    } else {
        Err(Unusable::Elsewhere)
    }
}
