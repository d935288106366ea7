//! The messages of `graphql-transport-ws` and its close codes.

use axum::extract::ws::CloseFrame;
use serde_json::{Map, Value};

use crate::graphql::request::GraphqlRequest;

/// The name of the protocol, as it is negotiated.
pub const NAME: &str = "graphql-transport-ws";

/// What a client says.
pub enum Said {
    /// The first message, with what the client shows to say who it is.
    Init(Map<String, Value>),
    /// Runs an operation under an id of the client's.
    Subscribe(String, Box<GraphqlRequest>),
    /// The client wants no more of that operation.
    Complete(String),
    /// Asks for a pong with the same payload.
    Ping(Option<Value>),
    /// Answers a ping.
    Pong,
}

/// Why a connection ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Close {
    /// The close code.
    pub code: u16,
    /// The reason, at most 123 bytes.
    pub reason: String,
}

impl Close {
    /// The server is stopping.
    pub fn going_away() -> Self {
        Close::new(1001, "The server is stopping")
    }

    /// A message that is none of the protocol's.
    pub fn bad(reason: impl Into<String>) -> Self {
        Close::new(4400, reason)
    }

    /// `subscribe` before `connection_init`.
    pub fn unauthorized() -> Self {
        Close::new(4401, "Unauthorized")
    }

    /// A credential that is not, or no longer, valid.
    pub fn forbidden(reason: impl Into<String>) -> Self {
        Close::new(4403, reason)
    }

    /// Another sub-protocol.
    pub fn wrong_protocol() -> Self {
        Close::new(4406, "Subprotocol not acceptable: use graphql-transport-ws")
    }

    /// No `connection_init` in time.
    pub fn init_timeout() -> Self {
        Close::new(4408, "Connection initialisation timeout")
    }

    /// An id that is in use.
    pub fn duplicate(id: &str) -> Self {
        Close::new(4409, format!("Subscriber for {id} already exists"))
    }

    /// A second `connection_init`.
    pub fn init_twice() -> Self {
        Close::new(4429, "Too many initialisation requests")
    }

    /// A message that could not be taken in: larger than `limit` bytes, or no UTF-8. `None` where the connection broke.
    pub fn unreadable(error: axum::Error, limit: usize) -> Option<Self> {
        match error.into_inner().downcast_ref::<tungstenite::Error>()? {
            tungstenite::Error::Capacity(_) => Some(Close::new(
                1009,
                format!("The message is larger than {limit} bytes, which is the limit"),
            )),
            tungstenite::Error::Utf8(_) => Some(Close::new(1007, "The message is not UTF-8")),
            _ => None,
        }
    }

    /// Whether nothing that the client still says can be understood.
    pub fn is_deaf(&self) -> bool {
        matches!(self.code, 1007 | 1009)
    }

    fn new(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        let mut end = reason.len().min(123);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        reason.truncate(end);
        Close { code, reason }
    }
}

impl From<Close> for CloseFrame {
    fn from(close: Close) -> Self {
        CloseFrame {
            code: close.code,
            reason: close.reason.into(),
        }
    }
}

impl Said {
    /// Reads a message.
    ///
    /// # Errors
    /// 4400 with what is wrong.
    pub fn read(text: &str) -> Result<Said, Close> {
        let value: Value =
            serde_json::from_str(text).map_err(|_| Close::bad("The message is not JSON"))?;
        let Value::Object(mut fields) = value else {
            return Err(Close::bad("A message is a JSON object"));
        };
        let Some(Value::String(kind)) = fields.remove("type") else {
            return Err(Close::bad("A message needs a 'type', which is a string"));
        };
        let payload = fields.remove("payload").filter(|value| !value.is_null());
        match kind.as_str() {
            "connection_init" => Ok(Said::Init(object(payload)?)),
            "ping" => Ok(Said::Ping(optional_object(payload)?)),
            "pong" => {
                optional_object(payload)?;
                Ok(Said::Pong)
            }
            "complete" => Ok(Said::Complete(id(&mut fields)?)),
            "subscribe" => {
                let id = id(&mut fields)?;
                let request = GraphqlRequest::from_json(payload.unwrap_or_default())
                    .map_err(|error| Close::bad(error.message))?;
                Ok(Said::Subscribe(id, Box::new(request)))
            }
            _ => Err(Close::bad(format!(
                "A client does not send messages of the type {}",
                crate::db::ids::quoted(&kind)
            ))),
        }
    }
}

/// The credential in the payload of `connection_init`: `Authorization`, by itself or, as several clients send it, among `headers`.
///
/// # Errors
/// 4400 where it is no string.
pub fn credential(payload: Map<String, Value>) -> Result<Option<String>, Close> {
    let mut inner = Map::new();
    for (name, value) in payload {
        match value {
            value if name.eq_ignore_ascii_case("authorization") => {
                return text("'Authorization' must be a string", value);
            }
            Value::Object(headers) if name.eq_ignore_ascii_case("headers") => inner = headers,
            _ => {}
        }
    }
    inner
        .into_iter()
        .find(|(name, _)| name.eq_ignore_ascii_case("authorization"))
        .map_or(Ok(None), |(_, value)| {
            text("'headers.Authorization' must be a string", value)
        })
}

fn text(otherwise: &str, value: Value) -> Result<Option<String>, Close> {
    match value {
        Value::String(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        _ => Err(Close::bad(otherwise)),
    }
}

fn id(fields: &mut Map<String, Value>) -> Result<String, Close> {
    match fields.remove("id") {
        Some(Value::String(id)) if !id.is_empty() && id.len() <= 256 => Ok(id),
        _ => Err(Close::bad(
            "The message needs an 'id', which is a string of 1 to 256 bytes",
        )),
    }
}

fn object(payload: Option<Value>) -> Result<Map<String, Value>, Close> {
    match payload {
        None => Ok(Map::new()),
        Some(Value::Object(fields)) => Ok(fields),
        Some(_) => Err(Close::bad("The payload must be an object")),
    }
}

fn optional_object(payload: Option<Value>) -> Result<Option<Value>, Close> {
    match payload {
        None | Some(Value::Object(_)) => Ok(payload),
        Some(_) => Err(Close::bad("The payload must be an object")),
    }
}

/// The message that accepts the client.
pub const ACK: &str = r#"{"type":"connection_ack"}"#;

/// The answer to a ping.
pub fn pong(payload: Option<Value>) -> String {
    match payload {
        None => r#"{"type":"pong"}"#.into(),
        Some(payload) => format!(r#"{{"type":"pong","payload":{payload}}}"#),
    }
}

/// A message about an operation, with a payload that is JSON already: as it was serialised, so that keys keep their order.
pub fn message(kind: &str, id: &str, payload: Option<&[u8]>) -> String {
    let id = Value::from(id);
    match payload {
        None => format!(r#"{{"id":{id},"type":"{kind}"}}"#),
        Some(json) => {
            let json = String::from_utf8_lossy(json);
            format!(r#"{{"id":{id},"type":"{kind}","payload":{json}}}"#)
        }
    }
}
