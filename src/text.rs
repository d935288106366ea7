//! Rules for texts that people write: length, Unicode form, and characters that would let one name look like another.

use unicode_normalization::{UnicodeNormalization, is_nfc};

use crate::db::ids::quoted;
use crate::error::{Error, Result};

/// Bytes of a metadata object at most.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
/// How deep metadata may nest.
pub const MAX_METADATA_DEPTH: usize = 16;

/// Characters that are not seen or that turn the direction of what follows: zero width, bidirectional overrides and
/// isolates, byte order mark, line separators, tags.
fn deceives(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// One line: a display name, a key's name. From 1 to `max` characters, in NFC, trimmed.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field and the rule.
pub fn line(field: &str, value: &str, max: usize) -> Result<String> {
    text(field, value, max, false)
}

/// Several lines: a comment, a description. From 1 to `max` characters, in NFC, trimmed.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field and the rule.
pub fn lines(field: &str, value: &str, max: usize) -> Result<String> {
    text(field, value, max, true)
}

fn text(field: &str, value: &str, max: usize, breaks: bool) -> Result<String> {
    let refuse = |what: String| Err(Error::bad_input(field, format!("{field} {what}")));
    // A character of NFC is at most 18 bytes of what it was: longer texts are refused before they are normalised.
    if value.len() > max.saturating_mul(18) {
        return refuse(format!(
            "has {} bytes. It may have at most {max} characters.",
            value.len()
        ));
    }
    let normal: String = if is_nfc(value) {
        value.to_owned()
    } else {
        value.nfc().collect()
    };
    let trimmed = normal.trim();
    if trimmed.is_empty() {
        return refuse("is empty. Leave it out, or give at least one character.".into());
    }
    let length = trimmed.chars().count();
    if length > max {
        return refuse(format!(
            "has {length} characters. It may have at most {max}."
        ));
    }
    let control = |c: char| c.is_control() && !(breaks && (c == '\n' || c == '\t'));
    if !breaks && trimmed.contains(['\n', '\r']) {
        return refuse("contains a line break. Write it in one line.".into());
    }
    if let Some(bad) = trimmed.chars().find(|c| control(*c) || deceives(*c)) {
        return refuse(format!(
            "contains U+{:04X}, which cannot be seen or changes how the rest is shown. Remove it.",
            u32::from(bad)
        ));
    }
    Ok(trimmed.to_owned())
}

/// The same rule for a field that may be absent.
///
/// # Errors
/// As [`line`].
pub fn optional_line(field: &str, value: Option<&str>, max: usize) -> Result<Option<String>> {
    value.map(|value| line(field, value, max)).transpose()
}

/// The same rule for a field that may be absent.
///
/// # Errors
/// As [`lines`].
pub fn optional_lines(field: &str, value: Option<&str>, max: usize) -> Result<Option<String>> {
    value.map(|value| lines(field, value, max)).transpose()
}

/// A rule for the new value of an update: what is absent (`None`) stays, what is null (`Some(None)`) is cleared.
///
/// # Errors
/// What the rule says.
pub fn change<T, U>(
    change: Option<Option<T>>,
    rule: impl FnOnce(T) -> Result<U>,
) -> Result<Option<Option<U>>> {
    change.map(|new| new.map(rule).transpose()).transpose()
}

/// A name of a fixed alphabet: 1 to 64 ASCII letters, digits and the characters of `also`.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field, the value and the rule.
pub fn identifier(field: &str, value: &str, also: &str) -> Result<String> {
    let right = (1..=64).contains(&value.len())
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || also.contains(c));
    if right {
        return Ok(value.to_owned());
    }
    let also: Vec<String> = also.chars().map(String::from).collect();
    Err(Error::bad_input(
        field,
        format!(
            "{} cannot be {field}: it takes 1 to 64 of the letters A–Z and a–z, digits and {}.",
            quoted(value),
            also.join(" ")
        ),
    ))
}

/// An e-mail address, as far as its form can tell: `local@domain`, at most 254 bytes, no white space.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field and the value.
pub fn email(field: &str, value: &str) -> Result<String> {
    let refuse = || {
        Error::bad_input(
            field,
            format!(
                "{} is not an e-mail address. It looks like ada@example.com.",
                quoted(value)
            ),
        )
    };
    // Longer texts are refused before they are normalised.
    if value.len() > 254 * 18 {
        return Err(refuse());
    }
    let normal: String = value.trim().nfc().collect();
    let (local, domain) = normal.rsplit_once('@').ok_or_else(refuse)?;
    let part = |text: &str| {
        !text.is_empty()
            && !text.chars().any(|c| {
                c.is_whitespace() || c.is_control() || deceives(c) || "<>(),;:\\\"[]@".contains(c)
            })
    };
    let dotted = domain
        .split('.')
        .all(|label| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-'));
    if normal.len() > 254 || local.len() > 64 || !part(local) || !part(domain) || !dotted {
        return Err(refuse());
    }
    Ok(normal)
}

/// Metadata: a JSON object of at most 16 kB, nested at most 16 deep, without NUL characters, which Postgres cannot keep.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field and the rule.
pub fn metadata(field: &str, value: serde_json::Value) -> Result<serde_json::Value> {
    let refuse = |what: String| Err(Error::bad_input(field, format!("{field} {what}")));
    if !value.is_object() {
        return refuse("must be a JSON object, such as {\"costCentre\": \"42\"}.".into());
    }
    if deeper_than(&value, MAX_METADATA_DEPTH) {
        return refuse(format!(
            "is nested deeper than {MAX_METADATA_DEPTH} levels."
        ));
    }
    let text = value.to_string();
    if text.len() > MAX_METADATA_BYTES {
        return refuse(format!(
            "has {} bytes. It may have at most {MAX_METADATA_BYTES}.",
            text.len()
        ));
    }
    if contains_nul(&value) {
        return refuse("contains the character U+0000, which cannot be stored.".into());
    }
    Ok(value)
}

fn contains_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(contains_nul),
        serde_json::Value::Object(members) => members
            .iter()
            .any(|(name, item)| name.contains('\0') || contains_nul(item)),
        _ => false,
    }
}

fn deeper_than(value: &serde_json::Value, levels: usize) -> bool {
    match value {
        serde_json::Value::Array(items) => {
            levels == 0 || items.iter().any(|item| deeper_than(item, levels - 1))
        }
        serde_json::Value::Object(members) => {
            levels == 0 || members.values().any(|item| deeper_than(item, levels - 1))
        }
        _ => false,
    }
}
