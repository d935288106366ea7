//! Keyset pages: a list goes on after (or before) a row, not after a number of rows.
//!
//! A cursor holds the list's name, the row's sort key and id, and a checksum: a cursor of another list, of another order,
//! or one that was tampered with is refused.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, SecondsFormat, Utc};
use uuid::Uuid;

use crate::db::ids::quoted;
use crate::error::{Error, Result};

/// Rows of a page when neither `first` nor `last` is given.
pub const DEFAULT_PAGE: i64 = 20;
/// Rows of a page at most.
pub const MAX_PAGE: i64 = 100;

/// The place of a row in its order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SortKey {
    /// Ordered by a time.
    Time(DateTime<Utc>),
    /// Ordered by a text, compared as the database compares it.
    Text(String),
}

/// A row's place in a list.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The sort key of the row.
    pub key: SortKey,
    /// The row's id, which breaks ties.
    pub id: Uuid,
}

impl Cursor {
    /// The place of a row in an order by time.
    pub fn time(at: DateTime<Utc>, id: Uuid) -> Self {
        Cursor {
            key: SortKey::Time(at),
            id,
        }
    }

    /// The place of a row in an order by text.
    pub fn text(text: impl Into<String>, id: Uuid) -> Self {
        Cursor {
            key: SortKey::Text(text.into()),
            id,
        }
    }

    /// The cursor as the API shows it; `list` names list and order, e.g. `users:USERNAME`.
    pub fn encode(&self, list: &str) -> String {
        let key = match &self.key {
            SortKey::Time(at) => at.to_rfc3339_opts(SecondsFormat::Micros, true),
            SortKey::Text(text) => text.clone(),
        };
        let body = format!("{list}\u{1f}{}\u{1f}{key}", self.id.simple());
        let mut bytes = crc32fast::hash(body.as_bytes()).to_be_bytes().to_vec();
        bytes.extend_from_slice(body.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of `list`; `field` is `after` or `before`, for the error.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` when it is malformed, changed, or of another list or order.
    pub fn decode(list: &str, field: &str, text: &str) -> Result<Cursor> {
        let refuse = |why: &str| {
            Error::bad_input(
                field,
                format!(
                    "{} {why}. Use an endCursor or startCursor that this very list has returned.",
                    quoted(text)
                ),
            )
        };
        let read = || {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            let (sum, body) = bytes.split_at_checked(4)?;
            let intact = crc32fast::hash(body).to_be_bytes() == sum;
            let mut parts = std::str::from_utf8(body)
                .ok()
                .filter(|_| intact)?
                .splitn(3, '\u{1f}');
            Some((
                parts.next()?.to_owned(),
                Uuid::try_parse(parts.next()?).ok()?,
                parts.next()?.to_owned(),
            ))
        };
        let (of, id, key) = read().ok_or_else(|| refuse("is not a cursor"))?;
        if of != list {
            return Err(refuse("is a cursor of another list or order"));
        }
        // The checksum is no secret: a key that this list cannot have is refused, lest it reach the database.
        let key = if list.ends_with(":TEXT") {
            Some(key)
                .filter(|key| !key.contains('\0'))
                .map(SortKey::Text)
        } else {
            let at = DateTime::parse_from_rfc3339(&key).ok();
            at.map(|at| SortKey::Time(at.to_utc()))
        };
        let key = key.ok_or_else(|| refuse("is not a cursor"))?;
        Ok(Cursor { key, id })
    }
}

/// Which rows of a list are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PageRequest {
    /// How many rows, 0–100.
    pub limit: i64,
    /// From the end (`last`) rather than from the beginning (`first`).
    pub backward: bool,
    /// Only rows after this one.
    pub after: Option<Cursor>,
    /// Only rows before this one.
    pub before: Option<Cursor>,
    /// Whether `totalCount` is asked for.
    pub count: bool,
}

impl PageRequest {
    /// Checks Relay's four arguments for the list named `list` (e.g. `users:CREATED_AT`; a name that ends in `:TEXT`
    /// is ordered by text).
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for `first` or `last` outside 0–100, both at once, or a cursor that is not this list's.
    pub fn new(
        list: &str,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        count: bool,
    ) -> Result<Self> {
        if first.is_some() && last.is_some() {
            return Err(Error::bad_input(
                "last",
                "Give either first or last, not both.",
            ));
        }
        for (name, value) in [("first", first), ("last", last)] {
            if let Some(value) = value.filter(|n| !(0..=MAX_PAGE).contains(&i64::from(*n))) {
                return Err(Error::bad_input(
                    name,
                    format!("{name} is {value}. A page holds from 0 to {MAX_PAGE}."),
                ));
            }
        }
        let decode = |field, text: Option<String>| {
            text.map(|text| Cursor::decode(list, field, &text))
                .transpose()
        };
        Ok(PageRequest {
            limit: first.or(last).map_or(DEFAULT_PAGE, i64::from),
            backward: last.is_some(),
            after: decode("after", after)?,
            before: decode("before", before)?,
            count,
        })
    }

    /// The first `limit` rows.
    pub fn first(limit: i64) -> Self {
        PageRequest {
            limit,
            backward: false,
            after: None,
            before: None,
            count: false,
        }
    }
}

/// Some rows of a list, in the list's order.
#[derive(Debug, Clone)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Whether there are rows before the first.
    pub has_previous: bool,
    /// Whether there are rows after the last.
    pub has_next: bool,
    /// How many rows the filter and the actor's rights leave, if asked for.
    pub total: Option<i64>,
}

impl<T> Default for Page<T> {
    /// A page of a list that has no rows.
    fn default() -> Self {
        Page {
            items: Vec::new(),
            has_previous: false,
            has_next: false,
            total: Some(0),
        }
    }
}

impl<T> Page<T> {
    /// Makes the page of `limit + 1` rows as they were read (in reverse where the request goes backward).
    pub fn of(request: &PageRequest, mut rows: Vec<T>, total: Option<i64>) -> Self {
        let more = rows.len() as i64 > request.limit;
        rows.truncate(request.limit as usize);
        if request.backward {
            rows.reverse();
        }
        let (has_previous, has_next) = if request.backward {
            (more, request.before.is_some())
        } else {
            (request.after.is_some(), more)
        };
        Page {
            items: rows,
            has_previous,
            has_next,
            total,
        }
    }

    /// A page without rows.
    pub fn empty(request: &PageRequest) -> Self {
        Page {
            items: Vec::new(),
            has_previous: false,
            has_next: false,
            total: request.count.then_some(0),
        }
    }

    /// The same page of other things.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(f).collect(),
            has_previous: self.has_previous,
            has_next: self.has_next,
            total: self.total,
        }
    }
}
