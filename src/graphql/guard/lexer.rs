//! The tokens of a GraphQL document, to the letter of the specification, without allocation.

use std::borrow::Cow;

/// The kinds of tokens. Comments, commas, white space and byte order marks are none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Bang,
    Dollar,
    Amp,
    ParenL,
    ParenR,
    Spread,
    Colon,
    Equals,
    At,
    BracketL,
    BracketR,
    BraceL,
    Pipe,
    BraceR,
    Name,
    Int,
    Float,
    String,
    BlockString,
    End,
}

impl Kind {
    /// How it is called in a message.
    pub(super) fn describe(self) -> &'static str {
        match self {
            Self::Bang => "\"!\"",
            Self::Dollar => "\"$\"",
            Self::Amp => "\"&\"",
            Self::ParenL => "\"(\"",
            Self::ParenR => "\")\"",
            Self::Spread => "\"...\"",
            Self::Colon => "\":\"",
            Self::Equals => "\"=\"",
            Self::At => "\"@\"",
            Self::BracketL => "\"[\"",
            Self::BracketR => "\"]\"",
            Self::BraceL => "\"{\"",
            Self::Pipe => "\"|\"",
            Self::BraceR => "\"}\"",
            Self::Name => "Name",
            Self::Int => "Int",
            Self::Float => "Float",
            Self::String => "String",
            Self::BlockString => "BlockString",
            Self::End => "<EOF>",
        }
    }
}

/// A token: its kind and the bytes of the text it takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
}

/// The text at byte `at` is no token.
#[derive(Debug)]
pub(super) struct LexError {
    pub at: usize,
    pub what: Cow<'static, str>,
}

impl LexError {
    fn new(at: usize, what: &'static str) -> Self {
        Self {
            at,
            what: Cow::Borrowed(what),
        }
    }
}

/// Reads token after token. After [`Kind::End`] it keeps answering that.
#[derive(Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn byte(&self, at: usize) -> u8 {
        // NUL is no part of any token, so it can stand for the end.
        self.text.as_bytes().get(at).copied().unwrap_or(0)
    }

    fn take(&mut self, kind: Kind, end: usize) -> Token {
        let start = self.at;
        self.at = end;
        Token { kind, start, end }
    }

    fn skip_ignored(&mut self) {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' | b',' => self.at += 1,
                0xEF if bytes[self.at..].starts_with(&[0xEF, 0xBB, 0xBF]) => self.at += 3,
                b'#' => {
                    while !matches!(bytes.get(self.at), None | Some(b'\n' | b'\r')) {
                        self.at += 1;
                    }
                }
                _ => break,
            }
        }
    }

    pub(super) fn next(&mut self) -> Result<Token, LexError> {
        self.skip_ignored();
        let at = self.at;
        if at >= self.text.len() {
            return Ok(self.take(Kind::End, at));
        }
        let one = |kind| Some((kind, at + 1));
        let punctuator = match self.byte(at) {
            b'!' => one(Kind::Bang),
            b'$' => one(Kind::Dollar),
            b'&' => one(Kind::Amp),
            b'(' => one(Kind::ParenL),
            b')' => one(Kind::ParenR),
            b':' => one(Kind::Colon),
            b'=' => one(Kind::Equals),
            b'@' => one(Kind::At),
            b'[' => one(Kind::BracketL),
            b']' => one(Kind::BracketR),
            b'{' => one(Kind::BraceL),
            b'|' => one(Kind::Pipe),
            b'}' => one(Kind::BraceR),
            b'.' if self.byte(at + 1) == b'.' && self.byte(at + 2) == b'.' => {
                Some((Kind::Spread, at + 3))
            }
            _ => None,
        };
        if let Some((kind, end)) = punctuator {
            return Ok(self.take(kind, end));
        }
        match self.byte(at) {
            b'"' if self.byte(at + 1) == b'"' && self.byte(at + 2) == b'"' => self.block_string(),
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                let mut end = at + 1;
                while self.byte(end) == b'_' || self.byte(end).is_ascii_alphanumeric() {
                    end += 1;
                }
                Ok(self.take(Kind::Name, end))
            }
            b'\'' => Err(LexError::new(
                at,
                "Unexpected single quote character ('), did you mean to use a double quote (\")?",
            )),
            _ => {
                let c = self.text[at..].chars().next().unwrap_or('\0');
                Err(LexError {
                    at,
                    what: format!("Unexpected character: {}.", show(c)).into(),
                })
            }
        }
    }

    fn number(&mut self) -> Result<Token, LexError> {
        let mut end = self.at;
        let mut kind = Kind::Int;
        if self.byte(end) == b'-' {
            end += 1;
        }
        if self.byte(end) == b'0' {
            end += 1;
            if self.byte(end).is_ascii_digit() {
                return Err(LexError::new(
                    end,
                    "Invalid number, unexpected digit after 0.",
                ));
            }
        } else {
            end = self.digits(end)?;
        }
        if self.byte(end) == b'.' {
            kind = Kind::Float;
            end = self.digits(end + 1)?;
        }
        if matches!(self.byte(end), b'e' | b'E') {
            kind = Kind::Float;
            end += 1;
            if matches!(self.byte(end), b'+' | b'-') {
                end += 1;
            }
            end = self.digits(end)?;
        }
        if matches!(self.byte(end), b'.' | b'_') || self.byte(end).is_ascii_alphabetic() {
            return Err(LexError::new(end, "Invalid number, expected a digit."));
        }
        Ok(self.take(kind, end))
    }

    fn digits(&self, start: usize) -> Result<usize, LexError> {
        let mut end = start;
        while self.byte(end).is_ascii_digit() {
            end += 1;
        }
        if end == start {
            return Err(LexError::new(start, "Invalid number, expected a digit."));
        }
        Ok(end)
    }

    fn string(&mut self) -> Result<Token, LexError> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => return Ok(self.take(Kind::String, at + 1)),
                Some(b'\\') => {
                    let Some((_, size)) = escape(&self.text[at..]) else {
                        return Err(LexError::new(
                            at,
                            "Invalid escape sequence in a string; allowed are \\\" \\\\ \\/ \\b \\f \\n \\r \\t, \\uXXXX and \\u{X…}, and surrogates only in pairs.",
                        ));
                    };
                    at += size;
                }
                None | Some(b'\n' | b'\r') => {
                    return Err(LexError::new(at, "Unterminated string."));
                }
                Some(_) => at += 1,
            }
        }
    }

    fn block_string(&mut self) -> Result<Token, LexError> {
        let bytes = self.text.as_bytes();
        let mut at = self.at + 3;
        while at < bytes.len() {
            if bytes[at..].starts_with(b"\"\"\"") {
                return Ok(self.take(Kind::BlockString, at + 3));
            }
            at += if bytes[at..].starts_with(b"\\\"\"\"") {
                4
            } else {
                1
            };
        }
        Err(LexError::new(bytes.len(), "Unterminated string."))
    }
}

/// The escape sequence that `text` starts with (its first byte is the backslash): the character and the bytes it takes.
fn escape(text: &str) -> Option<(char, usize)> {
    let bytes = text.as_bytes();
    let simple = |c| Some((c, 2));
    match bytes.get(1)? {
        b'"' => simple('"'),
        b'\\' => simple('\\'),
        b'/' => simple('/'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'u' if bytes.get(2) == Some(&b'{') => {
            let digits = bytes.iter().skip(3).take(9).position(|b| *b == b'}')?;
            let point = hex(bytes.get(3..3 + digits)?)?;
            Some((char::from_u32(point)?, digits + 4))
        }
        b'u' => {
            let lead = hex(bytes.get(2..6)?)?;
            if let Some(c) = char::from_u32(lead) {
                return Some((c, 6));
            }
            if bytes.get(6..8)? != b"\\u" {
                return None;
            }
            let trail = hex(bytes.get(8..12)?)?;
            let pair = [u16::try_from(lead).ok()?, u16::try_from(trail).ok()?];
            let c = char::decode_utf16(pair).next()?.ok()?;
            Some((c, 12))
        }
        _ => None,
    }
}

fn hex(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let mut value: u32 = 0;
    for digit in digits {
        value = (value << 4) | char::from(*digit).to_digit(16)?;
    }
    Some(value)
}

/// The value of a string token (quotes included) that the lexer has accepted.
pub(super) fn string_value(raw: &str) -> Cow<'_, str> {
    let inner = raw
        .strip_prefix('"')
        .and_then(|raw| raw.strip_suffix('"'))
        .unwrap_or(raw);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut value = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(slash) = rest.find('\\') {
        value.push_str(&rest[..slash]);
        let (c, size) = escape(&rest[slash..]).unwrap_or(('\u{fffd}', 1));
        value.push(c);
        rest = &rest[slash + size..];
    }
    value.push_str(rest);
    Cow::Owned(value)
}

/// The value of a block string token (quotes included): common indent and blank first and last lines removed.
pub(super) fn block_string_value(raw: &str) -> String {
    let inner = raw
        .strip_prefix("\"\"\"")
        .and_then(|raw| raw.strip_suffix("\"\"\""))
        .unwrap_or(raw)
        .replace("\\\"\"\"", "\"\"\"")
        .replace("\r\n", "\n")
        .replace('\r', "\n");
    let lines: Vec<&str> = inner.split('\n').collect();
    let indent = |line: &str| {
        line.bytes()
            .take_while(|b| matches!(b, b' ' | b'\t'))
            .count()
    };
    let blank = |line: &&str| indent(line) == line.len();
    let common = lines
        .iter()
        .skip(1)
        .filter(|line| !blank(line))
        .map(|line| indent(line))
        .min()
        .unwrap_or(0);
    let Some(first) = lines.iter().position(|line| !blank(line)) else {
        return String::new();
    };
    let last = lines.iter().rposition(|line| !blank(line)).unwrap_or(first);
    let mut value = String::with_capacity(inner.len());
    for (i, line) in lines.iter().enumerate().take(last + 1).skip(first) {
        if i > first {
            value.push('\n');
        }
        let cut = if i == 0 { 0 } else { common };
        value.push_str(line.get(cut..).unwrap_or(""));
    }
    value
}

fn show(c: char) -> String {
    if c == '"' {
        "'\"'".to_owned()
    } else if (' '..='~').contains(&c) {
        format!("\"{c}\"")
    } else {
        format!("U+{:04X}", u32::from(c))
    }
}
