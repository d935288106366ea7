//! Buckets of calendars: where they begin.

use chrono::{DateTime, TimeDelta, Utc};
use keystead::limits::window::Zone;
use keystead::usage::buckets::{Calendar, is_quarter, nearest_midnight};
use keystead::usage::report::Granularity;

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn calendar(granularity: Granularity, zone: &str) -> Calendar {
    Calendar::new(granularity, &Zone::parse("zone", zone).unwrap())
}

/// The lengths of the buckets, in minutes.
fn lengths(granularity: Granularity, zone: &str, from: &str, to: &str) -> Vec<i64> {
    let bounds = calendar(granularity, zone).bounds(at(from), at(to), 10_000);
    let bounds = bounds.unwrap();
    assert_eq!(
        (bounds.first(), bounds.last()),
        (Some(&at(from)), Some(&at(to)))
    );
    bounds
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).num_minutes())
        .collect()
}

#[test]
fn a_day_has_23_or_25_hours_when_clocks_change() {
    let days = |zone, from, to| lengths(Granularity::Day, zone, from, to);
    assert_eq!(
        days(
            "Europe/Berlin",
            "2030-03-29T23:00:00Z",
            "2030-04-01T22:00:00Z"
        ),
        [1440, 1380, 1440]
    );
    assert_eq!(
        days(
            "Europe/Berlin",
            "2030-10-25T22:00:00Z",
            "2030-10-28T23:00:00Z"
        ),
        [1440, 1500, 1440]
    );
    // Half an hour only; and at midnight, so that a day begins at one o'clock.
    assert_eq!(
        days(
            "Australia/Lord_Howe",
            "2030-10-05T13:30:00Z",
            "2030-10-06T13:00:00Z"
        ),
        [1410]
    );
    assert_eq!(
        days(
            "America/Havana",
            "2030-03-09T05:00:00Z",
            "2030-03-12T04:00:00Z"
        ),
        [1440, 1380, 1440]
    );
    assert_eq!(
        days(
            "Asia/Kathmandu",
            "2030-01-01T00:00:00Z",
            "2030-01-02T00:00:00Z"
        ),
        [1095, 345]
    );
    // This one was left out.
    assert_eq!(
        days(
            "Pacific/Apia",
            "2011-12-29T10:00:00Z",
            "2011-12-31T10:00:00Z"
        ),
        [1440, 1440]
    );
}

#[test]
fn an_hour_begins_at_the_full_hour_and_where_the_clock_moves_by_less() {
    let hours = |zone, from, to| lengths(Granularity::Hour, zone, from, to);
    assert_eq!(
        hours(
            "Europe/Berlin",
            "2030-03-31T00:30:00Z",
            "2030-03-31T02:30:00Z"
        ),
        [30, 60, 30]
    );
    assert_eq!(
        hours(
            "Asia/Kolkata",
            "2030-01-01T00:00:00Z",
            "2030-01-01T02:00:00Z"
        ),
        [30, 60, 30]
    );
    assert_eq!(
        hours(
            "Asia/Kathmandu",
            "2030-01-01T00:00:00Z",
            "2030-01-01T01:00:00Z"
        ),
        [15, 45]
    );
    // 02:00 becomes 02:30, and half a year later 02:00 becomes 01:30.
    assert_eq!(
        hours(
            "Australia/Lord_Howe",
            "2030-10-05T14:30:00Z",
            "2030-10-05T17:00:00Z"
        ),
        [60, 30, 60]
    );
    assert_eq!(
        hours(
            "Australia/Lord_Howe",
            "2030-04-06T14:00:00Z",
            "2030-04-06T16:30:00Z"
        ),
        [60, 30, 60]
    );
}

#[test]
fn a_month_is_one_of_the_calendar() {
    let months = lengths(
        Granularity::Month,
        "America/New_York",
        "2028-01-15T00:00:00Z",
        "2028-04-01T04:00:00Z",
    );
    let days: Vec<i64> = months.iter().map(|minutes| minutes / 60).collect();
    assert_eq!(days, [17 * 24 + 5, 29 * 24, 31 * 24 - 1]);
}

#[test]
fn a_usual_period_is_so_many_buckets() {
    for (granularity, zone, end, count, begin) in [
        (
            Granularity::Hour,
            "Europe/Berlin",
            "2030-03-31T05:00:00Z",
            24,
            "2030-03-30T05:00:00Z",
        ),
        (
            Granularity::Day,
            "Europe/Berlin",
            "2030-04-01T22:00:00Z",
            3,
            "2030-03-29T23:00:00Z",
        ),
        (
            Granularity::Day,
            "UTC",
            "2030-04-01T12:15:00Z",
            1,
            "2030-04-01T00:00:00Z",
        ),
        (
            Granularity::Month,
            "UTC",
            "2030-03-31T12:15:00Z",
            2,
            "2030-02-01T00:00:00Z",
        ),
    ] {
        let calendar = calendar(granularity, zone);
        assert_eq!(
            calendar.back(at(end), count),
            at(begin),
            "{granularity:?} {zone} {end}"
        );
    }
}

#[test]
fn too_many_buckets_are_not_counted_out() {
    let calendar = calendar(Granularity::Day, "UTC");
    let bounds = |to, most| calendar.bounds(at("2030-01-01T00:00:00Z"), at(to), most);
    assert_eq!(
        bounds("2030-01-04T00:00:00Z", 3).map(|bounds| bounds.len()),
        Some(4)
    );
    assert_eq!(bounds("2030-01-04T00:15:00Z", 3), None);
}

#[test]
fn every_bound_of_every_zone_is_a_quarter_of_an_hour() {
    let mut zones = 0;
    for name in jiff::tz::db().available() {
        let zone = Zone::parse("zone", name.as_str()).unwrap();
        zones += 1;
        for granularity in [Granularity::Hour, Granularity::Day, Granularity::Month] {
            let calendar = Calendar::new(granularity, &zone);
            let mut moment = at("2000-01-01T00:00:00Z");
            while moment < at("2038-01-01T00:00:00Z") {
                let next = calendar.next(moment);
                assert!(
                    next > moment && is_quarter(next),
                    "{name} {granularity:?} {next}"
                );
                // Every clock change of those years is come by.
                moment = next
                    + TimeDelta::days(if granularity == Granularity::Hour {
                        20
                    } else {
                        60
                    });
            }
            for change in [
                "2011-12-30T10:00:00Z",
                "2016-04-30T12:00:00Z",
                "2029-10-28T00:59:00Z",
            ] {
                assert!(is_quarter(calendar.next(at(change))), "{name} {change}");
            }
        }
    }
    assert!(zones > 300, "only {zones} zones");
}

#[test]
fn the_nearest_midnight_is_at_most_half_a_day_away() {
    for (moment, midnight) in [
        ("2030-01-01T00:00:00Z", "2030-01-01T00:00:00Z"),
        ("2030-01-01T11:45:00Z", "2030-01-01T00:00:00Z"),
        ("2030-01-01T12:00:00Z", "2030-01-02T00:00:00Z"),
        ("2029-12-31T23:45:00Z", "2030-01-01T00:00:00Z"),
    ] {
        assert_eq!(nearest_midnight(at(moment)), at(midnight));
    }
}
