//! Which window contains a moment.

use chrono::{DateTime, TimeDelta, Utc};
use keystead::limits::window::{Every, Unit, Window, Zone};
use proptest::prelude::*;

use super::calendar::{self, ZONES};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn every(count: i32, unit: Unit, anchor: &str, zone: &str) -> Every {
    let zone = Zone::parse("zone", zone).unwrap();
    Every::new("window.every", count, unit, at(anchor), zone).unwrap()
}

/// The beginnings of the windows from the one that contains `from`.
fn beginnings(every: &Every, from: &str, windows: usize) -> Vec<String> {
    let mut now = at(from);
    let mut found = Vec::new();
    for _ in 0..windows {
        let stretch = every.at(now);
        let (start, end) = (stretch.start.unwrap(), stretch.end.unwrap());
        assert!(start <= now && now < end, "{start} {now} {end}");
        found.push(start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
        now = end;
    }
    found
}

#[test]
fn a_month_from_the_31st_is_clamped_and_does_not_drift() {
    let every = every(1, Unit::Month, "2023-12-31T00:00:00Z", "UTC");
    assert_eq!(
        beginnings(&every, "2024-01-31T00:00:00Z", 5),
        [
            "2024-01-31T00:00:00Z",
            "2024-02-29T00:00:00Z",
            "2024-03-31T00:00:00Z",
            "2024-04-30T00:00:00Z",
            "2024-05-31T00:00:00Z",
        ]
    );
    assert_eq!(
        beginnings(&every, "2023-02-28T00:00:00Z", 2),
        ["2023-02-28T00:00:00Z", "2023-03-31T00:00:00Z"]
    );
}

#[test]
fn a_year_from_a_leap_day_comes_back_to_it() {
    let every = every(1, Unit::Year, "2024-02-29T12:00:00Z", "UTC");
    assert_eq!(
        beginnings(&every, "2026-01-01T00:00:00Z", 4),
        [
            "2025-02-28T12:00:00Z",
            "2026-02-28T12:00:00Z",
            "2027-02-28T12:00:00Z",
            "2028-02-29T12:00:00Z",
        ]
    );
}

#[test]
fn hours_are_elapsed_time_and_days_are_the_calendars() {
    let hours = every(48, Unit::Hour, "2026-03-28T23:00:00Z", "Europe/Berlin");
    assert_eq!(
        beginnings(&hours, "2026-03-29T00:00:00Z", 2),
        ["2026-03-28T23:00:00Z", "2026-03-30T23:00:00Z"]
    );
    // Local midnight: 23 hours in March, 25 in October.
    let days = every(1, Unit::Day, "2026-03-27T23:00:00Z", "Europe/Berlin");
    assert_eq!(
        beginnings(&days, "2026-03-28T23:00:00Z", 2),
        ["2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"]
    );
    assert_eq!(
        beginnings(&days, "2026-10-25T12:00:00Z", 2),
        ["2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"]
    );
}

#[test]
fn a_time_that_is_skipped_is_later_and_one_that_comes_twice_the_first() {
    let skipped = every(1, Unit::Day, "2026-03-27T01:30:00Z", "Europe/Berlin");
    assert_eq!(
        beginnings(&skipped, "2026-03-28T12:00:00Z", 3),
        [
            "2026-03-28T01:30:00Z",
            "2026-03-29T01:30:00Z",
            "2026-03-30T00:30:00Z",
        ]
    );
    let twice = every(1, Unit::Day, "2026-10-24T00:30:00Z", "Europe/Berlin");
    assert_eq!(
        beginnings(&twice, "2026-10-24T12:00:00Z", 3),
        [
            "2026-10-24T00:30:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:30:00Z",
        ]
    );
    // The second time, given as the anchor, is kept as it is.
    let second = every(1, Unit::Day, "2026-10-25T01:30:00Z", "Europe/Berlin");
    assert_eq!(
        beginnings(&second, "2026-10-25T01:00:00Z", 2),
        ["2026-10-24T00:30:00Z", "2026-10-25T01:30:00Z"]
    );
}

#[test]
fn a_day_that_a_zone_leaves_out_makes_no_window() {
    let every = every(1, Unit::Day, "2011-12-28T10:00:00Z", "Pacific/Apia");
    assert_eq!(
        beginnings(&every, "2011-12-29T12:00:00Z", 3),
        [
            "2011-12-29T10:00:00Z",
            "2011-12-30T10:00:00Z",
            "2011-12-31T10:00:00Z",
        ]
    );
}

#[test]
fn a_lifetime_has_no_ends() {
    let stretch = Window::Lifetime.at(at("2026-01-01T00:00:00Z"));
    assert_eq!((stretch.start, stretch.end), (None, None));
}

#[test]
fn what_makes_no_windows_is_refused_by_name() {
    let refused = |count, unit, anchor: &str| {
        let error = Every::new("w.every", count, unit, at(anchor), Zone::utc()).unwrap_err();
        format!("{}: {}", error.field.unwrap(), error.message)
    };
    let zone = |name: &str| Zone::parse("w.timeZone", name).unwrap_err().message;
    let soon = "2026-01-01T00:00:00Z";
    let told = [
        refused(0, Unit::Hour, soon),
        refused(-3, Unit::Month, soon),
        refused(1_000, Unit::Year, soon),
        refused(i32::MAX, Unit::Hour, soon),
        refused(1, Unit::Day, "1969-12-31T23:59:59Z"),
        refused(1, Unit::Day, "9999-01-01T00:00:00Z"),
        zone("Europe/Atlantis"),
        zone(""),
        zone("../../etc/passwd"),
        zone("+02:00"),
        zone(&"x".repeat(100_000)),
    ];
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(
        Zone::parse("zone", "europe/berlin").unwrap().name(),
        "Europe/Berlin"
    );
}

/// Moments of thirty years from `first` on; many of them are near a change of clocks or the end of a month.
fn moment(first: i32) -> impl Strategy<Value = DateTime<Utc>> {
    let of = |year: i32, month: u32| {
        let day = chrono::NaiveDate::from_ymd_opt(year, month, 1).unwrap();
        day.and_hms_opt(0, 0, 0).unwrap().and_utc()
    };
    let any = of(first, 1).timestamp_micros()..of(first + 30, 1).timestamp_micros();
    let near =
        (0..30i32, 1..13u32, 0..8i64, 0..96i64).prop_map(move |(year, month, step, quarter)| {
            let at = of(first + year, month)
                + TimeDelta::days(step * 4)
                + TimeDelta::minutes(quarter * 15);
            at.timestamp_micros()
        });
    prop_oneof![any, near]
        .prop_map(|micros| DateTime::from_timestamp_micros(micros).unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_window_is_the_one_that_stepping_finds(
        zone in 0..ZONES.len(), unit in 0..Unit::ALL.len(), count in 1..=50i32,
        anchor in moment(2009), now in moment(2019),
    ) {
        let (rules, unit) = (ZONES[zone], Unit::ALL[unit]);
        let count = count.min(unit.max_count());
        // Stepping through hours takes its time.
        let now = if unit == Unit::Hour {
            anchor + TimeDelta::microseconds((now - anchor).num_microseconds().unwrap() / 20)
        } else {
            now
        };
        let zone = Zone::parse("zone", rules.name).unwrap();
        let every = Every::new("every", count, unit, anchor, zone).unwrap();
        let found = every.at(now);
        let (start, end) = calendar::window(rules, anchor, unit, count, now);
        prop_assert_eq!((found.start, found.end), (Some(start), Some(end)));
    }

    #[test]
    fn windows_of_any_zone_follow_one_another(
        zone in prop::sample::select(vec![
            "America/St_Johns", "Africa/Casablanca", "Asia/Tehran", "Pacific/Apia", "America/Asuncion", "Africa/Cairo",
            "Asia/Gaza", "Europe/Dublin", "Antarctica/Troll", "America/Nuuk", "Pacific/Chatham", "Asia/Kathmandu",
        ]),
        unit in 0..Unit::ALL.len(), count in 1..=50i32, anchor in moment(1995), now in moment(2000),
    ) {
        let unit = Unit::ALL[unit];
        let zone = Zone::parse("zone", zone).unwrap();
        let every = Every::new("every", count.min(unit.max_count()), unit, anchor, zone).unwrap();
        let here = every.at(now);
        let (start, end) = (here.start.unwrap(), here.end.unwrap());
        prop_assert!(start <= now && now < end);
        prop_assert_eq!(every.at(start), here);
        prop_assert_eq!(every.at(end).start, Some(end));
        prop_assert_eq!(every.at(end - TimeDelta::microseconds(1)), here);
        prop_assert_eq!(every.at(start - TimeDelta::microseconds(1)).end, Some(start));
    }
}
