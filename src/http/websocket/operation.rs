//! One operation of a WebSocket, in a task of its own.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Instant;

use futures_util::{FutureExt, StreamExt};
use tokio::sync::{RwLock, mpsc};
use tracing::{Instrument, Span};

use super::super::caller::{self, Visitor};
use super::super::journal::{Line, Noted};
use super::super::{Server, trace};
use super::connection::Event;
use crate::ctx::RequestInfo;
use crate::error::Error;
use crate::graphql::error::Refused;
use crate::graphql::request::GraphqlRequest;

/// What an operation says to its connection.
pub(super) enum About {
    Subscription,
    Next(Vec<u8>),
    Error(Vec<u8>),
    Complete,
}

/// What an operation needs to run by itself.
pub(super) struct Operation {
    pub server: Arc<Server>,
    pub visitor: Arc<RwLock<Visitor>>,
    pub events: mpsc::Sender<Event>,
    pub id: String,
    pub number: u64,
}

impl Operation {
    /// Runs it to its end, and writes its line in the log.
    pub async fn run(self, request: GraphqlRequest) {
        let since = Instant::now();
        let mut info = RequestInfo::clone(&self.visitor.read().await.info);
        let span = trace::begin_operation(&mut info, self.server.settings.scheme());
        let mut noted = Noted {
            name: request.operation_name.clone(),
            ..Noted::default()
        };
        let answered = AssertUnwindSafe(self.answer(request, span, &mut noted)).catch_unwind();
        let answered = answered.await.unwrap_or_else(|_panic| {
            Err(Error::internal(format!("an operation of {} panicked", info.id)).into())
        });
        if let Err(mut refused) = answered {
            noted.code = Some(refused.code.as_str());
            self.tell(About::Error(refused.errors(&info.id))).await;
        }
        let line = Line {
            method: "WS",
            path: "/graphql",
            info: &info,
            status: 101,
            took: since.elapsed(),
        };
        line.write(Some(&noted));
    }

    async fn answer(
        &self,
        request: GraphqlRequest,
        mut span: Span,
        noted: &mut Noted,
    ) -> Result<(), Refused> {
        let api = &self.server.app.api;
        let preparing = async {
            // Asked for each operation: the key may have been deleted, or have lost rights, since the connection was made.
            let ctx = self.visitor.read().await.identify(&self.server).await?;
            noted.actor = caller::actor_id(&ctx);
            let prepared = api.prepare(&ctx, request)?;
            Ok::<_, Refused>((ctx, prepared))
        };
        let (ctx, prepared) = preparing.instrument(span.clone()).await?;
        noted.operation = prepared.label().to_owned().into();
        noted.cost = prepared.operation.cost;
        if prepared.is_subscription() {
            // A trace ends some time; a subscription may last for days.
            span = Span::none();
            self.tell(About::Subscription).await;
        }
        let answering = async {
            let mut answers = api.follow(ctx, prepared);
            while let Some(answer) = answers.next().await {
                let executed = answer?;
                noted.code = noted.code.or(executed.code);
                self.tell(About::Next(executed.body)).await;
            }
            self.tell(About::Complete).await;
            Ok(())
        };
        answering.instrument(span).await
    }

    async fn tell(&self, about: About) {
        let event = Event::About(self.id.clone(), self.number, about);
        // The connection is gone: it has aborted this task or is about to.
        let _ = self.events.send(event).await;
    }
}
