//! The query `usage` over a year of sums worth 50,000,000 events: 200 teams of 25 keys, each of which uses two resources a day, seven times
//! in each of two quarters of an hour. The sums are made in the database, as recording the events would have left them.

use std::time::{Duration, Instant};

use keystead::db::Endpoint;
use keystead::db::embedded::{Durability, Embedded};
use keystead::db::ids::{Id, Kind};
use serde_json::{Value, json};

use super::{Server, data, folder, graphql, load, setting, start};

/// Keys that use something, in all.
const KEYS: u64 = 5_000;
/// Days of the year.
const DAYS: u64 = 365;
/// What a key does in a day: so many stretches of so many events.
const STRETCHES: u64 = 4;
const EVENTS: u64 = 7;
/// Teams and keys that are asked about in turn.
const ASKED: i64 = 40;

/// The sums: quarters first, all others out of them. Their indexes are made at the end, which is several times as fast.
fn fill(keys: u64) -> String {
    let sums = "sum(events), sum(requests), sum(tokens), sum(tokens_in), sum(tokens_out), sum(tokens_cached), sum(micros)";
    format!(
        "SET synchronous_commit = off; SET maintenance_work_mem = '512MB'; SET work_mem = '512MB';
        CREATE TEMP TABLE kept AS SELECT indexdef FROM pg_indexes WHERE tablename ~ '^usage_.*(quarters|days|months)$';
        DO $$ DECLARE one text; BEGIN
            FOR one IN SELECT indexname FROM pg_indexes WHERE tablename ~ '^usage_.*(quarters|days|months)$' LOOP
                EXECUTE 'DROP INDEX ' || one;
            END LOOP;
        END $$;
        SELECT setseed(0.5);
        INSERT INTO usage_quarters SELECT day + (u.resource * 12 + floor(random() * 12) + 48 * u.half) * interval '15 minutes', k.owner_id, k.id, t.id,
                '/models/m' || u.resource, '', {EVENTS}, {EVENTS}, {EVENTS} * 1500, {EVENTS} * 1000, {EVENTS} * 500, {EVENTS} * 200, {EVENTS} * 12345
            FROM generate_series('2029-01-01'::timestamptz, '2029-12-31'::timestamptz, '1 day') AS day
            CROSS JOIN LATERAL (SELECT *, row_number() OVER (ORDER BY id) AS place FROM api_keys WHERE day IS NOT NULL ORDER BY id LIMIT {keys}) k
            JOIN (SELECT id, row_number() OVER (ORDER BY id) AS place, count(*) OVER () AS number FROM teams) t ON t.place = k.place % t.number + 1
            CROSS JOIN LATERAL (SELECT (k.place + r) % 4 AS resource, h AS half FROM generate_series(0, 1) r, generate_series(0, 1) h) u
            ORDER BY 1, random();
        INSERT INTO usage_days SELECT date_trunc('day', slot, 'UTC'), user_id, api_key_id, team_id, resource, tag, {sums}
            FROM usage_quarters GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, md5(api_key_id::text);
        INSERT INTO usage_team_quarters SELECT slot, team_id, resource, tag, {sums} FROM usage_quarters GROUP BY 1, 2, 3, 4 ORDER BY 1, md5(team_id::text);
        INSERT INTO usage_team_days SELECT date_trunc('day', slot, 'UTC'), team_id, resource, tag, {sums}
            FROM usage_team_quarters GROUP BY 1, 2, 3, 4 ORDER BY 1, md5(team_id::text);
        INSERT INTO usage_months SELECT date_trunc('month', slot, 'UTC'), user_id, api_key_id, team_id, resource, tag, {sums}
            FROM usage_days GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, md5(api_key_id::text);
        INSERT INTO usage_team_months SELECT date_trunc('month', slot, 'UTC'), team_id, resource, tag, {sums}
            FROM usage_team_days GROUP BY 1, 2, 3, 4 ORDER BY 1, md5(team_id::text);
        DO $$ DECLARE one text; BEGIN FOR one IN SELECT indexdef FROM kept LOOP EXECUTE one; END LOOP; END $$;"
    )
}

/// Ids of one kind, as they are written in the API.
async fn ids(client: &tokio_postgres::Client, kind: Kind, sql: &str) -> Vec<String> {
    let rows = client.query(sql, &[&ASKED]).await.unwrap();
    let written = |text: String| Id::new(kind, text.parse().unwrap()).to_string();
    rows.iter().map(|row| written(row.get(0))).collect()
}

struct Ground {
    key: String,
    teams: Vec<String>,
    keys: Vec<String>,
}

impl Ground {
    /// The questions, one for each of those who are asked about, as requests.
    fn requests(&self, of: &str, rest: &str) -> Vec<Vec<u8>> {
        let everybody = vec![String::new()];
        let subjects = match of {
            "team" => &self.teams,
            "apiKey" => &self.keys,
            _ => &everybody,
        };
        let ask = |subject: &String| {
            let named = if subject.is_empty() {
                String::new()
            } else {
                format!(", {of}: \"{subject}\"")
            };
            let filter = format!(
                "filter: {{from: \"2029-01-01T00:00:00Z\", to: \"2030-01-01T00:00:00Z\"{named}}}"
            );
            let shown = "totals { events tokens usd } series(atMost: 10000) { start end group { apiKeyId teamId resource } events tokens usd }";
            graphql(
                &self.key,
                &format!("{{ usage({filter}, {rest}) {{ {shown} }} }}"),
            )
        };
        subjects.iter().map(ask).collect()
    }
}

/// Measures and prints.
pub async fn measure(time: Duration) {
    let keys = setting("KEYSTEAD_BENCH_USAGE_KEYS", KEYS);
    let folder = folder(&format!("report-{keys}"));
    let database = Embedded::start(&folder, Durability::Full).await.unwrap();
    let url = database.database_url("keystead");
    let count = keys.to_string();
    let seed = ["--users", &count, "--keys-per-user", "1", "--teams", "200"];
    let key = data::prepare(&folder, &url, &seed).await;
    let client = Endpoint::parse(&url).unwrap().client().await.unwrap();
    // The seed leaves some events of its own, of these days.
    let empty = "SELECT NOT EXISTS (SELECT FROM usage_days WHERE slot < '2029-12-31' AND slot >= '2029-01-01')";
    if client.query_one(empty, &[]).await.unwrap().get(0) {
        let begin = Instant::now();
        client.batch_execute(&fill(keys)).await.unwrap();
        client.batch_execute("VACUUM (ANALYZE)").await.unwrap();
        println!(
            "the sums were made in {:.0} s",
            begin.elapsed().as_secs_f64()
        );
    }
    let teams = "SELECT t.id::text FROM teams t WHERE NOT EXISTS (SELECT FROM teams b WHERE b.parent_id = t.id) ORDER BY md5(t.id::text) LIMIT $1";
    let used = "SELECT id::text FROM (SELECT id FROM api_keys ORDER BY id LIMIT 1000) k ORDER BY md5(id::text) LIMIT $1";
    let ground = Ground {
        key,
        teams: ids(&client, Kind::Team, teams).await,
        keys: ids(&client, Kind::ApiKey, used).await,
    };
    let (server, _) = start(&folder, &url, 4812, &[]).await;
    let events = keys * DAYS * STRETCHES * EVENTS;
    println!(
        "\nusage of a year, {events} events, one client{:>13}{:>9}{:>9}{:>11}",
        "p50 µs", "p99 µs", "wanted", "points"
    );
    for (name, of, rest, wanted) in [
        ("a team, by MONTH", "team", "granularity: MONTH", "50000"),
        (
            "a team, by DAY in Europe/Berlin",
            "team",
            "granularity: DAY, timeZone: \"Europe/Berlin\"",
            "50000",
        ),
        (
            "a team, by DAY and RESOURCE in Asia/Kathmandu",
            "team",
            "granularity: DAY, groupBy: [RESOURCE], timeZone: \"Asia/Kathmandu\"",
            "50000",
        ),
        ("a team, by KEY", "team", "groupBy: [KEY]", ""),
        (
            "a key, by DAY in Europe/Berlin",
            "apiKey",
            "granularity: DAY, timeZone: \"Europe/Berlin\"",
            "50000",
        ),
        ("everything, by MONTH", "", "granularity: MONTH", ""),
        (
            "everything, by MONTH and TEAM in Europe/Berlin",
            "",
            "granularity: MONTH, groupBy: [TEAM], timeZone: \"Europe/Berlin\"",
            "",
        ),
    ] {
        let requests = ground.requests(of, rest);
        let points = points(&server, &requests).await;
        let measured = server.load(1, time, requests).await;
        println!(
            "{name:<50}{:>9}{:>9}{wanted:>9}{points:>11}",
            measured.quantile(0.5),
            measured.quantile(0.99)
        );
    }
    drop(server);
    database.stop().await.unwrap();
}

/// How many points the first of these requests is answered with; that each is about something was made sure.
async fn points(server: &Server, requests: &[Vec<u8>]) -> usize {
    let mut points = 0;
    for request in requests {
        let answer = load::ask(&server.address, request).await;
        let usage = &answer["data"]["usage"];
        assert_ne!(usage["totals"]["events"], json!(0), "{answer}");
        let series = usage["series"].as_array().map(Vec::len);
        points = points.max(series.unwrap_or_else(|| panic!("{}", Value::to_string(&answer))));
    }
    points
}
