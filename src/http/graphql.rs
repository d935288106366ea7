//! `/graphql`: POST, GET, and what of it is refused before an operation is looked at.

use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;

use super::caller::{self, Visitor};
use super::journal::Noted;
use super::negotiate::{self, Accepted, Media};
use super::{Server, answer, body, site, sse, websocket};
use crate::ctx::{Ctx, RequestInfo};
use crate::error::{Code, Error};
use crate::graphql::error::Refused;
use crate::graphql::request::{Body, GraphqlRequest};

/// A refusal that is ready to be sent.
type Refusal = Box<Response>;

/// Answers a request to `/graphql`.
pub async fn handle(State(server): State<Server>, request: Request) -> Response {
    match answer(&server, request).await {
        Ok(response) => response,
        Err(response) => *response,
    }
}

async fn answer(server: &Server, request: Request) -> Result<Response, Refusal> {
    let (parts, content) = request.into_parts();
    let headers = &parts.headers;
    let info = parts
        .extensions
        .get::<Arc<RequestInfo>>()
        .cloned()
        .unwrap_or_default();
    if websocket::is_wanted(headers) {
        return Ok(websocket::upgrade(server.clone(), parts, info).await);
    }
    let Some(accepted) = negotiate::accepted(headers) else {
        return Err(refuse(
            Some(StatusCode::NOT_ACCEPTABLE),
            Media::Json,
            Error::new(
                Code::BadRequest,
                "Nothing in the Accept header is offered here: application/json, application/graphql-response+json, and text/event-stream are.",
            ),
        ));
    };
    let media = accepted.single.unwrap_or(Media::Json);
    let key = caller::idempotency_key(headers).map_err(|error| refuse(None, media, error))?;
    let is_get = match parts.method {
        Method::GET => true,
        Method::POST => false,
        _ => return Err(wrong_method(&parts.method, media)),
    };
    if is_get {
        site::check_get(server, headers)
            .map_err(|error| refuse(Some(StatusCode::FORBIDDEN), media, error))?;
    } else {
        negotiate::check_content_type(headers).map_err(|message| {
            refuse(
                Some(StatusCode::UNSUPPORTED_MEDIA_TYPE),
                media,
                Error::new(Code::BadRequest, message),
            )
        })?;
    }
    if !is_get {
        info.cookie.open(caller::site(headers));
    }
    let visitor = Visitor::with_cookies(headers, info);
    let ctx = visitor
        .identify_once(server)
        .await
        .map_err(|error| refuse(None, media, error))?;
    let mut noted = Noted {
        actor: caller::actor_id(&ctx),
        ..Noted::default()
    };
    let read = if is_get {
        from_url(&parts.uri).map(|one| Body::One(Box::new(one)))
    } else {
        let settings = &server.settings;
        let bytes = body::read(content, settings.body_limit, settings.body_timeout)
            .await
            .map_err(|(status, error)| note(refuse(Some(status), media, error), &noted))?;
        Body::parse(&bytes, server.app.api.settings().max_batch)
    };
    let requests =
        read.map_err(|error| note(refuse(Some(StatusCode::BAD_REQUEST), media, error), &noted))?;
    match requests {
        Body::One(mut one) => {
            one.idempotency_key = key;
            let asked = Asked {
                server,
                visitor,
                accepted,
                is_get,
            };
            asked.answer(ctx, *one, noted).await
        }
        Body::Batch(_) if key.is_some() => Err(note(
            refuse(
                Some(StatusCode::BAD_REQUEST),
                media,
                Error::bad_input(
                    "Idempotency-Key",
                    "One Idempotency-Key cannot stand for the operations of a batch: send them one by one, each with its own.",
                ),
            ),
            &noted,
        )),
        Body::Batch(many) => {
            noted.operation = "batch".into();
            Ok(batch(server, ctx, many, media, noted).await)
        }
    }
}

/// One operation that HTTP has let through.
struct Asked<'a> {
    server: &'a Server,
    visitor: Visitor,
    accepted: Accepted,
    is_get: bool,
}

impl Asked<'_> {
    async fn answer(
        self,
        ctx: Ctx,
        request: GraphqlRequest,
        mut noted: Noted,
    ) -> Result<Response, Refusal> {
        let media = self.accepted.single.unwrap_or(Media::Json);
        let api = &self.server.app.api;
        noted.name = request.operation_name.clone();
        let prepared = match api.prepare(&ctx, request) {
            Ok(prepared) => prepared,
            // What is wrong with a document is told in the form that was asked for.
            Err(refused)
                if self.accepted.events_first
                    && answer::status_of(refused.code, Media::Json) == StatusCode::OK =>
            {
                noted.code = Some(refused.code.as_str());
                return Ok(self.events(sse::refused(refused), noted));
            }
            Err(refused) => return Err(note(refuse(None, media, refused), &noted)),
        };
        noted.operation = prepared.label().to_owned().into();
        noted.cost = prepared.operation.cost;
        noted.name = prepared.operation.name.as_deref().map(str::to_owned);
        if self.is_get && prepared.is_mutation() {
            return Err(note(mutation_by_get(media), &noted));
        }
        if self.accepted.events_first || (prepared.is_subscription() && self.accepted.events) {
            let answers = api.follow(ctx, prepared);
            return Ok(self.events(answers, noted));
        }
        if prepared.is_subscription() {
            let error = Error::new(
                Code::BadRequest,
                "A subscription has many answers: send 'Accept: text/event-stream', or use a WebSocket with graphql-transport-ws.",
            );
            let refused = refuse(Some(StatusCode::NOT_ACCEPTABLE), media, error);
            return Err(note(refused, &noted));
        }
        match api.run(ctx, prepared).await {
            Ok(executed) => {
                noted.code = executed.code;
                let mut response = answer::executed(media, executed);
                response.extensions_mut().insert(noted);
                Ok(response)
            }
            Err(refused) => Err(note(refuse(None, media, refused), &noted)),
        }
    }

    fn events(self, answers: sse::Answers, noted: Noted) -> Response {
        self.visitor.info.cookie.close();
        let mut response = sse::respond(self.server.clone(), self.visitor, answers);
        response.extensions_mut().insert(noted);
        response
    }
}

/// Runs the operations of a batch side by side and answers in their order.
async fn batch(
    server: &Server,
    ctx: Ctx,
    requests: Vec<GraphqlRequest>,
    media: Media,
    mut noted: Noted,
) -> Response {
    let id = ctx.request.id.clone();
    let answers = join_all(requests.into_iter().map(|request| async {
        let prepared = server.app.api.prepare(&ctx, request)?;
        if prepared.is_subscription() {
            return Err(Refused::from(Error::new(
                Code::BadRequest,
                "A subscription cannot be part of a batch.",
            )));
        }
        server.app.api.run(ctx.clone(), prepared).await
    }))
    .await;
    // The status speaks for the whole batch: only if nothing at all was done may it ask to send all of it again.
    let mut later = Some(0);
    let mut limited = true;
    let mut bytes = vec![b'['];
    for (number, answer) in answers.into_iter().enumerate() {
        if number > 0 {
            bytes.push(b',');
        }
        let (code, wait) = match answer {
            Ok(executed) => {
                bytes.extend(executed.body);
                limited = false;
                (executed.code, executed.retry_after)
            }
            Err(mut refused) => {
                bytes.extend(refused.body(&id));
                limited &= refused.code == Code::RateLimited;
                (Some(refused.code.as_str()), refused.retry_after)
            }
        };
        noted.code = noted.code.or(code);
        later = later.zip(wait).map(|(a, b): (u64, u64)| a.max(b));
    }
    bytes.push(b']');
    let status = match later {
        None => StatusCode::OK,
        Some(_) if limited => StatusCode::TOO_MANY_REQUESTS,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    let mut response = (
        status,
        [(header::CONTENT_TYPE, media.content_type())],
        bytes,
    )
        .into_response();
    answer::retry_after(&mut response, later);
    response.extensions_mut().insert(noted);
    response
}

fn refuse(status: Option<StatusCode>, media: Media, refused: impl Into<Refused>) -> Refusal {
    Box::new(answer::refused(status, media, refused))
}

/// Adds what is known by now to what the log says of the refusal.
fn note(mut response: Refusal, noted: &Noted) -> Refusal {
    let code = response
        .extensions()
        .get::<Noted>()
        .and_then(|noted| noted.code);
    response.extensions_mut().insert(Noted {
        code,
        ..noted.clone()
    });
    response
}

fn wrong_method(method: &Method, media: Media) -> Refusal {
    let error = Error::new(
        Code::BadRequest,
        format!("{method} does not work at /graphql: use POST, or GET for queries."),
    );
    allowing(
        refuse(Some(StatusCode::METHOD_NOT_ALLOWED), media, error),
        "GET, POST",
    )
}

fn mutation_by_get(media: Media) -> Refusal {
    let error = Error::new(
        Code::BadRequest,
        "GET is for queries and subscriptions. Send a mutation by POST.",
    );
    allowing(
        refuse(Some(StatusCode::METHOD_NOT_ALLOWED), media, error),
        "POST",
    )
}

fn allowing(mut response: Refusal, methods: &'static str) -> Refusal {
    response
        .headers_mut()
        .insert(header::ALLOW, header::HeaderValue::from_static(methods));
    response
}

fn from_url(uri: &Uri) -> Result<GraphqlRequest, Error> {
    let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri).map_err(|error| {
        Error::new(
            Code::BadRequest,
            format!("The URL cannot be read: {error}."),
        )
    })?;
    // The decoder puts U+FFFD where bytes are no UTF-8.
    let said = uri.query().unwrap_or_default().to_ascii_uppercase();
    let spoiled = parameters
        .iter()
        .any(|(name, value)| name.contains('\u{fffd}') || value.contains('\u{fffd}'));
    if spoiled && !said.contains("%EF%BF%BD") {
        return Err(Error::new(
            Code::BadRequest,
            "The parameters of the URL are not UTF-8.",
        ));
    }
    GraphqlRequest::from_parameters(parameters)
}
