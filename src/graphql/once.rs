//! Running a mutation under an `Idempotency-Key`: in one transaction with its answer, or not at all.

use std::sync::Arc;

use ring::digest::{Context, SHA256};

use super::api::{Api, Executed, Prepared};
use super::error::Refused;
use super::loaders::Loaders;
use super::request::GraphqlRequest;
use crate::ctx::{Actor, Ctx};
use crate::idempotency::ops::{self, Begun};
use crate::secrets::Digest;

/// What makes a request the same request.
#[derive(Debug, Clone)]
pub struct Once {
    key: String,
    fingerprint: Digest,
}

impl Once {
    /// The request under its key, if it has one; `text` is its document, which a persisted query does not carry itself.
    pub fn of(ctx: &Ctx, text: &str, request: &GraphqlRequest) -> Option<Once> {
        let key = request.idempotency_key.clone()?;
        let mut hash = Context::new(&SHA256);
        let mut part = |bytes: &[u8]| {
            // With its length before it, no part can run into the next.
            hash.update(&u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(bytes);
        };
        if let Actor::Holder(holder) | Actor::Enrolling(holder) = &ctx.actor {
            part(holder.user_id.as_bytes());
        }
        part(text.as_bytes());
        part(
            request
                .operation_name
                .as_deref()
                .unwrap_or_default()
                .as_bytes(),
        );
        // Objects are kept sorted by their members' names: the order in which a client sends them makes no difference.
        part(
            serde_json::Value::Object(request.variables.clone())
                .to_string()
                .as_bytes(),
        );
        Some(Once {
            key,
            fingerprint: Digest::of(hash.finish().as_ref()),
        })
    }
}

impl Api {
    /// Runs the mutation, or replays the answer it had. An answer that another attempt may change is not stored, and whatever was
    /// done for it is rolled back.
    pub(super) async fn run_once(
        &self,
        ctx: Ctx,
        once: Once,
        prepared: Prepared,
    ) -> Result<Executed, Refused> {
        let running = match ops::begin(&ctx, &once.key, once.fingerprint).await? {
            Begun::Replay(body) => return Ok(Executed::replayed(body)),
            Begun::Run(running) => running,
        };
        let bound = running.ctx();
        // The loaders of the process would not see what this transaction writes.
        let loaders: Arc<Loaders> =
            Loaders::new(&bound.db, &bound.clock, bound.policy.reservations.charging);
        match self.run_with(bound, loaders, prepared, true).await {
            Ok(executed) => {
                running.finish(&executed.body, !executed.passing).await?;
                Ok(executed)
            }
            Err(refused) => {
                running.finish(&[], false).await?;
                Err(refused)
            }
        }
    }
}
