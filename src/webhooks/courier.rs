//! One attempt at one delivery, and what came of it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::model::{Delivery, Settings, Status, Webhook};
use super::ops::{GONE, disable_gone, purpose};
use super::request::{Requester, Target};
use super::{signature, store};
use crate::audit::model::AuditEvent;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::outbox::model::Refusal;
use crate::permissions::model::Principal;
use crate::permissions::ops::facts;

/// What an attempt came to: the status of the answer, if there was one, and whether it was delivered.
pub struct Tried {
    /// The status of the receiver's answer.
    pub status: Option<u16>,
    /// Whether the receiver has the event.
    pub result: std::result::Result<(), Refusal>,
}

impl From<Refusal> for Tried {
    fn from(refusal: Refusal) -> Self {
        Tried {
            status: None,
            result: Err(refusal),
        }
    }
}

/// Who delivers webhooks.
pub struct Courier(Requester);

impl Courier {
    /// A courier with those settings.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the setting that cannot be used.
    pub fn new(settings: &Settings) -> Result<Self> {
        let roots = settings.roots.as_deref();
        Ok(Courier(Requester::new(settings.networks.clone(), roots)?))
    }

    /// Makes an attempt. A delivery whose webhook is no more is done.
    pub async fn deliver(&self, ctx: &Ctx, id: Uuid) -> Tried {
        self.attempt(ctx, id).await.unwrap_or_else(Tried::from)
    }

    async fn attempt(&self, ctx: &Ctx, id: Uuid) -> std::result::Result<Tried, Refusal> {
        let found = load(ctx, id)
            .await
            .map_err(|error| Refusal::for_now(error.cause.unwrap_or(error.message)))?;
        let (webhook, event) = match found {
            Found::Ready(found) => *found,
            Found::Gone => {
                return Ok(Tried {
                    status: None,
                    result: Ok(()),
                });
            }
            Found::Not(why) => return Err(Refusal::for_good(why)),
        };
        let (now, message) = (ctx.now(), event.typed_id().to_string());
        let body = body(&event);
        let keys = keys(ctx, &webhook).map_err(|error| {
            let cause = error.cause.unwrap_or(error.message);
            tracing::error!(webhook = %webhook.typed_id(), cause, "nothing can be signed");
            Refusal::for_now("the secret cannot be opened: see the server's log")
        })?;
        let target = Target::read(&webhook.url).map_err(Refusal::for_good)?;
        let timestamp = now.timestamp();
        let headers = [
            ("webhook-id", message.clone()),
            ("webhook-timestamp", timestamp.to_string()),
            (
                "webhook-signature",
                signature::of(&keys, &message, timestamp, &body),
            ),
        ];
        let status = self.0.post(&target, headers, body).await?;
        let result = match status {
            200..=299 => Ok(()),
            GONE => {
                disable_gone(ctx, webhook.id)
                    .await
                    .map_err(|error| Refusal::for_now(error.cause.unwrap_or(error.message)))?;
                Err(Refusal::for_good("the receiver says that it is gone (410)"))
            }
            300..=399 => Err(Refusal::for_now(format!(
                "redirects are not followed ({status})"
            ))),
            _ => Err(Refusal::for_now(format!("the receiver answered {status}"))),
        };
        Ok(Tried {
            status: Some(status),
            result,
        })
    }
}

enum Found {
    Ready(Box<(Webhook, AuditEvent)>),
    Gone,
    /// It is not to be delivered.
    Not(&'static str),
}

async fn load(ctx: &Ctx, id: Uuid) -> Result<Found> {
    let mut conn = ctx.db.read("webhook_delivery").await?;
    let Some((delivery, webhook)) = store::delivery(&mut conn, id).await? else {
        return Ok(Found::Gone);
    };
    if !webhook.enabled {
        return Ok(Found::Not("the webhook is disabled"));
    }
    let owner = Principal::User(webhook.owner_id);
    let facts = facts::of_principal(&mut conn, ctx.now(), owner).await?;
    let mut events = audit::by_ids_within(&mut conn, &[delivery.event_id]).await?;
    let (Some(facts), Some(event)) = (facts, events.remove(&delivery.event_id)) else {
        return Ok(Found::Gone);
    };
    if !audit::principal_may_read(&facts, &owner, &event) {
        return Ok(Found::Not("its maker may not read the event any more"));
    }
    Ok(Found::Ready(Box::new((webhook, event))))
}

/// What signs now.
fn keys(ctx: &Ctx, webhook: &Webhook) -> Result<Vec<zeroize::Zeroizing<Vec<u8>>>> {
    let purpose = purpose(webhook.id);
    let previous = webhook.previous_secret.as_ref().filter(|_| {
        webhook
            .previous_until
            .is_some_and(|until| until > ctx.now())
    });
    std::iter::once(&webhook.secret)
        .chain(previous)
        .map(|sealed| ctx.sealer.open(&purpose, sealed))
        .collect()
}

/// The message: what `AuditEvent` shows to those who may read it.
fn body(event: &AuditEvent) -> Vec<u8> {
    let moment = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    let id = |kind, id: Option<Uuid>| id.map(|id| Id::new(kind, id).to_string());
    let data: Value = json!({
        "id": event.typed_id().to_string(),
        "at": moment(event.at),
        "action": event.action,
        "actorId": id(Kind::User, event.actor_id),
        "actorName": event.actor_name,
        "apiKeyId": id(Kind::ApiKey, event.api_key_id),
        "onBehalfOf": event.on_behalf_of,
        "target": event.target,
        "paths": event.paths,
        "before": event.before,
        "after": event.after,
        "requestId": event.request_id,
        "ip": event.ip,
        "userAgent": event.user_agent,
        "via": event.via,
    });
    let message = json!({"type": event.action, "timestamp": moment(event.at), "data": data});
    message.to_string().into_bytes()
}

/// Stores what came of an attempt, beside what becomes of its parcel: `next` is when it is tried again.
///
/// # Errors
/// What the statement failed with.
pub async fn note(
    tx: &mut Tx,
    id: Uuid,
    attempts: i32,
    tried: &Tried,
    (now, next): (DateTime<Utc>, Option<DateTime<Utc>>),
) -> Result<()> {
    let error = tried
        .result
        .as_ref()
        .err()
        .map(|refusal| refusal.why.as_str());
    let status = match (error, next) {
        (None, _) => Status::Delivered,
        (Some(_), Some(_)) => Status::Pending,
        (Some(_), None) => Status::Dead,
    };
    let attempted = store::Attempted {
        status,
        attempts,
        response_status: tried.status.map(i32::from),
        error,
        at: now,
        next,
    };
    Ok(store::attempted(tx, id, attempted).await?)
}

/// What a list shows as the delivery's status.
pub fn status(delivery: &Delivery) -> Status {
    Status::known(&delivery.status)
}
