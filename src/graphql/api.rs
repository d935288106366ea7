//! Running a request against the schema: data in, response out, errors mapped in one place.

use std::sync::Arc;

use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};

use super::Request;
use super::loaders::Loaders;
use super::schema::{self, KeysteadSchema};
use crate::ctx::Ctx;
use crate::error::{Code, Error};

/// Operations in one batch at most.
pub const MAX_BATCH: i32 = 10;

/// The schema with what its requests share.
#[derive(Clone)]
pub struct Api {
    schema: KeysteadSchema,
    loaders: Arc<Loaders>,
}

impl Api {
    /// Over those loaders.
    pub fn new(loaders: Arc<Loaders>) -> Self {
        Api {
            schema: schema::build(),
            loaders,
        }
    }

    /// Runs one operation.
    pub async fn execute(&self, ctx: Ctx, request: async_graphql::Request) -> Response {
        let id = ctx.request.id.clone();
        let data = Request {
            ctx,
            loaders: self.loaders.clone(),
        };
        let mut response = self.schema.execute(request.data(data)).await;
        for error in &mut response.errors {
            present(error, &id);
        }
        response
    }
}

/// Gives an error its code, field and request id. Causes go to the log and nowhere else.
pub fn present(error: &mut ServerError, request_id: &str) {
    let extensions = error
        .extensions
        .get_or_insert_with(ErrorExtensionValues::default);
    match error
        .source
        .as_ref()
        .and_then(|source| source.downcast_ref::<Error>())
    {
        Some(source) => {
            extensions.set("code", source.code.as_str());
            if let Some(field) = &source.field {
                extensions.set("field", field.as_str());
            }
            if let Some(seconds) = source.retry_after {
                extensions.set("retryAfter", seconds);
            }
            if let Some(cause) = &source.cause {
                tracing::error!(
                    request_id,
                    code = source.code.as_str(),
                    cause = cause.as_str(),
                    "operation failed"
                );
            }
        }
        None => {
            if extensions.get("code").is_none() {
                let code = if error.path.is_empty() {
                    Code::ValidationFailed
                } else {
                    Code::BadUserInput
                };
                extensions.set("code", code.as_str());
            }
        }
    }
    extensions.set("requestId", Value::from(request_id));
}
