//! A hundred people who sign in at once, beside checks of keys: what the checks wait.
//!
//! Each sign-in hashes a password of the usual cost, which takes a core a quarter of a second; no two are of the same user, so that none is
//! remembered, and each comes from an address of its own, as through a proxy. As soon as one is answered the next one begins, so that there are
//! always a hundred. The checks have a fixed rate, and threads of their own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use keystead::db::Endpoint;
use keystead::secrets::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::data::Sample;
use super::flood::valid;
use super::{load, start, verify};

/// People who wait for their sign-in at once.
const AT_ONCE: usize = 100;
/// People that there are: more than sign in within any measurement.
const PEOPLE: i64 = 5_000;
/// The default of `password_cost`.
const COST: u32 = 12;
const PASSWORD: &str = "a horse reads 12 maps";

/// Gives people the password; their user names.
async fn people(url: &str) -> Vec<String> {
    let hash = keystead::authn::password::hash(Secret::new(PASSWORD.into()), COST);
    let hash = hash.await.unwrap();
    let client = Endpoint::parse(url).unwrap().client().await.unwrap();
    let sql = "UPDATE users SET password_hash = $1, must_change_password = false WHERE id IN
            (SELECT id FROM users WHERE enabled AND expires_at IS NULL ORDER BY id LIMIT $2)
        RETURNING username";
    let rows = client.query(sql, &[&hash, &PEOPLE]).await.unwrap();
    let forget = "DELETE FROM sign_in_attempts; VACUUM ANALYZE users";
    for statement in forget.split(';') {
        client.batch_execute(statement).await.unwrap();
    }
    rows.iter().map(|row| row.get(0)).collect()
}

/// The sign-in of that person, from an address of its own.
fn request(login: &str, number: usize) -> Vec<u8> {
    let body = serde_json::json!({
        "query": "mutation($input: SignInInput!) { signIn(input: $input) { secret } }",
        "variables": {"input": {"login": login, "password": PASSWORD}},
    })
    .to_string();
    let address = format!(
        "10.{}.{}.{}",
        number >> 16 & 255,
        number >> 8 & 255,
        number & 255
    );
    format!(
        "POST /graphql HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\nx-forwarded-for: {address}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// Sign-ins without end, a hundred at once, until it is told to stop; how long each waited.
async fn sign_in(
    address: String,
    logins: Arc<Vec<String>>,
    stop: Arc<AtomicBool>,
) -> Vec<Duration> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut under_way = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (address, logins) = (address.clone(), logins.clone());
        let (next, stop) = (next.clone(), stop.clone());
        under_way.spawn(async move {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            let mut waited = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let login = logins.get(number).expect("there are too few people");
                let sent = Instant::now();
                stream.write_all(&request(login, number)).await.unwrap();
                let mut text = Vec::new();
                let mut buffer = [0; 4096];
                while !text.ends_with(b"}") {
                    let read = stream.read(&mut buffer).await.unwrap();
                    assert!(read > 0, "the server hung up");
                    text.extend_from_slice(&buffer[..read]);
                }
                let text = String::from_utf8_lossy(&text);
                assert!(text.contains("\"kss_"), "{login} is not signed in: {text}");
                waited.push(sent.elapsed());
            }
            waited
        });
    }
    under_way.join_all().await.concat()
}

/// Measures and prints.
pub async fn measure(folder: &Path, url: &str, asker: &str, sample: &Sample, time: Duration) {
    let logins = Arc::new(people(url).await);
    let requests = verify::checks(asker, &sample.keys);
    let settings = [("KEYSTEAD_TRUSTED_PROXIES", "127.0.0.1/32")];
    let (server, _) = start(folder, url, 4809, &settings).await;
    // The lease that memory needs is taken within moments.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let check = async || {
        let (to, of) = (server.address.clone(), requests.clone());
        let waited = tokio::task::spawn_blocking(move || valid(&to, time, &of));
        waited.await.unwrap()
    };
    let at = |waited: &[u32], share: f64| {
        waited[((waited.len() as f64 * share) as usize).min(waited.len() - 1)]
    };
    println!(
        "\nverify beside {AT_ONCE} sign-ins at once, passwords of cost {COST}\n{:<44}{:>9}{:>9}{:>9}",
        "", "p50 µs", "p99 µs", "worst µs"
    );
    let print = |name: &str, waited: &[u32]| {
        println!(
            "{name:<44}{:>9}{:>9}{:>9}",
            at(waited, 0.5),
            at(waited, 0.99),
            at(waited, 1.0)
        );
    };
    check().await;
    let calm = check().await;
    print("/v1/verify, nobody signs in", &calm);
    let stop = Arc::new(AtomicBool::new(false));
    let begin = Instant::now();
    let signing_in = tokio::spawn(sign_in(server.address.clone(), logins, stop.clone()));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let beside = check().await;
    print("/v1/verify, beside the sign-ins", &beside);
    let after = check().await;
    stop.store(true, Ordering::Relaxed);
    print("/v1/verify, the same again", &after);
    let mut waited = signing_in.await.unwrap();
    let seconds = begin.elapsed().as_secs_f64();
    waited.sort_unstable();
    println!(
        "  p99 as a multiple of that without: {:.2} and {:.2}, wanted at most 2.00",
        f64::from(at(&beside, 0.99)) / f64::from(at(&calm, 0.99)),
        f64::from(at(&after, 0.99)) / f64::from(at(&calm, 0.99))
    );
    println!(
        "  {:.1} sign-ins a second; half waited {:.1} s or more, the longest {:.1} s; resident memory {:.0} MiB",
        waited.len() as f64 / seconds,
        waited[waited.len() / 2].as_secs_f64(),
        waited[waited.len() - 1].as_secs_f64(),
        load::resident_mib(server.process.id())
    );
}
