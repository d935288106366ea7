//! The audit trail as it grows.

use std::sync::Arc;

use async_graphql::{Context, Subscription};
use futures_util::Stream;
use futures_util::stream::unfold;

use super::inputs::AuditFilterInput;
use super::types::AuditEvent;
use crate::audit::follow::Feed;
use crate::error::Result;
use crate::graphql::fresh::Fresh;
use crate::graphql::{Request, request};

/// Subscriptions to the audit trail.
#[derive(Default)]
pub struct AuditSubscription;

/// What happens from now on.
#[Subscription(name = "Subscription")]
impl AuditSubscription {
    /// Every change that you may read of, as soon as it is committed, on whichever server it was made. Rights and filter are those of
    /// the query `auditEvents`, and your rights are looked at anew for each event. The subscription ends with an error when your
    /// credential stops working, and when you read so slowly that events would have to be dropped.
    async fn audit_events(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which events; conditions are joined by AND.")] filter: Option<
            AuditFilterInput,
        >,
    ) -> Result<impl Stream<Item = Result<Fresh<AuditEvent>>> + use<>> {
        let Request {
            ctx,
            loaders,
            authenticator,
            limits,
            max_batch,
        } = request(context).clone();
        let feed = context.data_unchecked::<Arc<Feed>>();
        let filter = filter.unwrap_or_default().read()?;
        let subscriber = feed.subscribe(ctx, filter).await?;
        Ok(unfold(subscriber, move |mut subscriber| {
            let (loaders, authenticator) = (loaders.clone(), authenticator.clone());
            let limits = limits.clone();
            async move {
                let next = subscriber.next().await?;
                let shown = next.map(|(event, ctx)| Fresh {
                    value: AuditEvent(event),
                    request: Request {
                        ctx,
                        loaders,
                        authenticator,
                        limits,
                        max_batch,
                    },
                });
                Some((shown, subscriber))
            }
        }))
    }
}
