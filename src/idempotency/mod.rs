//! `Idempotency-Key`: a mutation sent twice under one key has one effect and one answer.
//!
//! Invariants: the answer is stored in the transaction that made it, so there is either both or neither; a second request under
//! the same key waits on the primary key until the first has ended, in whichever process, and then replays its answer or, if it
//! was rolled back, runs; an answer may hold a new secret and is therefore encrypted with a key that only the caller's
//! credential yields; after 24 hours a key is free again.

pub mod ops;
mod seal;
mod store;
