//! A loader that all requests share: a key that arrives while nothing is under way goes at once; keys that arrive
//! meanwhile form the next batch, as in a group commit. No timer: one client alone never waits for company.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use tokio::sync::oneshot;
use tracing::{Instrument, Level, Span};

use crate::error::{Error, Result};

/// Most keys of one batch; what is beyond goes into the next. First come, first served: nobody is overtaken by a flood.
const MAX_BATCH: usize = 2_000;

type Fetch<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>>> + Send + Sync;
type Waiting<K, V> = HashMap<K, Vec<oneshot::Sender<std::result::Result<Option<V>, Arc<Error>>>>>;

/// Loads values by key, many keys a statement. Nothing is kept once it is answered.
pub struct Coalescer<K, V> {
    fetch: Box<Fetch<K, V>>,
    state: Mutex<State<K, V>>,
    /// How many batches may be under way at once.
    lanes: usize,
}

struct State<K, V> {
    waiting: Waiting<K, V>,
    /// Their keys in the order of their coming.
    order: VecDeque<K>,
    /// The span of whoever asked first of those that wait: the batch is part of its trace.
    first: Span,
    running: usize,
}

impl<K, V> Coalescer<K, V>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A loader over `fetch`, with up to `lanes` batches under way at the same time.
    pub fn new<F, Fut>(lanes: usize, fetch: F) -> Arc<Self>
    where
        F: Fn(Vec<K>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<HashMap<K, V>>> + Send + 'static,
    {
        Arc::new(Coalescer {
            fetch: Box::new(move |keys| Box::pin(fetch(keys))),
            state: Mutex::new(State {
                waiting: HashMap::new(),
                order: VecDeque::new(),
                first: Span::none(),
                running: 0,
            }),
            lanes,
        })
    }

    /// The value of one key; `None` when there is none.
    ///
    /// # Errors
    /// What the batch's statement failed with.
    pub async fn load(self: &Arc<Self>, key: K) -> Result<Option<V>> {
        let (sender, receiver) = oneshot::channel();
        {
            let mut state = self.lock();
            if tracing::span_enabled!(Level::INFO) && state.waiting.is_empty() {
                state.first = Span::current();
            }
            match state.waiting.entry(key) {
                Entry::Occupied(waiting) => waiting.into_mut().push(sender),
                Entry::Vacant(place) => {
                    let key = place.key().clone();
                    place.insert(vec![sender]);
                    state.order.push_back(key);
                }
            }
            if state.running < self.lanes {
                state.running += 1;
                let this = self.clone();
                tokio::spawn(async move { this.run().await });
            }
        }
        match receiver.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(error.as_ref().clone()),
            Err(_) => Err(Error::internal("a batch ended without an answer")),
        }
    }

    /// The values of several keys, in their order.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub async fn load_many(
        self: &Arc<Self>,
        keys: impl IntoIterator<Item = K>,
    ) -> Result<Vec<Option<V>>> {
        futures_util::future::try_join_all(keys.into_iter().map(|key| self.load(key))).await
    }

    /// Runs batches until nothing waits. Every key that is already on its way when this task is first polled is in the
    /// first batch: the tasks of one request run before it.
    async fn run(self: Arc<Self>) {
        loop {
            let (keys, batch, span): (Vec<K>, Waiting<K, V>, Span) = {
                let mut state = self.lock();
                if state.waiting.is_empty() {
                    state.running -= 1;
                    return;
                }
                let span = std::mem::replace(&mut state.first, Span::none());
                let count = state.order.len().min(MAX_BATCH);
                let keys: Vec<K> = state.order.drain(..count).collect();
                let batch = if state.order.is_empty() {
                    std::mem::take(&mut state.waiting)
                } else {
                    let mut taken = |key| state.waiting.remove_entry(key);
                    keys.iter().filter_map(&mut taken).collect()
                };
                (keys, batch, span)
            };
            match (self.fetch)(keys).instrument(span).await {
                Ok(mut found) => {
                    for (key, senders) in batch {
                        let value = found.remove(&key);
                        for sender in senders {
                            let _ = sender.send(Ok(value.clone()));
                        }
                    }
                }
                Err(error) => {
                    let error = Arc::new(error);
                    for sender in batch.into_values().flatten() {
                        let _ = sender.send(Err(error.clone()));
                    }
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<K, V>> {
        self.state
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
