//! The threads on which passwords are hashed.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::oneshot;

use crate::error::{Code, Error, Result};

/// Passwords that may wait to be hashed; with a quarter of a second each and two processors the last of them waits half a minute.
const MAX_WAITING: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// As many threads as there are processors. They live as long as the process.
static JOBS: LazyLock<SyncSender<Job>> = LazyLock::new(|| {
    let (jobs, waiting) = sync_channel::<Job>(MAX_WAITING);
    let waiting = Arc::new(Mutex::new(waiting));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for number in 0..threads {
        let waiting = waiting.clone();
        let thread = std::thread::Builder::new().name(format!("hashing-{number}"));
        if let Err(error) = thread.spawn(move || work(&waiting)) {
            tracing::error!(%error, "a thread for hashing cannot be started");
        }
    }
    jobs
});

fn work(waiting: &Mutex<Receiver<Job>>) {
    yield_to_others();
    loop {
        let job = waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv();
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

/// Whatever else the server has to do goes first: on Linux a thread has a priority of its own.
fn yield_to_others() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(None, 19) {
        tracing::warn!(%error, "hashing cannot be given a low priority");
    }
}

/// Runs it on one of these threads. How long that took, with the time before its turn, is the metric `keystead_password_hash_seconds`.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` where too many wait already; an internal error if bcrypt fails.
pub(super) async fn run<T: Send + 'static>(
    work: impl FnOnce() -> bcrypt::BcryptResult<T> + Send + 'static,
) -> Result<T> {
    let asked = Instant::now();
    let (done, answer) = oneshot::channel();
    let job: Job = Box::new(move || {
        // Whoever asked may have gone; then nobody needs the answer, nor the work.
        if !done.is_closed() {
            let _ = done.send(work());
        }
    });
    match JOBS.try_send(job) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => {
            return Err(Error::new(
                Code::ServiceUnavailable,
                "Too many passwords are being verified. Try again in a moment.",
            ));
        }
        Err(TrySendError::Disconnected(_)) => {
            return Err(Error::internal("there is no thread for hashing"));
        }
    }
    let answer = answer
        .await
        .map_err(|_| Error::internal("the thread for hashing has gone"))?;
    metrics::histogram!("keystead_password_hash_seconds").record(asked.elapsed().as_secs_f64());
    answer.map_err(|error| Error::internal(error.to_string()))
}
