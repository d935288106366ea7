//! `/wandb`: the dialect of wandb over HTTP. Its client tries most statuses again for 19 seconds and then loses what was said, 405 and 415
//! among them; so what is wrong with a request is 400 here, where `/graphql` says it more finely.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::answer::{CHALLENGE, retry_after};
use super::caller::{self, Visitor};
use super::journal::Noted;
use super::{Server, body, negotiate};
use crate::ctx::{Ctx, RequestInfo};
use crate::dialects::Answer;
use crate::dialects::wandb::{NAME, bearer, refusal, unreadable};
use crate::error::{Code, Error};

/// For whom the client says that a service account works: recorded, and never believed.
static ATTRIBUTION: [HeaderName; 2] = [
    HeaderName::from_static("x-wandb-username"),
    HeaderName::from_static("x-wandb-user-email"),
];

/// Answers a request to `/wandb/graphql`.
pub async fn handle(State(server): State<Server>, request: Request) -> Response {
    let (parts, content) = request.into_parts();
    let known = parts.extensions.get::<Arc<RequestInfo>>().cloned();
    let known = known.as_deref().cloned().unwrap_or_default();
    let info = Arc::new(RequestInfo {
        via: Some(NAME),
        on_behalf_of: known.on_behalf_of.clone().or_else(|| {
            let mut said = ATTRIBUTION.iter();
            said.find_map(|name| caller::said_once(&parts.headers, name))
        }),
        ..known
    });
    let wrong = |message: String| {
        let error = Error::new(Code::BadRequest, message);
        sent(unreadable(StatusCode::BAD_REQUEST, error, &info.id), None)
    };
    if parts.method != Method::POST {
        return wrong(format!(
            "{} does not work here: send operations by POST. Was a POST redirected, from http to https? Then use the address that it was \
             redirected to.",
            parts.method
        ));
    }
    if let Err(message) = negotiate::check_content_type(&parts.headers) {
        return wrong(message);
    }
    let mut visitor = Visitor::new(&parts.headers, info.clone());
    if let Some(shown) = caller::authorization(&parts.headers).and_then(bearer) {
        visitor.show(shown);
    }
    let identified = visitor.identify(&server).await;
    let ctx = match identified.and_then(|ctx| caller::known(&server, ctx)) {
        Ok(ctx) => ctx,
        Err(error) => return sent(refusal(error, &info.id), None),
    };
    let settings = &server.settings;
    match body::read(content, settings.body_limit, settings.body_timeout).await {
        Ok(bytes) => {
            let answer = server.app.wandb.answer(ctx.clone(), &bytes).await;
            sent(answer, Some(&ctx))
        }
        Err((status, error)) => sent(unreadable(status, error, &info.id), Some(&ctx)),
    }
}

fn sent(answer: Answer, ctx: Option<&Ctx>) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    let mut response = (answer.status, json, answer.body).into_response();
    if answer.status == StatusCode::UNAUTHORIZED {
        let challenge = header::HeaderValue::from_static(CHALLENGE);
        let headers = response.headers_mut();
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    retry_after(&mut response, answer.retry_after);
    response.extensions_mut().insert(Noted {
        operation: format!("{NAME}.{}", answer.operation).into(),
        code: answer.code,
        actor: ctx.and_then(caller::actor_id),
        cost: answer.cost,
        ..Noted::default()
    });
    response
}

/// Where the client sends people who have no key yet.
pub async fn authorize(State(server): State<Server>) -> Response {
    let here = &server.app.policy.public_url;
    let text = format!(
        "Keystead answers clients of wandb here. A key is an API key of Keystead, ks_ and 37 letters and digits: whoever has one makes more by \
         the mutation generateApiKey at {here}/, and an administrator makes one for you. Paste it where the client asks, or set \
         WANDB_API_KEY to it, and WANDB_BASE_URL to {here}/wandb.\n"
    );
    let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    (plain, text).into_response()
}
