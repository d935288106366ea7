//! The last line before the trail: whatever a snapshot holds, secrets do not pass. Snapshots have none; but people write
//! comments, names and metadata, and some of them paste a key there.

use serde_json::Value;

use crate::secrets::{API_KEY_LENGTH, Secret};

/// A bcrypt hash: `$2b$12$` and 53 characters.
const BCRYPT_LENGTH: usize = 60;

/// Replaces every API key by its display prefix, and every other secret and every bcrypt hash by `[redacted]`, in all texts and
/// member names.
pub(super) fn redact(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact_text(text)),
        Value::Array(items) => items.into_iter().map(redact).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (redact_text(name), redact(value)))
            .collect(),
        other => other,
    }
}

fn redact_text(text: String) -> String {
    if !text.contains("ks") && !text.contains("$2") {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(next) = rest.chars().next() {
        if let Some((shown, length)) = secret_at(rest) {
            clean.push_str(&shown);
            rest = &rest[length..];
        } else {
            clean.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    clean
}

/// What to show instead of the secret that the text begins with, and the secret's length.
fn secret_at(text: &str) -> Option<(String, usize)> {
    let word = |prefix: usize| {
        let tail = text.get(prefix..)?;
        let end = tail.bytes().position(|byte| !byte.is_ascii_alphanumeric());
        Some(prefix + end.unwrap_or(tail.len()))
    };
    if text.starts_with("ks_") && word(3)? >= API_KEY_LENGTH {
        let secret = Secret::new(text[..API_KEY_LENGTH].to_owned());
        return Some((secret.display_prefix(), word(3)?));
    }
    let other = ["kss_", "ksi_", "ksm_", "whsec_"]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    if other && word(if text.starts_with("whsec_") { 6 } else { 4 })? >= 20 {
        return Some(("[redacted]".into(), word(4)?));
    }
    let bcrypt = ["$2a$", "$2b$", "$2x$", "$2y$"]
        .iter()
        .any(|prefix| text.starts_with(prefix));
    let hash = text.get(..BCRYPT_LENGTH)?;
    (bcrypt && hash.bytes().all(|byte| byte.is_ascii_graphic()))
        .then(|| ("[redacted]".into(), BCRYPT_LENGTH))
}
