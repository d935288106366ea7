//! Which form the answer takes (RFC 9110 §12.5.1; GraphQL over HTTP, draft of 2025).

use axum::http::{HeaderMap, header};

/// A form of answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// `application/json`: the status is 200 for whatever is a GraphQL answer.
    Json,
    /// `application/graphql-response+json`: the status says whether the request ran.
    GraphqlResponse,
}

impl Media {
    /// The `Content-Type` of answers.
    pub fn content_type(self) -> &'static str {
        match self {
            Media::Json => "application/json; charset=utf-8",
            Media::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        }
    }
}

/// What the client takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accepted {
    /// The form it likes best for a single answer; `None` if it takes events only.
    pub single: Option<Media>,
    /// Whether it takes `text/event-stream`.
    pub events: bool,
    /// Whether it likes events better than a single answer.
    pub events_first: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Offer {
    Json,
    GraphqlResponse,
    Events,
}

/// What the client takes; `None` if it is nothing that there is.
pub fn accepted(headers: &HeaderMap) -> Option<Accepted> {
    let mut ranges: Vec<(u16, bool, Offer)> = Vec::new();
    let mut any = false;
    for value in headers.get_all(header::ACCEPT) {
        let Ok(value) = value.to_str() else { continue };
        for range in value.split(',').filter(|range| !range.trim().is_empty()) {
            any = true;
            ranges.extend(read(range));
        }
    }
    if !any {
        return Some(Accepted {
            single: Some(Media::Json),
            events: false,
            events_first: false,
        });
    }
    // A stable sort: among equals, what is named goes before wildcards, and what is named first before what comes later.
    ranges.retain(|(quality, ..)| *quality > 0);
    ranges.sort_by_key(|(quality, wild, _)| (std::cmp::Reverse(*quality), *wild));
    let single = ranges.iter().find_map(|(.., offer)| match offer {
        Offer::Json => Some(Media::Json),
        Offer::GraphqlResponse => Some(Media::GraphqlResponse),
        Offer::Events => None,
    });
    let accepted = Accepted {
        single,
        events: ranges.iter().any(|(.., offer)| *offer == Offer::Events),
        events_first: ranges
            .first()
            .is_some_and(|(.., offer)| *offer == Offer::Events),
    };
    (single.is_some() || accepted.events).then_some(accepted)
}

/// One media range: its quality in thousandths, whether it is a wildcard, and what we have for it.
fn read(range: &str) -> Option<(u16, bool, Offer)> {
    let mut parts = range.split(';').map(str::trim);
    let (wild, offer) = match parts.next()?.to_ascii_lowercase().as_str() {
        "application/json" => (false, Offer::Json),
        "application/graphql-response+json" => (false, Offer::GraphqlResponse),
        "text/event-stream" => (false, Offer::Events),
        "*/*" | "application/*" => (true, Offer::Json),
        _ => return None,
    };
    let mut quality = 1000;
    for part in parts {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "q" => quality = read_quality(value.trim())?,
            "charset" if !is_utf8(value) => return None,
            _ => {}
        }
    }
    Some((quality, wild, offer))
}

fn read_quality(text: &str) -> Option<u16> {
    let quality: f32 = text.parse().ok()?;
    (0.0..=1.0)
        .contains(&quality)
        .then_some((quality * 1000.0).round() as u16)
}

fn is_utf8(charset: &str) -> bool {
    let charset = charset.trim().trim_matches('"');
    charset.eq_ignore_ascii_case("utf-8") || charset.eq_ignore_ascii_case("utf8")
}

/// Whether the body is JSON line by line: `application/x-ndjson`.
pub fn is_lines(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok());
    let media = value.and_then(|value| value.split(';').next());
    media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/x-ndjson"))
}

/// Whether a body of that type can be read: `application/json`, in UTF-8.
///
/// # Errors
/// What is wrong, in a sentence.
pub fn check_content_type(headers: &HeaderMap) -> Result<(), String> {
    const WANTED: &str = "Send 'Content-Type: application/json'.";
    let Some(value) = headers.get(header::CONTENT_TYPE) else {
        return Err(format!("The body has no Content-Type. {WANTED}"));
    };
    let value = value.to_str().unwrap_or_default();
    let mut parts = value.split(';').map(str::trim);
    if !parts
        .next()
        .is_some_and(|media| media.eq_ignore_ascii_case("application/json"))
    {
        return Err(format!(
            "The Content-Type {} is not understood. {WANTED}",
            crate::db::ids::quoted(value)
        ));
    }
    for part in parts {
        if let Some((name, charset)) = part.split_once('=')
            && name.trim().eq_ignore_ascii_case("charset")
            && !is_utf8(charset)
        {
            return Err(format!(
                "The charset {} is not understood. JSON is UTF-8.",
                crate::db::ids::quoted(charset.trim())
            ));
        }
    }
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && !encoding.as_bytes().eq_ignore_ascii_case(b"identity")
    {
        return Err("Compressed bodies are not understood. Send the JSON as it is.".into());
    }
    Ok(())
}
