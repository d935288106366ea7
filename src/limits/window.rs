//! Windows: stretches of time that follow one another by the calendar of a time zone. Which one contains a moment is computed when it
//! is asked; nothing is stored of it, and nothing runs when one begins.
//!
//! The windows of `{count, unit, anchor, zone}` begin at the anchor and every `count` units before and after it. Hours are elapsed
//! time. Days, weeks, months and years are counted on the zone's calendar **from the anchor**, so nothing drifts: a month from the 31st
//! begins on the last day of shorter months and on the 31st again after them. A local time that the zone skips is taken as much later
//! as is skipped; of one that comes twice, the first counts (RFC 5545 reads them in the same way).

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::{Value, json};

use crate::db::ids::quoted;
use crate::error::{Error, Result};

/// What the length of a window is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// 3,600 seconds.
    Hour,
    /// A calendar day: 23 or 25 hours when clocks change.
    Day,
    /// Seven calendar days.
    Week,
    /// A calendar month.
    Month,
    /// A calendar year.
    Year,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Unit; 5] = [Unit::Hour, Unit::Day, Unit::Week, Unit::Month, Unit::Year];

    /// The name in the API and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Unit::Hour => "HOUR",
            Unit::Day => "DAY",
            Unit::Week => "WEEK",
            Unit::Month => "MONTH",
            Unit::Year => "YEAR",
        }
    }

    /// How many of them a window has at most: ten years.
    pub fn max_count(self) -> i32 {
        match self {
            Unit::Hour => 87_600,
            Unit::Day => 3_650,
            Unit::Week => 520,
            Unit::Month => 120,
            Unit::Year => 10,
        }
    }
}

impl FromStr for Unit {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        Unit::ALL
            .into_iter()
            .find(|unit| unit.as_str() == text)
            .ok_or(())
    }
}

/// A time zone of the IANA database, as this version of Keystead carries it.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Zone(TimeZone::UTC)
    }

    /// The zone with that name, without regard to case. `field` is the input's path, for the error.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for a name that is not in the database.
    pub fn parse(field: &str, name: &str) -> Result<Self> {
        TimeZone::get(name).map(Zone).map_err(|_| {
            Error::bad_input(
                field,
                format!(
                    "{field} is {}, which is no time zone that is known here. Give a name of the IANA database, such as \"Europe/Berlin\" or \
                     \"UTC\".",
                    quoted(name)
                ),
            )
        })
    }

    /// The name in the IANA database, as it is written there.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What its clocks show, and when they are changed.
    pub(crate) fn rules(&self) -> &TimeZone {
        &self.0
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How windows follow one another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Window {
    /// One window that never ends.
    Lifetime,
    /// One after the other.
    Every(Every),
}

/// Windows of one length, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Every {
    count: i32,
    unit: Unit,
    anchor: DateTime<Utc>,
    zone: Zone,
}

/// From one moment, which belongs to it, to another, which does not. `None`: without a beginning, without an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Its first moment.
    pub start: Option<DateTime<Utc>>,
    /// The first moment after it.
    pub end: Option<DateTime<Utc>>,
}

impl Window {
    /// What the audit trail keeps of it.
    pub fn snapshot(&self) -> Value {
        match self {
            Window::Lifetime => Value::Null,
            Window::Every(every) => json!({
                "count": every.count(), "unit": every.unit().as_str(), "anchor": every.anchor(), "timeZone": every.zone().name(),
            }),
        }
    }

    /// The window that contains `now`.
    pub fn at(&self, now: DateTime<Utc>) -> Stretch {
        match self {
            Window::Lifetime => Stretch {
                start: None,
                end: None,
            },
            Window::Every(every) => every.at(now),
        }
    }
}

impl Every {
    /// Windows of `count` units from `anchor` on, in both directions. `field` is the path of the input that they were given in.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for no units, for a window of more than ten years, and for an anchor before 1970 or after 2199.
    pub fn new(
        field: &str,
        count: i32,
        unit: Unit,
        anchor: DateTime<Utc>,
        zone: Zone,
    ) -> Result<Self> {
        let most = unit.max_count();
        if !(1..=most).contains(&count) {
            return Err(Error::bad_input(
                format!("{field}.count"),
                format!(
                    "{field}.count is {count}. Of the unit {} it is between 1 and {most}: a window is at most ten years long.",
                    unit.as_str()
                ),
            ));
        }
        let year = chrono::Datelike::year(&anchor);
        if !(1970..=2199).contains(&year) {
            return Err(Error::bad_input(
                format!("{field}.anchor"),
                format!("{field}.anchor is in the year {year}. It lies between 1970 and 2199."),
            ));
        }
        Ok(Every {
            count,
            unit,
            anchor,
            zone,
        })
    }

    /// How many units a window has.
    pub fn count(&self) -> i32 {
        self.count
    }

    /// What they are.
    pub fn unit(&self) -> Unit {
        self.unit
    }

    /// The beginning of one of the windows.
    pub fn anchor(&self) -> DateTime<Utc> {
        self.anchor
    }

    /// The zone whose calendar counts.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The window that contains `now`: its number is estimated from the calendar and then moved by what clamped days and changed clocks
    /// make, one or two windows at most.
    pub fn at(&self, now: DateTime<Utc>) -> Stretch {
        let mut number = self.estimate(now);
        while self.start(number) > now {
            number -= 1;
        }
        while self.start(number + 1) <= now {
            number += 1;
        }
        Stretch {
            start: Some(self.start(number)),
            end: Some(self.start(number + 1)),
        }
    }

    /// About which window contains `now`; the one that begins at the anchor is number 0.
    fn estimate(&self, now: DateTime<Utc>) -> i64 {
        let units = match self.unit {
            Unit::Hour => (now - self.anchor).num_hours(),
            Unit::Day | Unit::Week => {
                let elapsed = self.local(now).date() - self.local(self.anchor).date();
                let days = i64::from(elapsed.get_days());
                if self.unit == Unit::Day {
                    days
                } else {
                    days / 7
                }
            }
            Unit::Month | Unit::Year => {
                let (from, to) = (self.local(self.anchor), self.local(now));
                let years = i64::from(to.year()) - i64::from(from.year());
                let months = i64::from(to.month()) - i64::from(from.month());
                if self.unit == Unit::Month {
                    years * 12 + months
                } else {
                    years
                }
            }
        };
        units.div_euclid(i64::from(self.count))
    }

    /// When the window with that number begins. What lies beyond the calendar is its end.
    fn start(&self, number: i64) -> DateTime<Utc> {
        if number == 0 {
            return self.anchor;
        }
        let beyond = if number < 0 {
            DateTime::<Utc>::MIN_UTC
        } else {
            DateTime::<Utc>::MAX_UTC
        };
        self.reckon(number).unwrap_or(beyond)
    }

    fn reckon(&self, number: i64) -> Option<DateTime<Utc>> {
        let units = number.checked_mul(i64::from(self.count))?;
        let span = match self.unit {
            Unit::Hour => {
                let elapsed = chrono::TimeDelta::try_hours(units)?;
                return self.anchor.checked_add_signed(elapsed);
            }
            Unit::Day => jiff::Span::new().try_days(units),
            Unit::Week => jiff::Span::new().try_weeks(units),
            Unit::Month => jiff::Span::new().try_months(units),
            Unit::Year => jiff::Span::new().try_years(units),
        };
        let local = self.local(self.anchor).checked_add(span.ok()?).ok()?;
        let start = self.zone.0.to_timestamp(local).ok()?;
        DateTime::from_timestamp_micros(start.as_microsecond())
    }

    fn local(&self, at: DateTime<Utc>) -> civil::DateTime {
        let at = Timestamp::from_microsecond(at.timestamp_micros());
        self.zone.0.to_datetime(at.unwrap_or(Timestamp::UNIX_EPOCH))
    }
}
