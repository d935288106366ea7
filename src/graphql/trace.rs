//! The spans of an operation: the guard before it, and its run. Their names are ours, their attributes never hold a
//! document or a variable.

use tracing::Span;
use tracing::field::Empty;

use super::error::Refused;
use super::guard::{Operation, OperationKind};
use crate::secrets::masked;

/// The span of finding out whether an operation may run.
pub(super) fn guard() -> Span {
    tracing::info_span!("guard", error.type = Empty)
}

/// The span of a run (OpenTelemetry's semantic conventions for GraphQL servers).
pub(super) fn run(operation: &Operation) -> Span {
    let kind = match operation.kind {
        OperationKind::Query => "query",
        OperationKind::Mutation => "mutation",
        OperationKind::Subscription => "subscription",
    };
    tracing::info_span!(
        "run",
        otel.name = kind,
        otel.status_code = Empty,
        graphql.operation.type = kind,
        graphql.operation.name = operation.name.as_deref().map(masked),
        keystead.operation = operation.root_fields.first(),
        // A number on the wire: unsigned ones become texts.
        keystead.cost = i64::try_from(operation.cost).unwrap_or(i64::MAX),
        error.type = Empty,
    )
}

/// Says with which code it ended; the server's own faults and lacks are errors, the caller's are not.
pub(super) fn end(span: &Span, code: Option<&str>) {
    let Some(code) = code.filter(|_| !span.is_disabled()) else {
        return;
    };
    span.record("error.type", code);
    if ["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"].contains(&code) {
        span.record("otel.status_code", "ERROR");
    }
}

/// The code of a refusal.
pub(super) fn code(refused: &Refused) -> Option<&str> {
    Some(refused.code.as_str())
}
