//! The app on a real port: for WebSockets, event streams, time-outs and stopping.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use keystead::http::{Reserved, Settings};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Answer, Call, TestApp};

/// A server that runs until it is told to stop.
pub struct Bound {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
}

impl Bound {
    pub async fn new(app: &TestApp, settings: Settings) -> Bound {
        let listener = keystead::http::reserve(([127, 0, 0, 1], 0).into())
            .and_then(Reserved::listen)
            .unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let app = app.app.clone();
        let served = tokio::spawn(async move {
            let shutdown = async {
                let _ = stopped.await;
            };
            keystead::http::serve(vec![listener], app, settings, Box::pin(shutdown))
                .await
                .unwrap();
        });
        Bound {
            address,
            stop: Some(stop),
            served,
        }
    }

    /// Tells the server to stop.
    pub fn stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    /// Waits until it has stopped.
    pub async fn stopped(self) {
        self.served.await.unwrap();
    }

    /// Sends a request over a connection of its own.
    pub async fn send(&self, call: Call) -> Answer {
        send(self.address, call).await
    }

    /// A WebSocket that offers `graphql-transport-ws`.
    pub async fn socket(&self) -> Socket {
        self.socket_with(&[("sec-websocket-protocol", "graphql-transport-ws")])
            .await
            .unwrap()
    }

    /// A WebSocket with those headers.
    pub async fn socket_with(&self, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        let mut request = format!("ws://{}/graphql", self.address)
            .into_client_request()
            .unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let (stream, _) = connect_async(request).await?;
        Ok(Socket { stream })
    }
}

/// The app's routes on a real port and nothing else of a server: nobody delivers mails, holds a lease or stores uses meanwhile.
pub struct Routes {
    address: SocketAddr,
    served: JoinHandle<()>,
}

impl Routes {
    pub async fn of(app: &TestApp) -> Routes {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = keystead::http::router(app.app.clone(), Settings::default());
        let served = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Routes { address, served }
    }

    /// Sends a request over a connection of its own.
    pub async fn send(&self, call: Call) -> Answer {
        send(self.address, call).await
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn send(address: SocketAddr, call: Call) -> Answer {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let driving = tokio::spawn(connection);
    let mut request = call.build();
    let host = address.to_string().parse().unwrap();
    request.headers_mut().insert("host", host);
    let answer = Answer::of(sender.send_request(request).await.unwrap()).await;
    driving.abort();
    answer
}

/// A client's end of a WebSocket.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub async fn send(&mut self, message: Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub async fn send_raw(&mut self, message: Message) {
        self.stream.send(message).await.unwrap();
    }

    /// Sends as far as the server reads it, for half a second at most.
    pub async fn send_unread(&mut self, message: Message) {
        let _ = tokio::time::timeout(Duration::from_millis(500), self.stream.send(message)).await;
    }

    /// Sends `connection_init` and waits to be accepted.
    pub async fn init(&mut self, key: Option<&str>) {
        let payload = key.map(|key| json!({"Authorization": format!("Bearer {key}")}));
        self.send(json!({"type": "connection_init", "payload": payload}))
            .await;
        assert_eq!(self.next().await, json!({"type": "connection_ack"}));
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        self.send(json!({"id": id, "type": "subscribe", "payload": {"query": query}}))
            .await;
    }

    /// The next message; pings are skipped.
    pub async fn next(&mut self) -> Value {
        loop {
            match self.stream.next().await.unwrap().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// The code and reason with which the server closes; messages before are skipped.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            match self.stream.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    }
}
