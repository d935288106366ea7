//! One WebSocket, from its first message to its close.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::ws::{Message, WebSocket};
use serde_json::{Map, Value};
use tokio::sync::{RwLock, mpsc};
use tokio::task::AbortHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::super::Server;
use super::super::caller::{Visitor, new_request_id};
use super::operation::{About, Operation};
use super::protocol::{self, Close, Said};
use crate::error::{Code, Error};
use crate::graphql::error::Refused;
use crate::graphql::request::GraphqlRequest;

/// Messages that wait for a slow client before operations do.
const WAITING: usize = 32;

/// So many heartbeats without a sign of life, and the client is taken for gone.
const SILENCE: u32 = 3;

/// How long a client may take to close its half.
const FAREWELL: Duration = Duration::from_secs(1);

/// What comes to the connection from its tasks.
pub(super) enum Event {
    /// Whether the client is who it says.
    Known(Result<(), Error>),
    /// Something about the operation with that id and number.
    About(String, u64, About),
    /// The credential ended.
    Ended(Error),
}

/// An operation under way.
struct Running {
    number: u64,
    task: AbortHandle,
    is_subscription: bool,
}

struct Connection {
    server: Arc<Server>,
    visitor: Arc<RwLock<Visitor>>,
    events: mpsc::Sender<Event>,
    init: Init,
    operations: HashMap<String, Running>,
    number: u64,
    heard: Instant,
    stopping: bool,
}

#[derive(PartialEq)]
enum Init {
    Awaited,
    Checked,
    Done,
}

/// What a step comes to: messages to send, or the end.
type Step = Result<Option<String>, Close>;

/// Speaks the protocol until one side ends it.
pub async fn serve(mut socket: WebSocket, server: Arc<Server>, visitor: Visitor) {
    let close = if socket.protocol().is_none() {
        Some(Close::wrong_protocol())
    } else {
        talk(&mut socket, server, visitor).await
    };
    if let Some(close) = close {
        let deaf = close.is_deaf();
        let _ = socket.send(Message::Close(Some(close.into()))).await;
        // Waits for the client's half, so that the reason arrives before the connection goes. Where nothing more can be read, all the
        // time: a connection that is dropped with unread bytes is reset, and a reset may overtake the reason.
        let _ = tokio::time::timeout(FAREWELL, async {
            while let Some(Ok(_)) = socket.recv().await {}
            if deaf {
                std::future::pending::<()>().await;
            }
        })
        .await;
    }
}

/// Returns why the connection is to be closed; `None` if it is gone.
async fn talk(socket: &mut WebSocket, server: Arc<Server>, visitor: Visitor) -> Option<Close> {
    let settings = server.settings.clone();
    let limit = settings.body_limit;
    let mut stopping = server.stopping.clone();
    let (events, mut waiting) = mpsc::channel(WAITING);
    let mut connection = Connection {
        server,
        visitor: Arc::new(RwLock::new(visitor)),
        events,
        init: Init::Awaited,
        operations: HashMap::new(),
        number: 0,
        heard: Instant::now(),
        stopping: false,
    };
    let mut patience = Box::pin(tokio::time::sleep(settings.init_timeout));
    let mut heartbeat = interval(settings.heartbeat);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.tick().await;
    let mut stops = true;
    loop {
        let step = tokio::select! {
            received = socket.recv() => match received {
                None => return None,
                Some(Err(error)) => return Close::unreadable(error, limit),
                Some(Ok(message)) => match connection.hear(message).await {
                    Ok(None) => continue,
                    step => step,
                },
            },
            Some(event) = waiting.recv() => connection.on_event(event),
            () = &mut patience, if connection.init == Init::Awaited => Err(Close::init_timeout()),
            stop = async { stopping.wait_for(|stop| *stop).await.is_ok() }, if stops => {
                stops = false;
                // A server that merely went away, as in tests, does not stop connections.
                if stop { connection.stop() }
                Ok(None)
            }
            _ = heartbeat.tick() => {
                if connection.heard.elapsed() > settings.heartbeat * SILENCE {
                    return None;
                }
                connection.check_again();
                match socket.send(Message::Ping(Vec::new().into())).await {
                    Ok(()) => Ok(None),
                    Err(_) => return None,
                }
            }
        };
        match step {
            Ok(None) => {}
            Ok(Some(text)) => {
                if socket.send(Message::Text(text.into())).await.is_err() {
                    return None;
                }
            }
            Err(close) => return Some(close),
        }
        if connection.stopping && connection.operations.is_empty() {
            return Some(Close::going_away());
        }
    }
}

impl Connection {
    async fn hear(&mut self, message: Message) -> Step {
        self.heard = Instant::now();
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Close::bad("Messages are text, not binary")),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => return Ok(None),
        };
        match Said::read(text.as_str())? {
            Said::Init(payload) => self.begin(payload).await,
            Said::Ping(payload) => Ok(Some(protocol::pong(payload))),
            Said::Pong => Ok(None),
            Said::Complete(id) => {
                if let Some(running) = self.operations.remove(&id) {
                    running.task.abort();
                }
                Ok(None)
            }
            Said::Subscribe(id, request) => self.subscribe(id, *request),
        }
    }

    async fn begin(&mut self, payload: Map<String, Value>) -> Step {
        if self.init != Init::Awaited {
            return Err(Close::init_twice());
        }
        self.init = Init::Checked;
        if let Some(text) = protocol::credential(payload)? {
            self.visitor.write().await.show(text);
        }
        let (server, visitor, events) = (
            self.server.clone(),
            self.visitor.clone(),
            self.events.clone(),
        );
        tokio::spawn(async move {
            let known = visitor.read().await.identify(&server).await;
            let _ = events.send(Event::Known(known.map(|_| ()))).await;
        });
        Ok(None)
    }

    /// Looks at the credential again: whoever lost it must not go on listening.
    fn check_again(&self) {
        if self.init != Init::Done {
            return;
        }
        let (server, visitor, events) = (
            self.server.clone(),
            self.visitor.clone(),
            self.events.clone(),
        );
        tokio::spawn(async move {
            if let Err(error) = visitor.read().await.identify(&server).await {
                let _ = events.send(Event::Ended(error)).await;
            }
        });
    }

    fn on_event(&mut self, event: Event) -> Step {
        match event {
            Event::Known(Ok(())) => {
                self.init = Init::Done;
                Ok(Some(protocol::ACK.into()))
            }
            Event::Known(Err(error)) if error.code == Code::ServiceUnavailable => {
                // 1013: try again later.
                Err(Close {
                    code: 1013,
                    reason: "The database cannot be reached".into(),
                })
            }
            Event::Known(Err(error)) => Err(Close::forbidden(error.message)),
            Event::Ended(error) if error.code == Code::Unauthenticated => {
                Err(Close::forbidden(error.message))
            }
            Event::Ended(_) => Ok(None),
            Event::About(id, number, about) => Ok(self.about(&id, number, about)),
        }
    }

    /// What an operation says, unless the client has ended it, and maybe begun another under the same id.
    fn about(&mut self, id: &str, number: u64, about: About) -> Option<String> {
        let running = self.operations.get_mut(id)?;
        if running.number != number {
            return None;
        }
        match about {
            About::Subscription => {
                running.is_subscription = true;
                if self.stopping {
                    self.stop();
                }
                None
            }
            About::Next(json) => Some(protocol::message("next", id, Some(&json))),
            About::Error(json) => {
                self.operations.remove(id);
                Some(protocol::message("error", id, Some(&json)))
            }
            About::Complete => {
                self.operations.remove(id);
                Some(protocol::message("complete", id, None))
            }
        }
    }

    /// Ends subscriptions; queries and mutations may finish.
    fn stop(&mut self) {
        self.stopping = true;
        self.operations.retain(|_, running| {
            if running.is_subscription {
                running.task.abort();
            }
            !running.is_subscription
        });
    }

    fn subscribe(&mut self, id: String, request: GraphqlRequest) -> Step {
        if self.init != Init::Done {
            return Err(Close::unauthorized());
        }
        if self.operations.contains_key(&id) {
            return Err(Close::duplicate(&id));
        }
        let limit = self.server.settings.max_operations;
        let refused = if self.stopping {
            Some(Error::new(
                Code::ServiceUnavailable,
                "The server is stopping. Connect again.",
            ))
        } else if self.operations.len() >= limit {
            Some(Error::new(
                Code::LimitExceeded,
                format!(
                    "{limit} operations are under way on this connection, which is all it may have. Complete one first."
                ),
            ))
        } else {
            None
        };
        if let Some(error) = refused {
            // The id was never in use here, so there is nothing to await from it.
            let json = Refused::from(error).errors(&new_request_id(&self.server.app.random));
            return Ok(Some(protocol::message("error", &id, Some(&json))));
        }
        self.number += 1;
        let operation = Operation {
            server: self.server.clone(),
            visitor: self.visitor.clone(),
            events: self.events.clone(),
            id: id.clone(),
            number: self.number,
        };
        let task = tokio::spawn(operation.run(request)).abort_handle();
        self.operations.insert(
            id,
            Running {
                number: self.number,
                task,
                is_subscription: false,
            },
        );
        Ok(None)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for running in self.operations.values() {
            running.task.abort();
        }
    }
}
