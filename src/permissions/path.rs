//! Paths: what rights are about.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The most segments a path may have.
pub const MAX_SEGMENTS: usize = 16;
/// The most bytes a path may have in its canonical form.
pub const MAX_BYTES: usize = 512;

/// A place in the tree of everything that rights can be about: `/`, `/users/user_01…`, `/models/gpt-4o`.
///
/// Always in canonical form, so that equal paths are equal strings: segments hold the characters which RFC 3986 allows in a
/// path segment as themselves and every other byte as `%XX` in capitals. Nothing needs to exist behind a path.
/// Cloning is cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Path(Arc<str>);

impl Path {
    /// The path above all others, `/`.
    pub fn root() -> Self {
        Self(Arc::from("/"))
    }

    /// Reads a path and brings it into canonical form.
    ///
    /// # Errors
    /// When the text does not begin with `/`, has an empty, `.` or `..` segment, a character that must be percent-encoded, a
    /// broken escape, more than [`MAX_SEGMENTS`] segments or more than [`MAX_BYTES`] bytes.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let fail = |fault| PathError::new(text, fault);
        let rest = text
            .strip_prefix('/')
            .ok_or_else(|| fail(Fault::NotRooted))?;
        if rest.is_empty() {
            return Ok(Self::root());
        }
        let mut canonical = String::with_capacity(text.len().min(MAX_BYTES));
        for (index, segment) in rest.split('/').enumerate() {
            if index == MAX_SEGMENTS {
                return Err(fail(Fault::TooManySegments));
            }
            let decoded = decode(segment).map_err(fail)?;
            push_segment(&mut canonical, &decoded).map_err(fail)?;
        }
        Ok(Self(canonical.into()))
    }

    /// The path one segment below this one; the segment is given as plain text and encoded here.
    ///
    /// # Errors
    /// When the segment is empty, `.` or `..`, holds control characters, or the path would become too long.
    pub fn join(&self, segment: &str) -> Result<Self, PathError> {
        let fail = |fault| {
            PathError::new(
                &format!("{}/{segment}", self.0.trim_end_matches('/')),
                fault,
            )
        };
        if self.segments().count() == MAX_SEGMENTS {
            return Err(fail(Fault::TooManySegments));
        }
        let mut canonical = String::with_capacity(self.0.len() + segment.len() + 1);
        if !self.is_root() {
            canonical.push_str(&self.0);
        }
        push_segment(&mut canonical, segment).map_err(fail)?;
        Ok(Self(canonical.into()))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// The path one segment up; `None` for `/`.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        match self.0.rfind('/') {
            Some(0) | None => Some(Self::root()),
            Some(end) => Some(Self(Arc::from(&self.0[..end]))),
        }
    }

    /// Every node on the way from `/` down to this path, both included.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let whole = self.as_str();
        let between = whole
            .match_indices('/')
            .skip(1)
            .map(|(end, _)| &whole[..end]);
        std::iter::once("/")
            .chain(between)
            .chain((!self.is_root()).then_some(whole))
    }

    /// The segments in canonical (encoded) form; none for `/`.
    pub fn segments(&self) -> impl Iterator<Item = &str> {
        self.0[1..].split('/').filter(|segment| !segment.is_empty())
    }

    /// Whether this path is `prefix` or lies below it.
    pub fn starts_with(&self, prefix: &Path) -> bool {
        prefix.is_root()
            || self
                .0
                .strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The last segment, in canonical form, when this path lies directly below `collection`.
    pub fn child_of(&self, collection: &Path) -> Option<&str> {
        if self.is_root() {
            return None;
        }
        let (above, segment) = self.0.rsplit_once('/')?;
        let collection = if collection.is_root() {
            ""
        } else {
            collection.as_str()
        };
        (above == collection).then_some(segment)
    }

    /// The last segment as people write it, when this path lies directly below `collection`.
    pub fn child_name_of(&self, collection: &Path) -> Option<String> {
        self.child_of(collection)
            .and_then(|segment| decode(segment).ok())
    }
}

/// What may stand in a segment as itself: `pchar` of RFC 3986 without escapes.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte)
}

fn decode(segment: &str) -> Result<String, Fault> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment;
    while let Some(first) = rest.chars().next() {
        if first == '%' {
            let escape = rest.get(1..3).ok_or(Fault::BrokenEscape)?;
            if !escape.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Fault::BrokenEscape);
            }
            bytes.push(u8::from_str_radix(escape, 16).map_err(|_| Fault::BrokenEscape)?);
            rest = &rest[3..];
        } else {
            let plain = u8::try_from(first).ok().filter(|byte| is_plain(*byte));
            bytes.push(plain.ok_or(Fault::Unencoded(first))?);
            rest = &rest[1..];
        }
    }
    String::from_utf8(bytes).map_err(|_| Fault::NotUtf8)
}

fn push_segment(canonical: &mut String, segment: &str) -> Result<(), Fault> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    match segment {
        "" => return Err(Fault::EmptySegment),
        "." | ".." => return Err(Fault::DotSegment),
        _ if segment.chars().any(char::is_control) => return Err(Fault::Control),
        _ => {}
    }
    canonical.push('/');
    for byte in segment.bytes() {
        if is_plain(byte) {
            canonical.push(char::from(byte));
        } else {
            canonical.push('%');
            canonical.push(char::from(HEX[usize::from(byte >> 4)]));
            canonical.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    if canonical.len() > MAX_BYTES {
        Err(Fault::TooLong)
    } else {
        Ok(())
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl Borrow<str> for Path {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Path {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Path> for String {
    fn from(path: Path) -> Self {
        path.as_str().to_owned()
    }
}

/// Why a text is not a path. Its `Display` is a sentence for people that names the value and what would be right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    value: String,
    fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    NotRooted,
    EmptySegment,
    DotSegment,
    Control,
    Unencoded(char),
    BrokenEscape,
    NotUtf8,
    TooManySegments,
    TooLong,
}

impl PathError {
    fn new(value: &str, fault: Fault) -> Self {
        const SHOWN: usize = 80;
        let mut shown: String = value.chars().take(SHOWN).collect();
        if shown.len() < value.len() {
            shown.push('…');
        }
        Self {
            value: shown,
            fault,
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a path: ", self.value)?;
        match self.fault {
            Fault::NotRooted => f.write_str("it must begin with \"/\", as in \"/models/gpt-4o\""),
            Fault::EmptySegment => {
                f.write_str("it has an empty segment; write no \"//\" and no \"/\" at the end")
            }
            Fault::DotSegment => f.write_str("\".\" and \"..\" cannot be segments"),
            Fault::Control => {
                f.write_str("control characters are not allowed, not even percent-encoded")
            }
            Fault::Unencoded(found) => {
                write!(f, "{found:?} must be percent-encoded, as ")?;
                let mut buffer = [0; 4];
                found
                    .encode_utf8(&mut buffer)
                    .bytes()
                    .try_for_each(|byte| write!(f, "%{byte:02X}"))
            }
            Fault::BrokenEscape => f.write_str("\"%\" must be followed by two hexadecimal digits"),
            Fault::NotUtf8 => f.write_str("its percent-encoded bytes must be UTF-8"),
            Fault::TooManySegments => write!(f, "it may have at most {MAX_SEGMENTS} segments"),
            Fault::TooLong => write!(f, "it may have at most {MAX_BYTES} bytes"),
        }
    }
}

impl std::error::Error for PathError {}
