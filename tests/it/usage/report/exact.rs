//! What is answered is the sum of the events, whatever is asked: compared with what Postgres makes of the raw rows, by its own calendar.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use keystead::ctx::Random;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{counts, record};
use super::world::{Event, World, key_id, team_id, usage};
use keystead::db::ids::{Id, Kind};

/// Zones with clocks of every kind: whole hours, half hours, quarters; changed forward and back, by an hour, by half of one, at midnight.
const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Havana",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Beirut",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
];

/// Moments around which events lie thickly: clocks change there, or months begin.
const MOMENTS: [&str; 10] = [
    "2029-03-25T01:00:00Z",
    "2029-04-01T02:30:00Z",
    "2029-10-06T15:30:00Z",
    "2029-10-28T01:00:00Z",
    "2029-11-04T05:00:00Z",
    "2029-11-04T06:00:00Z",
    "2029-12-31T23:00:00Z",
    "2029-03-11T07:00:00Z",
    "2029-03-31T14:00:00Z",
    "2029-04-07T14:00:00Z",
];

struct Dice(Random);

impl Dice {
    fn below(&self, limit: u64) -> u64 {
        u64::from_le_bytes(self.0.bytes()) % limit
    }

    fn of<'a, T>(&self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    fn amount(&self, limit: u64) -> i64 {
        self.below(limit) as i64
    }

    fn moment(&self) -> DateTime<Utc> {
        let (begin, around) = match self.below(3) {
            0 => ("2029-02-01T00:00:00Z", 330 * 86_400),
            _ => (*self.of(&MOMENTS), 2 * 86_400),
        };
        let begin: DateTime<Utc> = begin.parse().unwrap();
        let back = if around > 1_000_000 { 0 } else { around / 2 };
        begin + TimeDelta::microseconds(self.amount(around as u64 * 1_000_000))
            - TimeDelta::seconds(back)
    }

    fn event(&self, world: &World) -> Event {
        let mut by = *self.of(&world.spenders);
        if self.below(10) == 0 {
            by.key = None;
        }
        if self.below(10) == 0 {
            by.team = Some(world.teams[2]);
        }
        let resources = [
            "/",
            "/models",
            "/models/a",
            "/models/a/b",
            "/models/ab",
            "/models-x",
            "/vms/1",
        ];
        let tags = ["a", "b", "prod", "Grüße", "x y"];
        let count = self.below(4) as usize;
        let skip = self.below(3) as usize;
        Event {
            at: self.moment(),
            by,
            resource: (*self.of(&resources)).to_owned(),
            tags: tags
                .iter()
                .skip(skip)
                .take(count)
                .map(|&tag| tag.to_owned())
                .collect(),
            requests: self.amount(3),
            tokens_in: self.amount(100_000),
            tokens_out: self.amount(100_000),
            tokens_cached: self.amount(1_000),
            micros: self.amount(50_000_000),
            state: ["SETTLED", "SETTLED", "CHARGED", "RELEASED"][self.below(4) as usize],
        }
    }
}

/// A question, for the API and as conditions on rows.
struct Asked {
    variables: Value,
    zone: &'static str,
    granularity: Option<&'static str>,
    groups: Vec<&'static str>,
    conditions: String,
    /// With a tag in the filter an event is in the group of that tag alone.
    tag: Option<String>,
}

const GROUPS: [(&str, &str, &str); 5] = [
    ("KEY", "apiKeyId", "e.api_key_id::text"),
    ("USER", "userId", "e.user_id::text"),
    ("TEAM", "teamId", "e.team_id::text"),
    ("RESOURCE", "resource", "e.resource"),
    ("TAG", "tag", "t.tag"),
];

fn asked(dice: &Dice, world: &World) -> Asked {
    let granularity = *dice.of(&[None, Some("HOUR"), Some("DAY"), Some("DAY"), Some("MONTH")]);
    let longest = if granularity == Some("HOUR") {
        120
    } else {
        400
    };
    let quarter = 900;
    let begin = dice.moment().timestamp();
    let mut from = begin - begin.rem_euclid(quarter);
    if dice.below(3) == 0 {
        from -= from.rem_euclid(86_400);
    }
    let to = from + (1 + dice.amount(longest * 96)) * quarter;
    let moment = |second| {
        DateTime::<Utc>::from_timestamp(second, 0)
            .unwrap()
            .to_rfc3339()
    };
    let (from, to) = (moment(from), moment(to));
    let mut filter = json!({"from": from, "to": to});
    let mut conditions = format!("e.at >= '{from}' AND e.at < '{to}' AND e.state <> 'RELEASED'");
    let mut tag = None;
    for _ in 0..dice.below(3) {
        match dice.below(5) {
            0 => {
                let key = dice.of(&world.spenders).key.unwrap();
                filter["apiKey"] = json!(key_id(key));
                conditions += &format!(" AND e.api_key_id = '{key}'");
                break;
            }
            1 => {
                let user = dice.of(&world.spenders).user;
                filter["user"] = json!(Id::new(Kind::User, user).to_string());
                conditions += &format!(" AND e.user_id = '{user}'");
                break;
            }
            2 => {
                let place = dice.below(3) as usize;
                filter["team"] = json!(team_id(world.teams[place]));
                let below: &[Uuid] = match place {
                    0 => &world.teams[..2],
                    _ => &world.teams[place..=place],
                };
                let below: Vec<String> = below.iter().map(|id| format!("'{id}'")).collect();
                conditions += &format!(" AND e.team_id IN ({})", below.join(","));
                break;
            }
            3 => {
                let resource = *dice.of(&["/", "/models", "/models/a", "/vms"]);
                filter["resource"] = json!(resource);
                if resource != "/" {
                    conditions += &format!(
                        " AND (e.resource = '{resource}' OR starts_with(e.resource, '{resource}/'))"
                    );
                }
                break;
            }
            _ if tag.is_some() => break,
            _ => {
                let wanted = (*dice.of(&["a", "prod", "Grüße", "none"])).to_owned();
                filter["tag"] = json!(wanted);
                conditions += &format!(" AND '{wanted}' = ANY(e.tags)");
                tag = Some(wanted);
            }
        }
    }
    let mut groups = Vec::new();
    for _ in 0..dice.below(3) {
        let group = dice.of(&GROUPS).0;
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let zone = *dice.of(&ZONES);
    Asked {
        variables: json!({"filter": filter, "groupBy": groups, "granularity": granularity, "timeZone": zone}),
        zone,
        granularity,
        groups,
        conditions,
        tag,
    }
}

/// Sums by label: the local time of the bucket and the group.
type Sums = BTreeMap<String, [i128; 7]>;

fn add(sums: &mut Sums, label: String, values: [i128; 7]) {
    let held = sums.entry(label).or_default();
    for (held, value) in held.iter_mut().zip(values) {
        *held += value;
    }
}

const SUMS: &str = "count(*)::text, sum(e.requests)::text, sum(e.tokens)::text, sum(e.tokens_in)::text, sum(e.tokens_out)::text,
    sum(e.tokens_cached)::text, sum(e.micros)::text";

fn form(granularity: Option<&str>) -> &'static str {
    match granularity {
        None => "\"all\"",
        Some("HOUR") => "YYYY-MM-DD HH24",
        Some("DAY") => "YYYY-MM-DD",
        _ => "YYYY-MM",
    }
}

/// What the raw rows say: the sums in all, and those of each group in each bucket.
async fn oracle(client: &tokio_postgres::Client, asked: &Asked) -> ([i128; 7], Sums) {
    let columns: Vec<&str> = GROUPS
        .iter()
        .map(|(name, _, column)| match asked.groups.contains(name) {
            true => *column,
            false => "NULL::text",
        })
        .collect();
    let tags = match asked.groups.contains(&"TAG") {
        true => "CROSS JOIN unnest(e.tags) AS t (tag)",
        false => "",
    };
    let narrowed = match (&asked.tag, asked.groups.contains(&"TAG")) {
        (Some(tag), true) => format!(" AND t.tag = '{tag}'"),
        _ => String::new(),
    };
    let read = |row: &tokio_postgres::Row, from: usize| -> [i128; 7] {
        std::array::from_fn(|place| {
            let text: Option<String> = row.get(from + place);
            text.map_or(0, |text| text.parse().unwrap())
        })
    };
    let sql = format!(
        "SELECT {SUMS} FROM usage_events e WHERE {}",
        asked.conditions
    );
    let totals = read(&client.query_one(&sql, &[]).await.unwrap(), 0);
    let sql = format!(
        "SELECT to_char(e.at AT TIME ZONE '{}', '{}'), {}, {SUMS} FROM usage_events e {tags} WHERE {}{narrowed} GROUP BY 1, 2, 3, 4, 5, 6",
        asked.zone,
        form(asked.granularity),
        columns.join(", "),
        asked.conditions
    );
    let mut sums = Sums::new();
    for row in client.query(&sql, &[]).await.unwrap() {
        let mut label: String = row.get(0);
        for column in 1..=5 {
            let value: Option<String> = row.get(column);
            label += &format!(" | {}", value.as_deref().unwrap_or("-"));
        }
        add(&mut sums, label, read(&row, 6));
    }
    (totals, sums)
}

fn read(sums: &Value) -> [i128; 7] {
    let number = |name: &str| i128::from(sums[name].as_i64().unwrap());
    let usd = sums["usd"].as_str().unwrap();
    let (whole, decimals) = usd.split_once('.').unwrap_or((usd, ""));
    let micros: i128 = format!("{whole}{decimals:0<6}").parse().unwrap();
    [
        number("events"),
        number("requests"),
        number("tokens"),
        number("tokensIn"),
        number("tokensOut"),
        number("tokensCached"),
        micros,
    ]
}

/// What was answered, in the same form. Hours that a zone's clock shows twice are one label.
async fn answered(client: &tokio_postgres::Client, asked: &Asked, answer: &Value) -> Sums {
    let series = answer["series"].as_array().unwrap();
    let starts: Vec<&str> = series
        .iter()
        .map(|point| point["start"].as_str().unwrap())
        .collect();
    let ends: Vec<&str> = series
        .iter()
        .map(|point| point["end"].as_str().unwrap())
        .collect();
    assert!(starts.is_sorted(), "{answer:#}");
    let sql = format!(
        "SELECT to_char(s::timestamptz AT TIME ZONE '{zone}', '{form}'), to_char((e::timestamptz - interval '1 second') AT TIME ZONE '{zone}', '{form}')
         FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS p (s, e, n) ORDER BY n",
        zone = asked.zone,
        form = form(asked.granularity)
    );
    let labels = client.query(&sql, &[&starts, &ends]).await.unwrap();
    let mut sums = Sums::new();
    for (point, row) in series.iter().zip(labels) {
        let (mut label, last): (String, String) = (row.get(0), row.get(1));
        assert_eq!(label, last, "a bucket is one hour, day or month: {point:#}");
        for (name, field, _) in GROUPS {
            let value = point["group"][field].as_str();
            assert!(value.is_none() || asked.groups.contains(&name), "{point:#}");
            let value = value.map(|value| match Id::parse("id", value) {
                Ok(id) => id.uuid.to_string(),
                Err(_) => value.to_owned(),
            });
            label += &format!(" | {}", value.as_deref().unwrap_or("-"));
        }
        add(&mut sums, label, read(point));
    }
    sums
}

/// The event as it is told.
fn line(number: usize, event: &Event) -> Value {
    let usd = format!(
        "{}.{:06}",
        event.micros / 1_000_000,
        event.micros % 1_000_000
    );
    json!({"id": format!("e{number}"), "apiKey": key_id(event.by.key.unwrap()), "resource": event.resource, "requests": event.requests,
        "tokensIn": event.tokens_in, "tokensOut": event.tokens_out, "tokensCached": event.tokens_cached.min(event.tokens_in), "usd": usd,
        "at": event.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true), "tags": event.tags})
}

#[tokio::test]
async fn every_answer_is_the_sum_of_the_events() {
    let world = World::new().await;
    let seed = 20_291_028;
    let dice = Dice(Random::seeded(seed));
    let events: Vec<Event> = (0..3_000).map(|_| dice.event(&world)).collect();
    // Those that can be told are told, the others are as settling and charging leave them.
    let now = world.app.app.clock.now();
    let tellable = |event: &Event| {
        event.state == "SETTLED"
            && event.at <= now
            && world
                .spenders
                .iter()
                .any(|by| by.key == event.by.key && by.team == event.by.team)
    };
    let (told, others): (Vec<Event>, Vec<Event>) = events.into_iter().partition(tellable);
    let lines = told
        .iter()
        .enumerate()
        .map(|(number, event)| line(number, event));
    let answer = record(&world.app.admin(), lines.collect()).await;
    assert_eq!(counts(&answer), format!("{} 0 0", told.len()));
    assert!(told.len() > 1_000, "only {} are told", told.len());
    world.record(&others).await;
    let client = world.app.app.db.endpoint().client().await.unwrap();
    let (mut empty, mut points) = (0, 0);
    for number in 0..200 {
        let asked = asked(&dice, &world);
        let answer = usage(&world.app.admin(), asked.variables.clone()).await;
        let (totals, expected) = oracle(&client, &asked).await;
        let found = answered(&client, &asked, &answer).await;
        assert_eq!(
            read(&answer["totals"]),
            totals,
            "{number}: {:#}",
            asked.variables
        );
        assert_eq!(found, expected, "{number}: {:#}", asked.variables);
        empty += usize::from(expected.is_empty());
        points += expected.len();
    }
    assert!(empty < 60, "{empty} of 200 questions are about nothing");
    assert!(points > 5_000, "only {points} points");
}
