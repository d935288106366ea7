//! Accepting connections: so many at a time, each with time-outs, until told to stop; and stopping without cutting anybody
//! off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tower::ServiceExt;

use super::patience::Patient;
use super::tls::Tls;
use super::{Peer, Server, Settings, health, layers, routes, v1};
use crate::app::App;
use crate::error::Result;

/// Serves until `shutdown` resolves, then finishes what runs: new connections are not accepted, requests under way are
/// answered, WebSockets are closed with 1001, for `stop_timeout` at most.
///
/// # Errors
/// `BAD_USER_INPUT` when certificate or key cannot be used.
// A future in a box, of types that are all known here: who calls this need not compile the whole server once more.
pub fn serve<'a>(
    listeners: Vec<TcpListener>,
    app: App,
    settings: Settings,
    shutdown: BoxFuture<'a, ()>,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(run(listeners, app, settings, shutdown))
}

async fn run(
    listeners: Vec<TcpListener>,
    app: App,
    settings: Settings,
    shutdown: BoxFuture<'_, ()>,
) -> Result<()> {
    let tls = settings.tls.as_ref().map(Tls::load).transpose()?;
    let metrics = settings.metrics;
    let (stop, stopping) = watch::channel(false);
    let limit = settings
        .max_connections
        .clamp(1, Semaphore::MAX_PERMITS >> 3);
    let (stop_timeout, permits) = (settings.stop_timeout, Arc::new(Semaphore::new(limit)));
    let (used, storing) = (app.clone(), tokio::spawn(app.clone().keep_last_used()));
    let leased = tokio::spawn(app.clone().keep_lease());
    let keepers = app.keep();
    let delivering = tokio::spawn(app.clone().keep_delivering(stopping.clone(), stop_timeout));
    let server = Server::new(app, settings, stopping.clone());
    let acceptor = Acceptor {
        tls,
        routes: routes(server.clone()),
        server,
        permits: permits.clone(),
        stopping,
    };
    let accepting: Vec<_> = listeners
        .into_iter()
        .map(|listener| tokio::spawn(acceptor.clone().accept(listener)))
        .collect();
    let sorting = tokio::spawn(sort_samples(metrics));
    shutdown.await;
    sorting.abort();
    for keeper in keepers {
        keeper.abort();
    }
    stop.send_replace(true);
    for task in accepting {
        let _ = task.await;
    }
    // Every connection and every WebSocket holds a permit: when all are back, all have ended.
    let all = u32::try_from(limit).unwrap_or(u32::MAX);
    let ended = tokio::time::timeout(stop_timeout, permits.acquire_many(all)).await;
    if ended.is_err() {
        tracing::warn!(
            seconds = stop_timeout.as_secs(),
            "some requests did not finish in time and are cut off"
        );
    }
    // It stops claiming at the same signal, and has had as long as the requests.
    let _ = delivering.await;
    storing.abort();
    leased.abort();
    let _ = leased.await;
    used.give_lease_back().await;
    if let Err(error) = used.flush_last_used().await {
        tracing::warn!(%error, "when keys were last used could not be stored");
    }
    Ok(())
}

/// How often the recorder puts its samples in order; they would pile up where nobody reads `/metrics`.
const RECORDER: Duration = Duration::from_secs(5);

/// Keeps the recorder's samples in order, for ever.
async fn sort_samples(metrics: bool) {
    let mut tick = tokio::time::interval(RECORDER);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Some(recorder) = health::recorder().filter(|_| metrics) {
            recorder.run_upkeep();
        }
    }
}

/// Held by a connection and by what outlives its requests; the server waits for it when it stops.
#[derive(Clone)]
pub struct Held(#[expect(dead_code, reason = "it is held, not read")] Arc<OwnedSemaphorePermit>);

/// How a request comes to its handler.
enum Way {
    /// Around the router.
    Straight(Server),
    Routed(Router, Held),
}

impl Way {
    async fn answer(
        self,
        mut request: Request,
        peer: Peer,
    ) -> std::result::Result<Response, Infallible> {
        match self {
            Way::Straight(server) => Ok(layers::straight(&server, request, peer).await),
            Way::Routed(routes, held) => {
                request.extensions_mut().insert(peer);
                request.extensions_mut().insert(held);
                routes.oneshot(request).await
            }
        }
    }
}

#[derive(Clone)]
struct Acceptor {
    tls: Option<Tls>,
    server: Server,
    routes: Router,
    permits: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

impl Acceptor {
    async fn accept(mut self, listener: TcpListener) {
        loop {
            let mut stopping = self.stopping.clone();
            let accepted = tokio::select! {
                _ = stopping.wait_for(|stop| *stop) => return,
                accepted = self.next(&listener) => accepted,
            };
            match accepted {
                Ok((stream, peer, held)) => {
                    tokio::spawn(self.clone().connection(stream, peer, held));
                }
                Err(error) => {
                    // Out of file descriptors, mostly: wait for some to come back.
                    tracing::warn!(cause = error.to_string(), "a connection was not accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn next(
        &mut self,
        listener: &TcpListener,
    ) -> std::io::Result<(TcpStream, SocketAddr, Held)> {
        let permit = self
            .permits
            .clone()
            .acquire_owned()
            .await
            .map_err(std::io::Error::other)?;
        let (stream, peer) = listener.accept().await?;
        Ok((stream, peer, Held(Arc::new(permit))))
    }

    async fn connection(self, stream: TcpStream, peer: SocketAddr, held: Held) {
        // Small answers must not wait for each other.
        let _ = stream.set_nodelay(true);
        let stream = Patient::new(stream, self.server.settings.write_timeout);
        match &self.tls {
            None => self.speak(stream, peer, held).await,
            Some(tls) => {
                let time = self.server.settings.head_timeout;
                match tokio::time::timeout(time, tls.accept(stream)).await {
                    Ok(Ok(stream)) => self.speak(stream, peer, held).await,
                    Ok(Err(error)) => {
                        tracing::debug!(cause = error.to_string(), "no TLS with a client");
                    }
                    Err(_elapsed) => {}
                }
            }
        }
    }

    async fn speak<S>(self, stream: S, peer: SocketAddr, held: Held)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let began = Arc::new(AtomicBool::new(false));
        let (server, routes, seen) = (self.server.clone(), self.routes, began.clone());
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            seen.store(true, Ordering::Relaxed);
            let way = match request.uri().path() {
                v1::VERIFY => Way::Straight(server.clone()),
                _ => Way::Routed(routes.clone(), held.clone()),
            };
            way.answer(request.map(Body::new), Peer(peer))
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(self.server.settings.head_timeout)
            .max_buf_size(64 * 1024);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(self.server.settings.head_timeout))
            .keep_alive_timeout(Duration::from_secs(20))
            .max_concurrent_streams(200)
            .max_header_list_size(64 * 1024);
        let mut connection =
            pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
        let mut stopping = self.stopping;
        let mut stopped = false;
        // Hyper's own time-out begins when it knows which version of HTTP is spoken; this one when the connection is made.
        let mut first = pin!(tokio::time::sleep(self.server.settings.head_timeout));
        let mut watching = true;
        loop {
            tokio::select! {
                done = connection.as_mut() => {
                    if let Err(error) = done {
                        tracing::debug!(cause = error.to_string(), "a connection broke");
                    }
                    return;
                }
                _ = stopping.wait_for(|stop| *stop), if !stopped => {
                    stopped = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = first.as_mut(), if watching => {
                    watching = false;
                    if !began.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
        }
    }
}
