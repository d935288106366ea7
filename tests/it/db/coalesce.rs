//! The shared loader: who comes while a statement is under way gets the answer of a later one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use keystead::db::coalesce::Coalescer;
use tokio::sync::Semaphore;

#[tokio::test]
async fn nobody_joins_a_statement_that_has_begun() {
    let begun = Arc::new(AtomicU64::new(0));
    let gate = Arc::new(Semaphore::new(0));
    let (count, held) = (begun.clone(), gate.clone());
    let loader = Coalescer::new(2, move |keys: Vec<u8>| {
        let (number, held) = (count.fetch_add(1, Ordering::SeqCst) + 1, held.clone());
        async move {
            held.acquire().await.unwrap().forget();
            Ok(keys
                .into_iter()
                .map(|key| (key, number))
                .collect::<HashMap<_, _>>())
        }
    });
    let ask = || {
        let loader = loader.clone();
        tokio::spawn(async move { loader.load(7).await.unwrap().unwrap() })
    };
    let wait_for = |number| {
        let begun = begun.clone();
        async move {
            while begun.load(Ordering::SeqCst) < number {
                tokio::task::yield_now().await;
            }
        }
    };
    // Two statements at once at most: the third waits with its key, and so does the fourth, which joins it.
    let first = ask();
    wait_for(1).await;
    let second = ask();
    wait_for(2).await;
    let (third, fourth) = (ask(), ask());
    tokio::task::yield_now().await;
    assert_eq!(begun.load(Ordering::SeqCst), 2);
    gate.add_permits(3);
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(second.await.unwrap(), 2);
    assert_eq!(third.await.unwrap(), 3);
    assert_eq!(fourth.await.unwrap(), 3);
}

#[tokio::test]
async fn who_came_first_is_in_the_first_batch() {
    let batches = Arc::new(Mutex::new(Vec::new()));
    let gate = Arc::new(Semaphore::new(0));
    let (seen, held) = (batches.clone(), gate.clone());
    let loader = Coalescer::new(1, move |keys: Vec<u32>| {
        let (seen, held) = (seen.clone(), held.clone());
        async move {
            seen.lock().unwrap().push(keys);
            held.acquire().await.unwrap().forget();
            Ok(HashMap::<u32, ()>::new())
        }
    });
    let first = tokio::spawn({
        let loader = loader.clone();
        async move { loader.load(u32::MAX).await }
    });
    while batches.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    // More than one batch takes, and some of them twice.
    let many = tokio::spawn(async move { loader.load_many((0..2_500).chain(100..200)).await });
    tokio::task::yield_now().await;
    gate.add_permits(3);
    first.await.unwrap().unwrap();
    assert_eq!(many.await.unwrap().unwrap().len(), 2_600);
    let batches = batches.lock().unwrap();
    assert_eq!(batches[0], [u32::MAX]);
    assert_eq!(batches[1], (0..2_000).collect::<Vec<_>>());
    assert_eq!(batches[2], (2_000..2_500).collect::<Vec<_>>());
    assert_eq!(batches.len(), 3);
}
