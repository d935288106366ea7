//! Rows in the text form of COPY: tabs between values, `\N` for null. Nothing is escaped: what is written is made of our own words and
//! numbers, none of which has a tab, a line break or a backslash in it.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt::{Display, Write};

/// Rows that wait to be sent.
#[derive(Default)]
pub(super) struct Rows {
    text: String,
    /// Whether the row that is being written has a value yet.
    begun: bool,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn take(&mut self) -> Bytes {
        Bytes::from(std::mem::take(&mut self.text))
    }

    pub(super) fn value(&mut self, value: impl Display) -> &mut Self {
        self.separate();
        // Writing to a String cannot fail.
        let _ = write!(self.text, "{value}");
        self
    }

    pub(super) fn null(&mut self) -> &mut Self {
        self.separate();
        self.text.push_str("\\N");
        self
    }

    pub(super) fn optional(&mut self, value: Option<impl Display>) -> &mut Self {
        match value {
            Some(value) => self.value(value),
            None => self.null(),
        }
    }

    pub(super) fn time(&mut self, at: DateTime<Utc>) -> &mut Self {
        self.value(at.to_rfc3339_opts(SecondsFormat::Micros, true))
    }

    pub(super) fn optional_time(&mut self, at: Option<DateTime<Utc>>) -> &mut Self {
        match at {
            Some(at) => self.time(at),
            None => self.null(),
        }
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.separate();
        self.text.push_str("\\\\x");
        for byte in bytes {
            for digit in [byte >> 4, byte & 15] {
                self.text
                    .push(char::from(b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        self
    }

    pub(super) fn end(&mut self) {
        self.text.push('\n');
        self.begun = false;
    }

    fn separate(&mut self) {
        if self.begun {
            self.text.push('\t');
        }
        self.begun = true;
    }
}
