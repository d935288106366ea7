//! Two servers are asked all the time while what they are asked about changes, and their processes and connections are stopped, cut and
//! delayed. Every answer is compared with the history of the changes: it must have been true at some moment between its question and
//! itself. Without the protocol the same comparison finds a stale answer at once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use keystead::ctx::Random;
use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::time::sleep;

use super::processes::{Process, Protocol, ask, cut_listeners, two};
use super::subjects::subjects;
use crate::support::TestApp;

/// Something that is so or is not, as a key asks about it.
pub struct Subject {
    pub name: &'static str,
    pub key: String,
    /// What asks.
    pub question: String,
    /// The mutations after which it is so, and after which it is not.
    pub changes: [String; 2],
    pub history: Mutex<Vec<Change>>,
    pub answers: Mutex<Vec<Answer>>,
}

/// It became so, or ceased to be, at some moment between these.
pub struct Change {
    to: bool,
    began: Instant,
    ended: Option<Instant>,
}

pub struct Answer {
    said: bool,
    asked: Instant,
    answered: Instant,
    by: usize,
}

impl Subject {
    /// Answers that were true at no moment between question and answer. In the beginning it is so.
    fn stale(&self) -> Vec<String> {
        let history = self.history.lock().unwrap();
        let answers = self.answers.lock().unwrap();
        let is_stale = |answer: &&Answer| {
            let before = |change: &Change| change.ended.is_some_and(|end| end < answer.asked);
            // A change that is settled settles those before it, whatever became of their answers.
            let settled = history.iter().rposition(before).map_or(0, |last| last + 1);
            let was = settled.checked_sub(1).is_none_or(|last| history[last].to);
            let mut may = vec![was];
            let later = history[settled..].iter();
            may.extend(
                later
                    .take_while(|change| change.began < answer.answered)
                    .map(|change| change.to),
            );
            !may.contains(&answer.said)
        };
        let told = |answer: &Answer| {
            let last = history
                .iter()
                .rev()
                .find(|change| change.ended.is_some_and(|end| end < answer.asked));
            let since = last
                .and_then(|change| change.ended)
                .map(|end| answer.asked - end);
            format!(
                "{}: server {} said {} {since:?} after it ceased to be so",
                self.name, answer.by, answer.said
            )
        };
        answers.iter().filter(is_stale).map(told).collect()
    }
}

/// What the server says: yes, no, or nothing that counts.
fn said(answer: &Value) -> Option<bool> {
    match answer["errors"][0]["extensions"]["code"].as_str() {
        Some("UNAUTHENTICATED") => Some(false),
        Some(_) => None,
        None => Some(
            answer["data"]["checkPermission"]["allowed"]
                .as_bool()
                .unwrap_or(true),
        ),
    }
}

/// Changes the subject to and fro. A change that did not answer well is made again until it does: until then either may be so.
async fn alternate(
    subject: Arc<Subject>,
    servers: [SocketAddr; 2],
    admin: String,
    random: Random,
    stop: Arc<AtomicBool>,
) {
    let mut to = true;
    while !stop.load(Ordering::Relaxed) {
        to = !to;
        let began = Instant::now();
        subject.history.lock().unwrap().push(Change {
            to,
            began,
            ended: None,
        });
        let mut made;
        loop {
            let server = servers[usize::from(random.bytes::<1>()[0] % 2)];
            let answer = ask(server, &admin, &subject.changes[usize::from(!to)])
                .await
                .unwrap_or_default();
            let code = answer["errors"][0]["extensions"]["code"].as_str();
            made = matches!(code, Some("ALREADY_EXISTS" | "NOT_FOUND"));
            if !answer["data"].is_null() && code.is_none() || made {
                break;
            }
            assert!(
                matches!(
                    code,
                    None | Some("SERVICE_UNAVAILABLE" | "TIMEOUT" | "CONFLICT")
                ),
                "{}: {answer}",
                subject.name
            );
            if stop.load(Ordering::Relaxed) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        // One whose answer was lost may not be known everywhere yet: the next change settles it.
        if !made {
            subject.history.lock().unwrap().last_mut().unwrap().ended = Some(Instant::now());
        }
        sleep(Duration::from_millis(u64::from(random.bytes::<1>()[0]))).await;
    }
}

async fn keep_asking(
    subjects: Vec<Arc<Subject>>,
    by: usize,
    server: SocketAddr,
    random: Random,
    stop: Arc<AtomicBool>,
) {
    while !stop.load(Ordering::Relaxed) {
        let subject = &subjects[usize::from(random.bytes::<1>()[0]) % subjects.len()];
        let asked = Instant::now();
        let answer = tokio::time::timeout(
            Duration::from_secs(4),
            ask(server, &subject.key, &subject.question),
        )
        .await;
        let answered = Instant::now();
        if let Some(said) = answer.ok().flatten().as_ref().and_then(said) {
            subject.answers.lock().unwrap().push(Answer {
                said,
                asked,
                answered,
                by,
            });
        }
        sleep(Duration::from_millis(1)).await;
    }
}

/// Does something to one of the servers, for a while.
async fn disturb(app: &TestApp, servers: &[Process; 2], random: &Random) {
    let [what, whom, long] = random.bytes::<3>();
    let server = &servers[usize::from(whom % 2)];
    let time = Duration::from_millis(20 + u64::from(long) * 10);
    match what % 5 {
        0 => {
            server.proxy.freeze();
            sleep(time).await;
            server.proxy.mend();
        }
        1 => {
            server.proxy.cut();
            sleep(time / 4).await;
            server.proxy.mend();
        }
        2 => {
            server.signal(Signal::SIGSTOP);
            sleep(time).await;
            server.signal(Signal::SIGCONT);
        }
        3 => cut_listeners(app).await,
        _ => sleep(time).await,
    }
    sleep(time / 4).await;
}

/// Answers and changes without which a run proves little.
const ENOUGH_ANSWERS: usize = 500;
const ENOUGH_CHANGES: usize = 20;

/// Runs until there is a stale answer, or for so long and, on a machine that is slow, until there was enough to compare; returns the stale answers, and how many answers there were.
async fn run(protocol: Protocol, long: Duration) -> (Vec<String>, usize, usize) {
    let seed = u64::from_be_bytes(Random::system().bytes());
    eprintln!("seed {seed}");
    let random = Random::seeded(seed);
    let (app, servers) = two(protocol).await;
    let subjects = subjects(&app).await;
    let stop = Arc::new(AtomicBool::new(false));
    let addresses = [servers[0].address, servers[1].address];
    let mut tasks = tokio::task::JoinSet::new();
    for subject in &subjects {
        tasks.spawn(alternate(
            subject.clone(),
            addresses,
            app.admin_key.to_string(),
            random.clone(),
            stop.clone(),
        ));
    }
    for (by, server) in addresses.into_iter().enumerate() {
        for _ in 0..2 {
            tasks.spawn(keep_asking(
                subjects.clone(),
                by,
                server,
                random.clone(),
                stop.clone(),
            ));
        }
    }
    let stale = || -> Vec<String> {
        subjects
            .iter()
            .flat_map(|subject| subject.stale())
            .collect()
    };
    let counts = || -> (usize, usize) {
        let answers = subjects
            .iter()
            .map(|subject| subject.answers.lock().unwrap().len());
        let changes = subjects
            .iter()
            .map(|subject| subject.history.lock().unwrap().len());
        (answers.sum(), changes.sum())
    };
    let is_enough = || {
        let (answers, changes) = counts();
        answers >= ENOUGH_ANSWERS && changes >= ENOUGH_CHANGES
    };
    let began = Instant::now();
    while stale().is_empty()
        && (began.elapsed() < long || (!is_enough() && began.elapsed() < 5 * long))
    {
        match protocol {
            Protocol::On => disturb(&app, &servers, &random).await,
            Protocol::Off => sleep(Duration::from_millis(100)).await,
        }
    }
    let hits = servers[0].hits().await + servers[1].hits().await;
    stop.store(true, Ordering::Relaxed);
    let ending = async {
        while let Some(done) = tasks.join_next().await {
            done.unwrap();
        }
    };
    // A request that hangs is not waited for: what it does is under way until the end.
    let _ = tokio::time::timeout(Duration::from_secs(2), ending).await;
    let (answers, changes) = counts();
    eprintln!("{answers} answers, {hits} of them from memory, {changes} changes");
    if protocol == Protocol::On && stale().is_empty() {
        assert!(hits > 50, "only {hits} answers came from memory");
    }
    (stale(), answers, changes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_is_older_than_its_question() {
    let (stale, answers, changes) = run(Protocol::On, Duration::from_secs(12)).await;
    assert!(
        stale.is_empty(),
        "{} stale: {}",
        stale.len(),
        stale.join("\n")
    );
    assert!(
        answers >= ENOUGH_ANSWERS && changes >= ENOUGH_CHANGES,
        "{answers} answers, {changes} changes"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_protocol_there_is_a_stale_answer() {
    let (stale, _, _) = run(Protocol::Off, Duration::from_secs(12)).await;
    assert!(!stale.is_empty(), "the comparison finds nothing");
}
