//! The shared loader: who comes while a statement is under way gets the answer of a later one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
