//! Running a request once: [`begin`], then either replay the answer, or run in the context of [`Running`] and finish.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::seal::Purpose;
use super::store;
use crate::ctx::{Clock, Ctx, Holder, Whole};
use crate::db::{Db, Failure};
use crate::error::{Code, Error, Result};
use crate::secrets::{Digest, SealingKey};

/// Bytes of a key at most.
pub const MAX_KEY: usize = 255;
/// How long an answer is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);

/// Keys that one statement deletes at most.
const PURGED_AT_ONCE: i64 = 1_000;
/// How often a key that vanishes between two statements is looked for again.
const ATTEMPTS: u32 = 3;

/// How a request under a key begins.
pub enum Begun {
    /// It ran before: this is its answer, byte for byte.
    Replay(Vec<u8>),
    /// It is the first: it runs in the context that is given here.
    Run(Box<Running>),
}

/// A request that runs in one transaction, in which its answer will be stored. Dropped without [`Running::finish`], everything is
/// rolled back.
pub struct Running {
    whole: Whole,
    actor: Uuid,
    sealing: SealingKey,
    key: String,
    fingerprint: Digest,
}

/// Begins a request under `key`; `fingerprint` tells it from every other request. Waits for another one under the same key.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `BAD_USER_INPUT` for a key that is not 1–255 visible ASCII characters;
/// `IDEMPOTENCY_KEY_REUSED` when the key was used with another request or another credential; `SERVICE_UNAVAILABLE`.
pub async fn begin(ctx: &Ctx, key: &str, fingerprint: Digest) -> Result<Begun> {
    let holder = ctx.somebody()?;
    validate(key)?;
    let sealing = sealing(holder)?;
    let whole = Whole::begin(ctx, "idempotent_request").await?;
    match claim_or_find(&whole.ctx, holder, key, fingerprint).await {
        Ok(None) => Ok(Begun::Run(Box::new(Running {
            whole,
            actor: holder.user_id,
            sealing,
            key: key.to_owned(),
            fingerprint,
        }))),
        found => {
            whole.undo().await?;
            let answer = found?.ok_or_else(|| Error::internal("a claimed key has no answer"))?;
            // The first attempt may be waiting yet for a server to know what it changed.
            ctx.db.settled().await?;
            Ok(Begun::Replay(answer))
        }
    }
}

/// What the answer is encrypted with.
fn sealing(holder: &Holder) -> Result<SealingKey> {
    holder.sealing.clone().ok_or_else(|| {
        Error::bad_input(
            "Idempotency-Key",
            "An Idempotency-Key needs an API key or a session: the answer is kept encrypted with the credential, and a password could be guessed.",
        )
    })
}

fn validate(key: &str) -> Result<()> {
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    if visible && (1..=MAX_KEY).contains(&key.len()) {
        return Ok(());
    }
    Err(Error::bad_input(
        "Idempotency-Key",
        format!(
            "The header Idempotency-Key has {} bytes. It takes 1 to {MAX_KEY} visible ASCII characters, for example a UUID.",
            key.len()
        ),
    ))
}

/// The answer that is stored under the key; `None` when the key is now this transaction's.
async fn claim_or_find(
    ctx: &Ctx,
    holder: &Holder,
    key: &str,
    fingerprint: Digest,
) -> Result<Option<Vec<u8>>> {
    let (actor, now) = (holder.user_id, ctx.now());
    let mut conn = ctx.db.read("claim_idempotency_key").await?;
    for _ in 0..ATTEMPTS {
        let claimed = store::claim(&mut conn, actor, key, fingerprint, now, now - KEPT)
            .await
            .map_err(gone)?;
        if claimed {
            return Ok(None);
        }
        let Some((stored, sealed)) = store::find(&mut conn, actor, key).await? else {
            // It expired and was purged in between.
            continue;
        };
        if Digest::from_stored(&stored) != Some(fingerprint) {
            return Err(reused(
                "This Idempotency-Key was used before with another request. Make a new key for every request; send the same one \
                 only to repeat the same request.",
            ));
        }
        let purpose = Purpose {
            actor,
            key,
            fingerprint,
        };
        let sealed = sealed.ok_or_else(|| Error::internal("a stored request has no answer"))?;
        let answer = purpose.open(&sealing(holder)?, &sealed)?;
        return answer.map(Some).ok_or_else(|| {
            reused(
                "This request ran before with another API key, and only that key opens its answer. Repeat it with that key, or \
                 make a new Idempotency-Key.",
            )
        });
    }
    Err(Error::conflict(
        "The Idempotency-Key expired while it was looked up. Try again.",
    ))
}

fn reused(message: &str) -> Error {
    Error::new(Code::IdempotencyKeyReused, message).at("Idempotency-Key")
}

fn gone(failure: Failure) -> Error {
    failure.foreign_key("idempotency_keys_actor_id_fkey", || {
        Error::new(
            Code::Unauthenticated,
            "The user of this API key has just been deleted.",
        )
    })
}

impl Running {
    /// The context to run in: what is read through it is what was written through it, and nobody else sees either.
    pub fn ctx(&self) -> Ctx {
        self.whole.ctx.clone()
    }

    /// Stores the answer and commits. With `keep` false, for an answer that another attempt may change, everything is rolled back
    /// and nothing is stored.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when it cannot be committed: nothing was changed.
    pub async fn finish(self, answer: &[u8], keep: bool) -> Result<()> {
        if !keep {
            return self.whole.undo().await;
        }
        let purpose = Purpose {
            actor: self.actor,
            key: &self.key,
            fingerprint: self.fingerprint,
        };
        let ctx = &self.whole.ctx;
        let sealed = purpose.seal(&self.sealing, &ctx.random, answer)?;
        let mut conn = ctx.db.read("store_idempotent_answer").await?;
        store::answer(&mut conn, self.actor, &self.key, &sealed).await?;
        drop(conn);
        self.whole.commit().await
    }
}

/// Deletes the keys that have expired. Returns how many.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn purge(db: &Db, clock: &Clock) -> Result<i64> {
    let expired: DateTime<Utc> = clock.now() - KEPT;
    let mut all = 0;
    loop {
        let mut conn = db.read("purge_idempotency_keys").await?;
        let gone = store::purge(&mut conn, expired, PURGED_AT_ONCE).await?;
        all += gone;
        if gone < PURGED_AT_ONCE {
            return Ok(all);
        }
    }
}
