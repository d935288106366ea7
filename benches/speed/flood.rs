//! A flood of wrong keys beside valid traffic: what the valid requests wait, and what reaches Postgres.
//!
//! The flood comes from a process of its own, through a service that may ask. It sends without waiting: on each connection the next
//! requests lie ready before the last are answered, so that it offers whatever is taken, and more than ten times as many requests
//! wait as are enough for the server to be busy. It runs at the lowest priority, so that it takes from the server's processors only
//! what the server leaves, as if it came from another machine. The valid traffic has a fixed rate and threads of its own.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use keystead::ctx::Random;
use keystead::db::Endpoint;
use keystead::secrets::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::data::Sample;
use super::{CLIENTS, load, start, verify};

/// The word by which this program, started again, is the flood.
pub const SOURCE: &str = "flood-source";

/// Connections of the flood.
const CONNECTIONS: usize = 32;
/// Requests that wait on each of them: together ten times the clients that keep the server busy.
const WAITING: usize = 10;
/// Valid requests a second, from so many connections.
const RATE: u32 = 400;
const CALLERS: u32 = 8;

/// Which wrong keys.
#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    /// A key cut or mistyped: its checksum is not right.
    Checksum,
    /// Right in form, and nobody's; no two are the same.
    Unknown,
}

/// What the valid requests have seen.
struct Seen {
    /// Sorted, in microseconds.
    waited: Vec<u32>,
    /// Requests of the flood that were answered in a second.
    flood: f64,
    /// Transactions that Postgres committed in a second, one a statement here.
    statements: f64,
}

impl Seen {
    fn at(&self, share: f64) -> u32 {
        self.waited[((self.waited.len() as f64 * share) as usize).min(self.waited.len() - 1)]
    }
}

/// Sends wrong keys for ever: the address, the asker's key, and which keys. Prints how many were answered when its input ends.
pub async fn pour(arguments: &[String]) {
    let [address, asker, wrong] = arguments else {
        panic!("an address, a key and a kind, not {arguments:?}");
    };
    let wrong = match wrong.as_str() {
        "checksum" => Wrong::Checksum,
        _ => Wrong::Unknown,
    };
    let answered = Arc::new(std::sync::atomic::AtomicU64::new(0));
    for number in 0..CONNECTIONS {
        let (address, asker, answered) = (address.clone(), asker.clone(), answered.clone());
        tokio::spawn(async move {
            // Each run begins elsewhere: what was unknown in the last one may still be remembered.
            let begun = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
            let random = Random::seeded(begun.wrapping_mul(64) + number as u64);
            let mut stream = tokio::net::TcpStream::connect(&address).await.unwrap();
            let mut text = Vec::new();
            let mut buffer = vec![0; 1 << 16];
            let mut end = Ending::default();
            loop {
                text.clear();
                for _ in 0..WAITING {
                    text.extend(request(&asker, &key(&random, wrong)));
                }
                stream.write_all(&text).await.unwrap();
                let mut missing = WAITING as u64;
                while missing > 0 {
                    let read = stream.read(&mut buffer).await.unwrap();
                    assert!(read > 0, "the server hung up");
                    let found = end.count(&buffer[..read]);
                    missing = missing.saturating_sub(found);
                    answered.fetch_add(found, std::sync::atomic::Ordering::Relaxed);
                }
            }
        });
    }
    let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let _ = ended.await;
    println!("{}", answered.load(std::sync::atomic::Ordering::Relaxed));
    // Its tasks have no end.
    std::process::exit(0);
}

fn key(random: &Random, wrong: Wrong) -> String {
    let mut key = Secret::generate_api_key(random).expose().to_owned();
    if wrong == Wrong::Checksum {
        let last = key.pop();
        key.push(if last == Some('0') { '1' } else { '0' });
    }
    key
}

fn request(asker: &str, key: &str) -> Vec<u8> {
    verify::checks(asker, &[key.to_owned()]).remove(0)
}

/// Counts heads of answers in a stream of bytes: each ends in an empty line, and no body has one.
#[derive(Default)]
struct Ending(usize);

impl Ending {
    fn count(&mut self, bytes: &[u8]) -> u64 {
        let mut found = 0;
        for byte in bytes {
            self.0 = match (byte, self.0) {
                (b'\r', 0 | 2) | (b'\n', 1 | 3) => self.0 + 1,
                (b'\r', _) => 1,
                _ => 0,
            };
            if self.0 == 4 {
                found += 1;
                self.0 = 0;
            }
        }
        found
    }
}

/// Valid requests at their rate for that time; what each waited for its answer, counted from when it was due.
pub fn valid(address: &str, time: Duration, requests: &[Vec<u8>]) -> Vec<u32> {
    let pause = Duration::from_secs(1) * CALLERS / RATE;
    let mut waited = Vec::new();
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                scope.spawn(move || {
                    let mut stream = TcpStream::connect(address).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let mut due = Instant::now() + pause * caller / CALLERS;
                    let until = due + time;
                    let mut waited = Vec::new();
                    let mut buffer = [0; 4096];
                    for request in requests.iter().cycle().skip(caller as usize * 7) {
                        if due >= until {
                            break;
                        }
                        let late = Instant::now().saturating_duration_since(due);
                        if late.is_zero() {
                            std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        }
                        let sent = Instant::now();
                        stream.write_all(request).unwrap();
                        let mut text = Vec::new();
                        while !text.ends_with(b"}") {
                            let read = stream.read(&mut buffer).unwrap();
                            assert!(read > 0, "the server hung up");
                            text.extend_from_slice(&buffer[..read]);
                        }
                        assert!(text.starts_with(b"HTTP/1.1 200"));
                        waited.push((sent.elapsed() + late).as_micros() as u32);
                        due += pause;
                    }
                    waited
                })
            })
            .collect();
        for caller in callers {
            waited.extend(caller.join().unwrap());
        }
    });
    waited.sort_unstable();
    waited
}

/// Committed transactions so far.
async fn committed(url: &str) -> i64 {
    // Backends report what they did once a second at most.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let client = Endpoint::parse(url).unwrap().client().await.unwrap();
    let sql = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    client.query_one(sql, &[]).await.unwrap().get(0)
}

async fn beside(
    address: &str,
    url: &str,
    time: Duration,
    asker: &str,
    requests: &[Vec<u8>],
    wrong: Option<Wrong>,
) -> Seen {
    let before = committed(url).await;
    let begin = Instant::now();
    let source = wrong.map(|wrong| {
        let kind = match wrong {
            Wrong::Checksum => "checksum",
            Wrong::Unknown => "unknown",
        };
        let program = std::env::current_exe().unwrap();
        let mut source = Command::new("nice");
        source.args(["-n", "19"]).arg(program);
        source.args([SOURCE, address, asker, kind]);
        source.stdin(Stdio::piped()).stdout(Stdio::piped());
        source.spawn().unwrap()
    });
    if source.is_some() {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let (to, of) = (address.to_owned(), requests.to_vec());
    let waited = tokio::task::spawn_blocking(move || valid(&to, time, &of))
        .await
        .unwrap();
    let answered = source.map_or(0, |mut source| {
        drop(source.stdin.take());
        let output = source.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        text.trim().parse::<u64>().unwrap()
    });
    let seconds = begin.elapsed().as_secs_f64();
    Seen {
        waited,
        flood: answered as f64 / seconds,
        statements: (committed(url).await - before) as f64 / seconds,
    }
}

/// Measures and prints.
pub async fn measure(folder: &Path, url: &str, asker: &str, sample: &Sample, time: Duration) {
    let requests = verify::checks(asker, &sample.keys);
    println!(
        "\n{RATE} valid requests a second beside a flood: {CONNECTIONS} connections with {WAITING} requests waiting on each\n{:<44}{:>9}{:>9}{:>9}{:>12}{:>14}",
        "", "p50 µs", "p99 µs", "worst µs", "flood/s", "statements/s"
    );
    let print = |name: &str, seen: &Seen| {
        println!(
            "{name:<44}{:>9}{:>9}{:>9}{:>12.0}{:>14.0}",
            seen.at(0.5),
            seen.at(0.99),
            seen.at(1.0),
            seen.flood,
            seen.statements
        );
    };
    let route = verify::constant().await;
    let run =
        async |address: &str, wrong| beside(address, url, time, asker, &requests, wrong).await;
    print("constant route, no flood", &run(&route.address, None).await);
    let bare = run(&route.address, Some(Wrong::Unknown)).await;
    print("constant route, the same flood", &bare);
    drop(route);

    let (server, _) = start(folder, url, 4808, &[]).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let every = Arc::new(requests.clone());
    let capacity = load::run(&server.address, None, CLIENTS, time, every).await;
    let calm = run(&server.address, None).await;
    print("/v1/verify, no flood", &calm);
    for (name, wrong) in [
        ("/v1/verify, wrong checksums", Wrong::Checksum),
        ("/v1/verify, unknown keys, no two the same", Wrong::Unknown),
    ] {
        let seen = run(&server.address, Some(wrong)).await;
        print(name, &seen);
        println!(
            "  p99 as a multiple of that without a flood: {:.2}, wanted at most 2.00; the constant route's beside its flood: {} µs",
            f64::from(seen.at(0.99)) / f64::from(calm.at(0.99)),
            bare.at(0.99)
        );
    }
    println!(
        "capacity, {CLIENTS} clients with valid keys: {:.0} a second; resident memory after the floods: {:.0} MiB",
        capacity.per_second(),
        load::resident_mib(server.process.id())
    );
}
