//! A second reckoning of windows, by other means: rules of some zones written out, and stepping from window to window. It knows nothing
//! of the first, and takes as long as it likes.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, Utc, Weekday};
use keystead::limits::window::Unit;

/// The rules of a zone from 2009 on.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    pub name: &'static str,
    /// Minutes east of Greenwich in winter.
    standard: i64,
    /// Minutes that clocks go forward.
    saving: i64,
    changes: Changes,
}

#[derive(Debug, Clone, Copy)]
enum Changes {
    Never,
    /// Last Sundays of March and October, 01:00 UTC.
    Europe,
    /// Second Sunday of March, first of November, 02:00 local.
    America,
    /// First Sundays of October, 02:00 local, and of April, at that hour of summer; the year begins in summer.
    South(u32),
}

/// Zones whose rules have been the same since then.
pub const ZONES: [Rules; 7] = [
    zone("UTC", 0, 0, Changes::Never),
    zone("Asia/Kolkata", 330, 0, Changes::Never),
    zone("Europe/Berlin", 60, 60, Changes::Europe),
    zone("Europe/London", 0, 60, Changes::Europe),
    zone("America/New_York", -300, 60, Changes::America),
    zone("Australia/Sydney", 600, 60, Changes::South(3)),
    zone("Australia/Lord_Howe", 630, 30, Changes::South(2)),
];

const fn zone(name: &'static str, standard: i64, saving: i64, changes: Changes) -> Rules {
    Rules {
        name,
        standard,
        saving,
        changes,
    }
}

fn minutes(minutes: i64) -> TimeDelta {
    TimeDelta::minutes(minutes)
}

/// The nth Sunday of a month; 0: the last.
fn sunday(year: i32, month: u32, n: u8) -> NaiveDate {
    match NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, n) {
        Some(day) if n > 0 => day,
        _ => NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, 5)
            .or_else(|| NaiveDate::from_weekday_of_month_opt(year, month, Weekday::Sun, 4))
            .unwrap(),
    }
}

impl Rules {
    /// When summer begins and ends in that year, in UTC.
    fn summer(self, year: i32) -> Option<(NaiveDateTime, NaiveDateTime)> {
        let at = |day: NaiveDate, hour: u32| day.and_hms_opt(hour, 0, 0).unwrap();
        let (standard, saving) = (minutes(self.standard), minutes(self.saving));
        match self.changes {
            Changes::Never => None,
            Changes::Europe => Some((at(sunday(year, 3, 0), 1), at(sunday(year, 10, 0), 1))),
            Changes::America => Some((
                at(sunday(year, 3, 2), 2) - standard,
                at(sunday(year, 11, 1), 2) - standard - saving,
            )),
            Changes::South(ends) => Some((
                at(sunday(year, 10, 1), 2) - standard,
                at(sunday(year, 4, 1), ends) - standard - saving,
            )),
        }
    }

    fn offset(self, utc: NaiveDateTime) -> TimeDelta {
        let local_year = (utc + minutes(self.standard)).year();
        let is_summer = match self.summer(local_year) {
            None => false,
            Some((begins, ends)) if begins < ends => begins <= utc && utc < ends,
            Some((begins, ends)) => utc < ends || begins <= utc,
        };
        minutes(self.standard + if is_summer { self.saving } else { 0 })
    }

    pub fn local(self, utc: NaiveDateTime) -> NaiveDateTime {
        utc + self.offset(utc)
    }

    /// Of a time that comes twice the first; one that is skipped, by the clock as it was before.
    pub fn instant(self, local: NaiveDateTime) -> NaiveDateTime {
        let winter = local - minutes(self.standard);
        let summer = winter - minutes(self.saving);
        if self.local(summer) == local {
            summer
        } else {
            winter
        }
    }
}

/// The same day so many months later, or the month's last.
fn months_later(from: NaiveDateTime, months: i32) -> NaiveDateTime {
    let index = from.year() * 12 + from.month0() as i32 + months;
    let (year, month) = (index.div_euclid(12), index.rem_euclid(12) as u32 + 1);
    let day = (1..=from.day())
        .rev()
        .find_map(|day| NaiveDate::from_ymd_opt(year, month, day))
        .unwrap();
    day.and_time(from.time())
}

fn days_later(from: NaiveDateTime, days: i64) -> NaiveDateTime {
    let by = Days::new(days.unsigned_abs());
    let date = if days < 0 {
        from.date().checked_sub_days(by)
    } else {
        from.date().checked_add_days(by)
    };
    date.unwrap().and_time(from.time())
}

/// When the window with that number begins.
fn start(
    rules: Rules,
    anchor: NaiveDateTime,
    unit: Unit,
    count: i32,
    number: i32,
) -> NaiveDateTime {
    if number == 0 {
        return anchor;
    }
    let (local, units) = (rules.local(anchor), number * count);
    match unit {
        Unit::Hour => anchor + TimeDelta::seconds(3_600 * i64::from(units)),
        Unit::Day => rules.instant(days_later(local, i64::from(units))),
        Unit::Week => rules.instant(days_later(local, i64::from(units) * 7)),
        Unit::Month => rules.instant(months_later(local, units)),
        Unit::Year => rules.instant(months_later(local, units * 12)),
    }
}

/// The window that contains `now`, found by stepping from the anchor.
pub fn window(
    rules: Rules,
    anchor: DateTime<Utc>,
    unit: Unit,
    count: i32,
    now: DateTime<Utc>,
) -> (DateTime<Utc>, DateTime<Utc>) {
    let (anchor, now) = (anchor.naive_utc(), now.naive_utc());
    let begin = |number: i32| start(rules, anchor, unit, count, number);
    let mut number = 0;
    while begin(number) > now {
        number -= 1;
    }
    while begin(number + 1) <= now {
        number += 1;
    }
    (begin(number).and_utc(), begin(number + 1).and_utc())
}
