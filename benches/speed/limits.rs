//! `/v1/verify` with a cost: on four limits of each of ten thousand keys, beside pgbench with one `UPDATE` of as many counters a call; and
//! on one key that everybody uses.

use std::path::Path;
use std::time::Duration;

use keystead::ctx::Random;
use keystead::db::Endpoint;
use keystead::secrets::Secret;

use super::load::{self, Measured};
use super::{CLIENTS, postgres, start};

/// Keys that the load is spread over.
const KEYS: usize = 10_000;
/// Questions in one request about the hot key, where many are asked at once.
const AT_ONCE: usize = 100;
/// How often both are measured, one after the other.
const ROUNDS: usize = 5;
/// What each reservation costs, in micro-dollars.
const MICROS: i64 = 100;

/// Makes the keys, each of another user: of the key requests a minute and a budget, of its owner tokens a minute and a budget. Their
/// counters have ids that pgbench can reckon. Returns the secrets.
async fn prepare(client: &tokio_postgres::Client) -> Vec<String> {
    let begun = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    let random = Random::seeded(begun);
    let secrets: Vec<Secret> = (0..KEYS)
        .map(|_| Secret::generate_api_key(&random))
        .collect();
    let digests: Vec<Vec<u8>> = secrets
        .iter()
        .map(|secret| secret.digest().as_bytes().to_vec())
        .collect();
    let clean = "DELETE FROM reservations; DELETE FROM limits; DELETE FROM api_keys WHERE name = 'bench limits'";
    client.batch_execute(clean).await.unwrap();
    // What earlier runs have left is not measured.
    for table in [
        "reservations",
        "limits",
        "budgets",
        "limit_counters",
        "api_keys",
        "users",
    ] {
        let vacuum = format!("VACUUM ANALYZE {table}");
        client.batch_execute(&vacuum).await.unwrap();
    }
    let keys = "WITH owner AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM users WHERE enabled LIMIT $2)
        INSERT INTO api_keys (id, owner_id, name, prefix, digest, enabled, restricted, allowed_cidrs, metadata, created_at, updated_at)
        SELECT ('00000000-0000-7000-9000-' || lpad(to_hex(o.n), 12, '0'))::uuid, o.id, 'bench limits', 'ks_Ab3d…', d.digest, true, false,
            '{}', '{}', now(), now()
        FROM owner o JOIN unnest($1::bytea[]) WITH ORDINALITY AS d (digest, n) ON d.n = o.n";
    let made = client
        .execute(keys, &[&digests, &(KEYS as i64)])
        .await
        .unwrap();
    assert_eq!(made, KEYS as u64, "there are too few users");
    client
        .batch_execute(
            "CREATE TEMP TABLE bench AS SELECT id AS key_id, owner_id, right(id::text, 12) AS n FROM api_keys WHERE name = 'bench limits';
            INSERT INTO limits (id, subject, api_key_id, each_member, requests_per_minute)
                SELECT ('00000000-0000-7000-8001-' || n)::uuid, 'key ' || key_id, key_id, false, 1000000000 FROM bench;
            INSERT INTO limits (id, subject, user_id, each_member, tokens_per_minute)
                SELECT ('00000000-0000-7000-8002-' || n)::uuid, 'user ' || owner_id, owner_id, false, 1000000000000 FROM bench;
            INSERT INTO budgets (id, limit_id, name, max_micros, window_count, window_unit, window_anchor, window_zone, include_past_spend,
                    armed_at)
                SELECT ('00000000-0000-7000-8003-' || n)::uuid, ('00000000-0000-7000-8001-' || n)::uuid, 'monthly', 1000000000000000, 1, 'MONTH',
                    '2026-01-01', 'Europe/Berlin', false, now() FROM bench;
            INSERT INTO budgets (id, limit_id, name, max_micros, include_past_spend, armed_at)
                SELECT ('00000000-0000-7000-8004-' || n)::uuid, ('00000000-0000-7000-8002-' || n)::uuid, 'ever', 1000000000000000, false, now()
                FROM bench;
            DROP TABLE bench",
        )
        .await
        .unwrap();
    client
        .batch_execute("ANALYZE limits; ANALYZE budgets; ANALYZE api_keys")
        .await
        .unwrap();
    secrets
        .iter()
        .map(|secret| secret.expose().to_owned())
        .collect()
}

fn cost() -> serde_json::Value {
    serde_json::json!({"tokens": 10, "usd": "0.0001"})
}

/// One request about each key.
fn reservations(asker: &str, keys: &[String]) -> Vec<Vec<u8>> {
    let body = |key: &String| serde_json::json!({"key": key, "cost": cost()}).to_string();
    let requests = keys
        .iter()
        .map(|key| load::post("/v1/verify", asker, &body(key)));
    requests.collect()
}

/// That all four limits were reserved on, and that the sums are those of what is open.
async fn check(client: &tokio_postgres::Client) {
    let sums = "SELECT (SELECT coalesce(sum(micros), 0)::bigint FROM reservations), (SELECT coalesce(sum(cardinality(counters)), 0)::bigint
            FROM reservations), (SELECT count(*) FROM reservations),
        (SELECT coalesce(sum(reserved), 0)::bigint FROM limit_counters WHERE id::text LIKE '00000000-0000-7000-8003-%')";
    let row = client.query_one(sums, &[]).await.unwrap();
    let (micros, counters, count): (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert!(count > 0, "nothing was reserved");
    assert_eq!(counters, 4 * count, "not all four limits were reserved on");
    assert_eq!(micros, MICROS * count);
    assert_eq!(
        micros,
        row.get::<_, i64>(3),
        "the counters are not the sum of what is open"
    );
}

/// How many counters there are.
async fn counters(client: &tokio_postgres::Client) -> i64 {
    let row = client.query_one("SELECT count(*) FROM limit_counters", &[]);
    row.await.unwrap().get(0)
}

/// The `UPDATE` that does to the counters of a key what a reservation does.
fn update(keys: usize) -> String {
    let id = |kind: u8| {
        format!("('00000000-0000-7000-800{kind}-' || lpad(to_hex(:n::bigint), 12, '0'))::uuid")
    };
    let ids = [1, 2, 3, 4].map(id).join(", ");
    format!(
        "\\set n random(1, {keys})\nUPDATE limit_counters SET reserved = reserved + {MICROS}, requests = requests + 1, tokens = tokens + 10,
        parallel = parallel + 1 WHERE id = ANY(ARRAY[{ids}]);\n"
    )
    .replace("\n        ", " ")
}

/// Measures both and prints the ratios.
pub async fn measure(folder: &Path, url: &str, asker: &str, time: Duration) {
    let client = Endpoint::parse(url).unwrap().client().await.unwrap();
    let seconds = time.as_secs();
    let keys = prepare(&client).await;
    // What is open has not run out before it is looked at, and there is room for all keys: each has some twenty permissions.
    let settings = [
        ("KEYSTEAD_RESERVATION_LIFETIME", "15m"),
        ("KEYSTEAD_AUTH_CACHE_SIZE", "256MiB"),
    ];
    let (server, _) = start(folder, url, 4806, &settings).await;
    // The lease that memory needs is taken within moments.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let spread = reservations(asker, &keys);
    // Until each key was used: what is measured is not the first use of any, as pgbench's counters are there too.
    while counters(&client).await < 4 * KEYS as i64 {
        for some in spread.chunks(KEYS / 20) {
            let time = Duration::from_millis(300);
            server.load(CLIENTS, time, some.to_vec()).await;
        }
        let counted = "ANALYZE limit_counters; ANALYZE reservations";
        client.batch_execute(counted).await.unwrap();
    }
    server.load(CLIENTS, time, spread.clone()).await;
    check(&client).await;
    let hot = reservations(asker, &keys[..1]);
    let one = server.load(CLIENTS, time, hot).await;
    let checks = vec![serde_json::json!({ "cost": cost() }); AT_ONCE];
    let body = serde_json::json!({"key": keys[0], "checks": checks}).to_string();
    let lists = vec![load::post("/v1/verify", asker, &body)];
    let listed = server.load(CLIENTS, time, lists).await;
    check(&client).await;
    // By turns: how fast the disk takes commits changes by half within a minute.
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let ours = server.load(CLIENTS, time, spread.clone()).await;
        let theirs = postgres::pgbench(folder, url, "limits", CLIENTS, seconds, &update(KEYS));
        rounds.push((ours, theirs));
    }
    drop(server);
    let ratio = |(ours, theirs): &(Measured, f64)| ours.per_second() / theirs;
    rounds.sort_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    let all: Vec<_> = rounds
        .iter()
        .map(|each| format!("{:.2}", ratio(each)))
        .collect();
    let (many, theirs) = rounds.swap_remove(ROUNDS / 2);
    let their_hot = postgres::pgbench(folder, url, "limits-hot", CLIENTS, seconds, &update(1));

    println!(
        "\n{:<44}{:>9}{:>10}{:>8}{:>9}{:>10}{:>9}{:>9}",
        "reservations on four limits",
        "a second",
        "pgbench",
        "ratio",
        "wanted",
        "p50 µs",
        "p99 µs",
        "CPU µs"
    );
    let line = |name: &str, measured: &Measured, of_each: usize, beside: f64, wanted: &str| {
        let each = measured.per_second() * of_each as f64;
        println!(
            "{name:<44}{each:>9.0}{beside:>10.0}{:>8.2}{wanted:>9}{:>10}{:>9}{:>9.0}",
            each / beside,
            measured.quantile(0.5),
            measured.quantile(0.99),
            measured.cpu / of_each as f64
        );
    };
    line("of 10,000 keys", &many, 1, theirs, "0.60");
    println!(
        "  the median of {ROUNDS} rounds by turns: {}",
        all.join(", ")
    );
    line("of one key, one a request", &one, 1, their_hot, "");
    line(
        "of one key, 100 a request (wanted 20,000)",
        &listed,
        AT_ONCE,
        their_hot,
        "",
    );
}
