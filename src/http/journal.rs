//! The log's line for each request, and what is counted of it. Nothing of headers, variables or documents is in it.

use std::borrow::Cow;
use std::time::Duration;

use crate::ctx::RequestInfo;
use crate::db::ids::Id;
use crate::secrets::masked;

/// What there is to say of a request beyond what HTTP tells; handlers leave it in the response's extensions.
#[derive(Debug, Clone, Default)]
pub struct Noted {
    /// The operation's first root field, or `batch`.
    pub operation: Cow<'static, str>,
    /// The operation's own name.
    pub name: Option<String>,
    /// The first error's code.
    pub code: Option<&'static str>,
    /// The user who called.
    pub actor: Option<Id>,
    /// Points of cost.
    pub cost: u64,
    /// Whether it is one of very many that went well: such lines are of level `debug`.
    pub often: bool,
}

/// What HTTP, or the WebSocket, tells of a request.
pub struct Line<'a> {
    /// The method; `WS` for an operation over a WebSocket.
    pub method: &'a str,
    /// The path, without its query.
    pub path: &'a str,
    /// Who and where.
    pub info: &'a RequestInfo,
    /// The status; of an operation over a WebSocket, 101.
    pub status: u16,
    /// How long it took.
    pub took: Duration,
}

impl Line<'_> {
    /// Writes the line and counts.
    pub fn write(&self, noted: Option<&Noted>) {
        let nothing = Noted::default();
        let noted = noted.unwrap_or(&nothing);
        let code = noted.code.unwrap_or("");
        if matches!(self.path, "/graphql" | "/wandb/graphql") {
            let operation = noted.operation.clone().into_owned();
            metrics::counter!("keystead_requests_total", "operation" => operation.clone(), "code" => code)
                .increment(1);
            metrics::histogram!("keystead_request_seconds", "operation" => operation)
                .record(self.took.as_secs_f64());
        }
        macro_rules! line {
            ($level:ident) => {
                tracing::$level!(
                    method = self.method,
                    path = masked(self.path),
                    operation = &*noted.operation,
                    name = noted.name.as_deref().map(masked),
                    status = self.status,
                    code,
                    cost = noted.cost,
                    duration_ms = (self.took.as_secs_f64() * 1e5).round() / 100.0,
                    actor = noted.actor.map(|id| id.to_string()),
                    request_id = self.info.id,
                    trace_id = self.info.trace_id,
                    ip = self.info.ip.map(|ip| ip.to_string()),
                    "request"
                )
            };
        }
        if noted.often {
            line!(debug);
        } else {
            line!(info);
        }
    }
}
