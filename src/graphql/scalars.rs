//! Scalars: `DateTime`, `Duration`, `Cidr`, `JSON` and `Long`.

use async_graphql::{InputType, InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime, Months, SecondsFormat, TimeDelta, Utc};
use ipnet::IpNet;

use super::guard::Reader;
use crate::db::ids::quoted;

/// The scalars that are written as texts of a form, with what tells whether a text has it: for the guard, which knows where in the
/// input the text stands.
pub const READERS: [(&str, Reader); 3] = [
    ("DateTime", |text| Timestamp::read(text).map(drop)),
    ("Duration", |text| Duration::read(text).map(drop)),
    ("Cidr", |text| Cidr::read(text).map(drop)),
];

fn parsed<T: InputType>(value: Value, read: fn(&str) -> Result<T, String>) -> InputValueResult<T> {
    match &value {
        Value::String(text) => read(text).map_err(InputValueError::custom),
        _ => Err(InputValueError::expected_type(value)),
    }
}

/// A moment in UTC, RFC 3339 with `Z`: `2030-01-31T12:00:00Z`. Input may carry another offset and up to microseconds;
/// years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub DateTime<Utc>);

/// A moment in UTC, RFC 3339 with `Z`: `2030-01-31T12:00:00Z`. Input may carry another offset and up to microseconds;
/// years 1970 to 9999.
#[Scalar(
    name = "DateTime",
    specified_by_url = "https://datatracker.ietf.org/doc/html/rfc3339"
)]
impl ScalarType for Timestamp {
    fn parse(value: Value) -> InputValueResult<Self> {
        parsed(value, Timestamp::read)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Timestamp {
    fn read(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{} is not a moment. Write it as RFC 3339, for example 2030-01-31T12:00:00Z, between the years 1970 and 9999.",
                quoted(text)
            )
        };
        let moment = DateTime::parse_from_rfc3339(text)
            .map_err(|_| wrong())?
            .to_utc();
        let years = 0..253_402_300_800;
        if !years.contains(&moment.timestamp()) {
            return Err(wrong());
        }
        // Postgres keeps microseconds.
        DateTime::from_timestamp_micros(moment.timestamp_micros())
            .map(Timestamp)
            .ok_or_else(wrong)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        Timestamp(moment)
    }
}

/// A length of time in ISO 8601 form: `P30D`, `PT12H`, `P1Y6M`, `P2W`. Months and years are calendar ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    months: u32,
    rest: TimeDelta,
}

impl Duration {
    /// No time at all.
    pub const ZERO: Duration = Duration {
        months: 0,
        rest: TimeDelta::zero(),
    };

    /// The moment that much later; `None` beyond the year 9999.
    pub fn after(self, from: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let until = from
            .checked_add_months(Months::new(self.months))?
            .checked_add_signed(self.rest)?;
        (until.timestamp() < 253_402_300_800).then_some(until)
    }

    /// Whether it is no time at all.
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }

    fn read(text: &str) -> Result<Self, String> {
        Self::of(text).ok_or_else(|| {
            format!(
                "{} is not a duration. Write it as ISO 8601, for example P30D, PT12H or P1Y.",
                quoted(text)
            )
        })
    }

    fn of(text: &str) -> Option<Self> {
        match iso8601::duration(text).ok()? {
            iso8601::Duration::YMDHMS {
                year,
                month,
                day,
                hour,
                minute,
                second,
                millisecond,
            } => {
                let rest = TimeDelta::try_days(day.into())?
                    .checked_add(&TimeDelta::try_hours(hour.into())?)?
                    .checked_add(&TimeDelta::try_minutes(minute.into())?)?
                    .checked_add(&TimeDelta::try_seconds(second.into())?)?
                    .checked_add(&TimeDelta::try_milliseconds(millisecond.into())?)?;
                Some(Duration {
                    months: year.checked_mul(12)?.checked_add(month)?,
                    rest,
                })
            }
            iso8601::Duration::Weeks(weeks) => Some(Duration {
                months: 0,
                rest: TimeDelta::try_weeks(weeks.into())?,
            }),
        }
    }
}

/// A length of time in ISO 8601 form: `P30D`, `PT12H`, `P1Y6M`, `P2W`. Months and years are calendar ones.
#[Scalar(specified_by_url = "https://en.wikipedia.org/wiki/ISO_8601#Durations")]
impl ScalarType for Duration {
    fn parse(value: Value) -> InputValueResult<Self> {
        parsed(value, Duration::read)
    }

    fn to_value(&self) -> Value {
        let (years, months) = (self.months / 12, self.months % 12);
        let days = self.rest.num_days();
        let seconds = (self.rest - TimeDelta::days(days)).num_milliseconds() as f64 / 1000.0;
        let mut text = String::from("P");
        for (amount, unit) in [
            (i64::from(years), 'Y'),
            (i64::from(months), 'M'),
            (days, 'D'),
        ] {
            if amount > 0 {
                text.push_str(&format!("{amount}{unit}"));
            }
        }
        if seconds > 0.0 || text.len() == 1 {
            text.push_str(&format!("T{seconds}S"));
        }
        Value::String(text)
    }
}

/// A range of addresses, IPv4 or IPv6: `192.0.2.0/24`, `2001:db8::/32`; a single address stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cidr(pub IpNet);

/// A range of addresses, IPv4 or IPv6: `192.0.2.0/24`, `2001:db8::/32`; a single address stands for itself.
#[Scalar(specified_by_url = "https://datatracker.ietf.org/doc/html/rfc4632")]
impl ScalarType for Cidr {
    fn parse(value: Value) -> InputValueResult<Self> {
        parsed(value, Cidr::read)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

impl Cidr {
    fn read(text: &str) -> Result<Self, String> {
        let net = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
            .map_err(|_| {
                format!(
                    "{} is not a range of addresses. Write it as 192.0.2.0/24 or 2001:db8::/32.",
                    quoted(text)
                )
            })?;
        if net.trunc() != net {
            return Err(format!(
                "{} has bits set behind its prefix length. The range is {}.",
                quoted(text),
                net.trunc()
            ));
        }
        Ok(Cidr(net))
    }
}

/// Any JSON value. Where an object is wanted, such as for metadata: at most 16 kB, nested at most 16 deep.
#[derive(Debug, Clone, PartialEq)]
pub struct Json(pub serde_json::Value);

/// Any JSON value. Where an object is wanted, such as for metadata: at most 16 kB, nested at most 16 deep.
#[Scalar(
    name = "JSON",
    specified_by_url = "https://datatracker.ietf.org/doc/html/rfc8259"
)]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        value
            .into_json()
            .map(Json)
            .map_err(|_| InputValueError::custom("This is not JSON."))
    }

    fn to_value(&self) -> Value {
        Value::from_json(self.0.clone()).unwrap_or(Value::Null)
    }
}

/// A whole number that may have more than 32 bits, written as a JSON number. Up to 9007199254740991 every client reads it exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Long(pub i128);

/// A whole number that may have more than 32 bits, written as a JSON number. Up to 9007199254740991 every client reads it exactly.
#[Scalar]
impl ScalarType for Long {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) if number.is_i64() => {
                Ok(Long(number.as_i64().unwrap_or_default().into()))
            }
            _ => Err(InputValueError::expected_type(value)),
        }
    }

    fn to_value(&self) -> Value {
        match (i64::try_from(self.0), u64::try_from(self.0)) {
            (Ok(number), _) => number.into(),
            (_, Ok(number)) => number.into(),
            // Digits beyond those are no JSON number that anybody reads exactly.
            _ => (self.0 as f64).into(),
        }
    }
}
