//! Codes that an app makes of a secret and the time (RFC 6238): SHA-1, six digits, steps of 30 s, which is what every app knows. The
//! step before and the one after count too, for clocks that differ.

use chrono::{DateTime, Utc};
use qrcode::render::svg;
use qrcode::{EcLevel, QrCode};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use crate::ctx::Random;
use crate::error::{Error, Result};
use crate::secrets::Secret;

/// Bytes of a secret, as RFC 4226 recommends (section 4, R6).
const SECRET: usize = 20;
/// Pixels of a QR code at least, each way.
const PIXELS: u32 = 240;

/// A new secret.
pub(super) fn new_secret(random: &Random) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(random.bytes::<SECRET>().to_vec())
}

/// The time step whose code that is, if it is one of those that are good at that moment.
///
/// # Errors
/// An internal error for a secret that is none.
pub(super) fn step_of(secret: &[u8], code: &str, at: DateTime<Utc>) -> Result<Option<i64>> {
    let totp = built(Builder::new().with_secret(secret.to_vec()))?;
    let seconds = u64::try_from(at.timestamp()).unwrap_or(0);
    Ok(totp
        .check(code, seconds)
        .and_then(|step| i64::try_from(step).ok()))
}

/// The secret as apps read it: the `otpauth` URI, base32, and the URI as a QR code.
///
/// # Errors
/// An internal error when one of them cannot be written.
pub(super) fn shown(
    secret: &[u8],
    username: &str,
    public_url: &str,
) -> Result<(Secret, Secret, Secret)> {
    // Neither half of the label may have a colon.
    let account = username.replace(':', ".");
    let builder = Builder::new()
        .with_secret(secret.to_vec())
        .with_account_name(account)
        .with_issuer(Some(issuer(public_url)));
    let totp = built(builder)?;
    let unwritten = |error: &dyn std::fmt::Display| Error::internal(format!("a secret: {error}"));
    let uri = totp.to_url().map_err(|error| unwritten(&error))?;
    let code = QrCode::with_error_correction_level(uri.as_bytes(), EcLevel::M)
        .map_err(|error| unwritten(&error))?;
    let picture = code
        .render::<svg::Color<'_>>()
        .min_dimensions(PIXELS, PIXELS)
        .build();
    Ok((
        Secret::new(uri),
        Secret::new(totp.secret().to_base32()),
        Secret::new(picture),
    ))
}

/// What apps show above the code, and browsers beside a passkey: of several servers each has its own name.
pub(super) fn issuer(public_url: &str) -> String {
    let host = public_url
        .split_once("://")
        .map_or(public_url, |(_, rest)| rest);
    let host = host
        .split(['/', ':', '[', ']'])
        .find(|part| !part.is_empty());
    format!("Keystead {}", host.unwrap_or_default())
        .trim_end()
        .to_owned()
}

fn built(builder: Builder) -> Result<Totp> {
    builder
        .build()
        .map_err(|error| Error::internal(format!("a secret of second factors: {error}")))
}
