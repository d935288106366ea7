//! What a proxy asks about: the method, the host and the URI of its client's request.
//!
//! A URI that two programs could read differently is refused, not put in order: whatever stands behind the proxy may put it in another
//! order than we would. So no `.` or `..` in any spelling, no empty segments, no encoded slashes or backslashes, nothing encoded twice.

use axum::http::{HeaderMap, Method, Uri, header};

/// A client's request, as far as rules look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The method; `None`: nobody told.
    pub method: Option<String>,
    /// The host in small letters, without a port; `None`: nobody told.
    pub host: Option<String>,
    /// The path's segments, decoded.
    pub segments: Vec<String>,
}

/// Headers in which proxies say what their client asked for.
const URIS: [&str; 3] = ["x-forwarded-uri", "x-original-uri", "x-original-url"];
const METHODS: [&str; 2] = ["x-forwarded-method", "x-original-method"];
const HOST: &str = "x-forwarded-host";

/// Headers by which a client asks the program behind the proxy to take the request for one of another method.
const OVERRIDES: [&str; 3] = [
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
];

impl Target {
    /// What the proxy's headers say; `None` where they name no URI.
    ///
    /// # Errors
    /// A sentence: two headers differ, or the URI can be read in more than one way.
    pub fn of_headers(headers: &HeaderMap) -> Result<Option<Target>, String> {
        let Some(uri) = agreed(headers, &URIS, |uri| Some(after_authority(uri)))? else {
            return Ok(None);
        };
        one_method(headers)?;
        Ok(Some(Target {
            method: agreed(headers, &METHODS, Some)?.map(str::to_owned),
            host: agreed(headers, &[HOST], Some)?.map(host),
            segments: segments(uri)?,
        }))
    }

    /// What was asked for where the proxy has put `before` in front of the client's URI and kept the rest.
    ///
    /// # Errors
    /// As [`Target::of_headers`].
    pub fn of_request(
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        before: &str,
    ) -> Result<Target, String> {
        one_method(headers)?;
        let named = match uri.authority() {
            Some(authority) => Some(authority.as_str()),
            None => agreed(headers, &[header::HOST.as_str()], Some)?,
        };
        let path = uri.path().strip_prefix(before).unwrap_or_default();
        Ok(Target {
            method: Some(method.as_str().to_owned()),
            host: named.map(host),
            segments: segments(path)?,
        })
    }
}

/// The value on which all of these headers agree, if one of them is there.
fn agreed<'h>(
    headers: &'h HeaderMap,
    names: &[&str],
    read: impl Fn(&'h str) -> Option<&'h str>,
) -> Result<Option<&'h str>, String> {
    let mut found: Option<&str> = None;
    for name in names {
        for value in headers.get_all(*name) {
            let text = value.to_str().ok().and_then(&read);
            let text = text.ok_or_else(|| format!("{name} is not plain ASCII."))?;
            if found.is_some_and(|found| found != text) {
                let names = names.join(", ");
                return Err(format!(
                    "The headers {names} are there more than once and differ: let the proxy set one and remove the others."
                ));
            }
            found = Some(text);
        }
    }
    Ok(found)
}

fn one_method(headers: &HeaderMap) -> Result<(), String> {
    match OVERRIDES.iter().find(|name| headers.contains_key(**name)) {
        Some(name) => Err(format!(
            "{name} gives the request another method than the proxy sees. Let the proxy remove it."
        )),
        None => Ok(()),
    }
}

fn after_authority(uri: &str) -> &str {
    let rest = uri.strip_prefix("https://").or(uri.strip_prefix("http://"));
    match rest {
        None => uri,
        Some(rest) => rest.find('/').map_or("/", |slash| &rest[slash..]),
    }
}

fn host(text: &str) -> String {
    let name = match text.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => text,
    };
    name.to_ascii_lowercase()
}

/// The segments of a URI's path, decoded; a slash at the end counts for nothing.
///
/// # Errors
/// Why the path can be read in more than one way.
pub fn segments(uri: &str) -> Result<Vec<String>, &'static str> {
    let path = uri.split('?').next().unwrap_or_default();
    let Some(inner) = path.strip_prefix('/') else {
        return Err("does not begin with /.");
    };
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    if inner.is_empty() {
        return match path {
            "/" => Ok(Vec::new()),
            _ => Err("has an empty segment."),
        };
    }
    inner.split('/').map(segment).collect()
}

fn segment(text: &str) -> Result<String, &'static str> {
    if text.is_empty() {
        return Err("has an empty segment.");
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'%' => {
                let (byte, after) = escape(after).ok_or("has a broken escape.")?;
                bytes.push(byte);
                after
            }
            b'\\' | b'#' => return Err("has a backslash or a fragment."),
            byte if byte.is_ascii_graphic() => {
                bytes.push(*byte);
                after
            }
            _ => return Err("has a character that must be percent-encoded."),
        };
    }
    let decoded = String::from_utf8(bytes).map_err(|_| "is not UTF-8.")?;
    if decoded.contains(['/', '\\']) {
        return Err("has an encoded slash or backslash.");
    }
    if decoded.chars().any(char::is_control) {
        return Err("has a control character.");
    }
    let mut parts = decoded.split('%').skip(1);
    if parts.any(|part| escape(part.as_bytes()).is_some()) {
        return Err("is encoded twice.");
    }
    // Some servers cut a segment's parameters off before they look at it.
    match decoded.split(';').next() {
        None | Some("" | "." | "..") => Err("has a segment that is empty, '.' or '..'."),
        _ => Ok(decoded),
    }
}

fn escape(text: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, after) = text.split_at_checked(2)?;
    let digits = std::str::from_utf8(digits).ok()?;
    let all = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let byte = u8::from_str_radix(digits, 16).ok()?;
    all.then_some((byte, after))
}
