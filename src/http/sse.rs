//! Answers as a stream of events: `graphql-sse` in its distinct connections mode, one operation for each request.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::Server;
use super::caller::Visitor;
use crate::error::Code;
use crate::graphql::api::Executed;
use crate::graphql::error::Refused;

/// What comes out of an operation, one after the other.
pub type Answers = BoxStream<'static, Result<Executed, Refused>>;

/// Events that wait for a slow client before the operation does.
const WAITING: usize = 8;

/// A refusal before anything ran is an event too, as the protocol wants it.
pub fn refused(refused: Refused) -> Answers {
    stream::once(async { Err(refused) }).boxed()
}

/// Sends the answers as `next` events and then `complete`.
pub fn respond(server: Server, visitor: Visitor, answers: Answers) -> Response {
    let (events, mut waiting) = mpsc::channel(WAITING);
    tokio::spawn(send(server, visitor, answers, events));
    let body = stream::poll_fn(move |context| waiting.poll_recv(context));
    let mut response = (
        StatusCode::OK,
        [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")],
        Body::from_stream(body.map(Ok::<_, std::convert::Infallible>)),
    )
        .into_response();
    // nginx would otherwise hold events back until its buffer is full.
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// Runs until the operation ends, the client goes, its credential ends, or the server stops. In the last case there is no
/// `complete`, so that clients connect again, elsewhere.
async fn send(server: Server, visitor: Visitor, mut answers: Answers, events: mpsc::Sender<Bytes>) {
    let mut heartbeat = interval(server.settings.heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.tick().await;
    let mut stopping = server.stopping.clone();
    let mut stopped = Box::pin(async move {
        if stopping.wait_for(|stop| *stop).await.is_err() {
            // Nobody stops this one.
            std::future::pending::<()>().await;
        }
    });
    if events.send(Bytes::from_static(b":\n\n")).await.is_err() {
        return;
    }
    loop {
        let event = tokio::select! {
            answer = answers.next() => match answer {
                Some(answer) => next(&body(answer, &visitor)),
                None => break,
            },
            _ = heartbeat.tick() => match visitor.identify(&server).await {
                Err(error) if error.code == Code::Unauthenticated => {
                    let last = next(&Refused::from(error).body(&visitor.info.id));
                    let _ = events.send(last).await;
                    break;
                }
                _ => Bytes::from_static(b":\n\n"),
            },
            () = &mut stopped => return,
            () = events.closed() => return,
        };
        if events.send(event).await.is_err() {
            return;
        }
    }
    let _ = events
        .send(Bytes::from_static(b"event: complete\ndata:\n\n"))
        .await;
}

fn body(answer: Result<Executed, Refused>, visitor: &Visitor) -> Vec<u8> {
    match answer {
        Ok(executed) => executed.body,
        Err(mut refused) => refused.body(&visitor.info.id),
    }
}

/// JSON as serde writes it has no line breaks, so one `data` line holds it.
fn next(json: &[u8]) -> Bytes {
    [b"event: next\ndata: ", json, b"\n\n"].concat().into()
}
