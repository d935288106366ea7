//! Buckets: the hours, days or months of a zone's calendar that a period is cut into. Every bound is the beginning of a quarter of an hour,
//! since every zone's hours and days begin at one.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone as _, Utc};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

use super::report::Granularity;
use crate::limits::window::Zone;

/// The length of the shortest stretch that sums are kept of.
pub const QUARTER: TimeDelta = TimeDelta::minutes(15);

/// Years in which a period may lie. Until 1972 there were zones whose clocks were not at a quarter.
pub const YEARS: std::ops::RangeInclusive<i32> = 2000..=2199;

/// Whether a quarter of an hour begins at that moment.
pub fn is_quarter(at: DateTime<Utc>) -> bool {
    at.timestamp() % QUARTER.num_seconds() == 0 && at.timestamp_subsec_nanos() == 0
}

/// The beginning of the quarter of an hour that contains the moment.
pub fn quarter(at: DateTime<Utc>) -> DateTime<Utc> {
    let second = at.timestamp() - at.timestamp().rem_euclid(QUARTER.num_seconds());
    DateTime::from_timestamp(second, 0).unwrap_or(at)
}

/// The midnight of UTC that is nearest to the moment.
pub fn nearest_midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    let near = at + TimeDelta::hours(12);
    let midnight = Utc.with_ymd_and_hms(near.year(), near.month(), near.day(), 0, 0, 0);
    midnight.single().unwrap_or(at)
}

/// The beginning of a month of UTC that is nearest to the moment, or nearly so.
pub fn nearest_month(at: DateTime<Utc>) -> DateTime<Utc> {
    let near = at + TimeDelta::days(15);
    let first = Utc.with_ymd_and_hms(near.year(), near.month(), 1, 0, 0, 0);
    first.single().unwrap_or(at)
}

/// The calendar of a zone, cut into buckets.
pub struct Calendar {
    granularity: Granularity,
    zone: TimeZone,
}

impl Calendar {
    /// Buckets of that length by that zone's clock. An hour begins at each full hour of the clock, and where the clock is changed to
    /// another part of an hour.
    pub fn new(granularity: Granularity, zone: &Zone) -> Self {
        Calendar {
            granularity,
            zone: zone.rules().clone(),
        }
    }

    /// The beginning of the first bucket after the moment.
    pub fn next(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        match self.granularity {
            Granularity::Hour => self.next_hour(at),
            Granularity::Day => self.first_after(at, self.date(at), Date::tomorrow),
            Granularity::Month => {
                let following = |date: Date| date.last_of_month().tomorrow();
                self.first_after(at, self.date(at), following)
            }
        }
    }

    /// The beginning of the bucket that lies `count` buckets before the one that ends at the moment or contains what is just before it.
    pub fn back(&self, end: DateTime<Utc>, count: i32) -> DateTime<Utc> {
        let date = self.date(end - TimeDelta::microseconds(1));
        let earlier = match self.granularity {
            Granularity::Hour => return end - TimeDelta::hours(count.into()),
            Granularity::Day => date.checked_sub(jiff::Span::new().days(count - 1)),
            Granularity::Month => {
                let first = date.first_of_month();
                first.checked_sub(jiff::Span::new().months(count - 1))
            }
        };
        earlier.map_or(end, |date| self.begin(date).unwrap_or(end))
    }

    /// The bounds of the buckets from one moment to another: these two, and every beginning between them. `None` where these are more than
    /// `most` buckets.
    pub fn bounds(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        most: usize,
    ) -> Option<Vec<DateTime<Utc>>> {
        let mut bounds = vec![from];
        let mut next = self.next(from);
        while next < to {
            if bounds.len() == most {
                return None;
            }
            bounds.push(next);
            next = self.next(next);
        }
        bounds.push(to);
        Some(bounds)
    }

    fn next_hour(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let from = timestamp(at);
        let offset = self.zone.to_offset(from);
        let local = at.timestamp() + i64::from(offset.seconds());
        let next = at - TimeDelta::nanoseconds(at.timestamp_subsec_nanos().into())
            + TimeDelta::seconds(3_600 - local.rem_euclid(3_600));
        let changes = |to: &Offset| (to.seconds() - offset.seconds()) % 3_600 != 0;
        let change = self.zone.following(from).next();
        match change.filter(|change| changes(&change.offset())) {
            Some(change) => next.min(moment(change.timestamp())),
            None => next,
        }
    }

    /// The first beginning after the moment of the dates that follow one another.
    fn first_after(
        &self,
        at: DateTime<Utc>,
        date: Date,
        following: impl Fn(Date) -> Result<Date, jiff::Error>,
    ) -> DateTime<Utc> {
        let mut date = date;
        loop {
            let next = following(date).ok().map(|next| (next, self.begin(next)));
            match next {
                Some((_, Some(begin))) if begin > at => return begin,
                // A day that the zone has left out begins where the next one does.
                Some((next, Some(_))) => date = next,
                _ => return DateTime::<Utc>::MAX_UTC,
            }
        }
    }

    fn begin(&self, date: Date) -> Option<DateTime<Utc>> {
        let midnight = date.to_zoned(self.zone.clone()).ok()?;
        Some(moment(midnight.start_of_day().ok()?.timestamp()))
    }

    fn date(&self, at: DateTime<Utc>) -> Date {
        self.zone.to_datetime(timestamp(at)).date()
    }
}

fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_microsecond(at.timestamp_micros()).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn moment(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.as_microsecond()).unwrap_or_default()
}
