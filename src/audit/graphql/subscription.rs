//! The audit trail as it grows.

use std::sync::Arc;

use async_graphql::{Context, ID, Subscription};
use futures_util::Stream;
use futures_util::stream::unfold;
use uuid::Uuid;

use super::inputs::AuditFilterInput;
use super::types::AuditEvent;
use crate::audit::follow::Feed;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::fresh::Fresh;
use crate::graphql::{Request, request};

/// Subscriptions to the audit trail.
#[derive(Default)]
pub struct AuditSubscription;

/// What happens from now on.
#[Subscription(name = "Subscription")]
impl AuditSubscription {
    /// Every event that you may read, as soon as it is committed, on whichever server it was made: each row of the audit trail is one. Rights
    /// and filter are those of the query `auditEvents`, and your rights are looked at anew for each event. With `after` it goes on from an
    /// event that you have: what happened since comes first, at most 10,000 events; what happened at the same time may come again, and its
    /// `id` tells. The subscription ends with an error when your credential stops working, and when you read so slowly that events would have
    /// to be dropped; go on from the last that you have.
    async fn events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which events; conditions are joined by AND.")] filter: Option<
            AuditFilterInput,
        >,
        #[graphql(desc = "The id of the last event that you have; not given: from now on.")]
        after: Option<ID>,
    ) -> Result<impl Stream<Item = Result<Fresh<AuditEvent>>> + use<>> {
        let after = after
            .map(|id| Id::parse_as(Kind::AuditEvent, "after", &id))
            .transpose()?;
        follow(context, filter, after).await
    }

    /// The events that you may read, from now on: as `events` without `after`.
    async fn audit_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which events; conditions are joined by AND.")] filter: Option<
            AuditFilterInput,
        >,
    ) -> Result<impl Stream<Item = Result<Fresh<AuditEvent>>> + use<>> {
        follow(context, filter, None).await
    }
}

async fn follow(
    context: &Context<'_>,
    filter: Option<AuditFilterInput>,
    after: Option<Uuid>,
) -> Result<impl Stream<Item = Result<Fresh<AuditEvent>>> + use<>> {
    let request = request(context).clone();
    let feed = context.data_unchecked::<Arc<Feed>>();
    let filter = filter.unwrap_or_default().read()?;
    let subscriber = feed.subscribe(request.ctx.clone(), filter, after).await?;
    Ok(unfold(subscriber, move |mut subscriber| {
        let request = request.clone();
        async move {
            let next = subscriber.next().await?;
            let shown = next.map(|(event, ctx)| Fresh {
                value: AuditEvent(event),
                request: Request { ctx, ..request },
            });
            Some((shown, subscriber))
        }
    }))
}
