//! The same requests over few users and over many, in turn, each on a database and a server of its own; and the server's memory when
//! it remembers as many keys as it may.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::time::Duration;

use keystead::db::embedded::{Durability, Embedded};

use super::data::{self, Sample};
use super::load::{self, Measured};
use super::{
    CLIENTS, NESTED, Server, USER, folder, graphql, graphql_of, page_query, setting, start, verify,
};

const KEYS_PER_USER: u64 = 5;
/// Users that are asked about.
const USERS: usize = 5_000;
/// Keys that are asked about where each is to be remembered.
const REMEMBERED: usize = 2_000;
/// Keys that are asked about where none is, and where as many are to be remembered as may.
const MANY_KEYS: usize = 100_000;

/// A database of some size.
struct Size {
    users: u64,
    folder: PathBuf,
    database: Embedded,
    url: String,
    asker: String,
    sample: Sample,
    /// Secrets of keys from all over the table.
    keys: Vec<String>,
}

impl Size {
    async fn of(users: u64) -> Size {
        let folder = folder(&format!("scale-{users}"));
        let database = Embedded::start(&folder, Durability::Full).await.unwrap();
        let url = database.database_url("keystead");
        let (count, keys, teams) = (users.to_string(), KEYS_PER_USER.to_string(), users / 100);
        let (teams, permissions) = (teams.to_string(), (users * 2).to_string());
        let begin = std::time::Instant::now();
        let seed = [
            "--users",
            &count,
            "--keys-per-user",
            &keys,
            "--teams",
            &teams,
            "--permissions",
            &permissions,
            "--secrets",
            "keys.tsv",
        ];
        let asker = data::prepare(&folder, &url, &seed).await;
        if begin.elapsed() > Duration::from_secs(1) {
            println!(
                "{users} users were made in {:.0} s",
                begin.elapsed().as_secs_f64()
            );
        }
        let every = (users * KEYS_PER_USER).div_ceil(MANY_KEYS as u64) as usize;
        let file = std::fs::File::open(folder.join("keys.tsv")).unwrap();
        let lines = BufReader::new(file).lines().step_by(every);
        let keys = lines.map(|line| line.unwrap().rsplit('\t').next().unwrap().to_owned());
        let keys = keys.collect();
        let sample = data::sample(&url, USERS).await;
        Size {
            users,
            folder,
            database,
            url,
            asker,
            sample,
            keys,
        }
    }

    async fn serve(&self, port: u16, memory: &str) -> Server {
        let settings = [("KEYSTEAD_AUTH_CACHE_SIZE", memory)];
        let (server, _) = start(&self.folder, &self.url, port, &settings).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        server
    }

    /// Checks of so many keys, from all over the table.
    fn checks(&self, count: usize) -> Vec<Vec<u8>> {
        let every = (self.keys.len() / count).max(1);
        let keys: Vec<String> = self
            .keys
            .iter()
            .step_by(every)
            .take(count)
            .cloned()
            .collect();
        verify::checks(&self.asker, &keys)
    }

    fn reads(&self, query: &str) -> Vec<Vec<u8>> {
        let ids = self.sample.users.iter();
        ids.map(|id| graphql_of(&self.asker, query, id)).collect()
    }

    fn pages(&self) -> Vec<Vec<u8>> {
        let pages = self.sample.pages.iter();
        pages
            .map(|page| graphql(&self.asker, &page_query(&page.cursor)))
            .collect()
    }
}

/// Loads one, the other twice, and the first again; the better run of each, so that what passes by weighs on neither.
async fn alternately(
    (one, to_one): (&Server, Vec<Vec<u8>>),
    (other, to_other): (&Server, Vec<Vec<u8>>),
    time: Duration,
) -> (Measured, Measured) {
    let better = |a: Measured, b: Measured| {
        if a.per_second() > b.per_second() {
            a
        } else {
            b
        }
    };
    let first = one.load(CLIENTS, time, to_one.clone()).await;
    let second = other.load(CLIENTS, time, to_other.clone()).await;
    let third = other.load(CLIENTS, time, to_other).await;
    (
        better(first, one.load(CLIENTS, time, to_one).await),
        better(second, third),
    )
}

/// Measures and prints.
pub async fn measure(time: Duration) {
    let few = Size::of(setting("KEYSTEAD_BENCH_FEW_USERS", 10_000)).await;
    let many = Size::of(setting("KEYSTEAD_BENCH_MANY_USERS", 1_000_000)).await;
    println!(
        "\n{:<44}{:>12}{:>12}{:>8}{:>9}{:>9}{:>9}",
        "requests a second", few.users, many.users, "slower", "wanted", "p99 µs", "p99 µs"
    );
    let line = |name: &str, one: &Measured, other: &Measured| {
        println!(
            "{name:<44}{:>12.0}{:>12.0}{:>8.2}{:>9}{:>9}{:>9}",
            one.per_second(),
            other.per_second(),
            one.per_second() / other.per_second(),
            "1.30",
            one.quantile(0.99),
            other.quantile(0.99)
        );
    };
    let on_few = few.serve(4810, "64MiB").await;
    let on_many = many.serve(4811, "64MiB").await;
    let both = async |name: &str, requests: &dyn Fn(&Size) -> Vec<Vec<u8>>| {
        let (one, other) =
            alternately((&on_few, requests(&few)), (&on_many, requests(&many)), time).await;
        line(name, &one, &other);
    };
    both("/v1/verify, from memory", &|size| size.checks(REMEMBERED)).await;
    both("user(by: {id})", &|size| size.reads(USER)).await;
    both("user { apiKeys teams }", &|size| size.reads(NESTED)).await;
    both("users(first: 50) { apiKeys(5) teams(5) }", &Size::pages).await;
    both("/v1/verify, more keys than memory holds", &|size| {
        size.checks(MANY_KEYS)
    })
    .await;
    let pid = on_many.process.id();
    println!(
        "resident memory over {} users after all this: {:.0} MiB, wanted at most 300",
        many.users,
        load::resident_mib(pid)
    );
    drop((on_few, on_many));
    let on_few = few.serve(4810, "0").await;
    let on_many = many.serve(4811, "0").await;
    let (one, other) = alternately(
        (&on_few, few.checks(MANY_KEYS)),
        (&on_many, many.checks(MANY_KEYS)),
        time,
    )
    .await;
    line("/v1/verify, without memory", &one, &other);
    drop((on_few, on_many));
    few.database.stop().await.unwrap();
    many.database.stop().await.unwrap();
}
