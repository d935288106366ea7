//! `/graphql`: POST, GET, and what of it is refused before an operation is looked at.

use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;

use super::answer::{self, Noted};
use super::negotiate::{self, Accepted, Media};
use super::{Server, body, caller};
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
        .get::<RequestInfo>()
        .cloned()
        .unwrap_or_default();
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
        check_site(server, headers)
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
    let ctx = caller::identify(server, headers, info)
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
            single(server, ctx, *one, &accepted, is_get, noted).await
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
            noted.label = format!("batch of {}", many.len());
            Ok(batch(server, ctx, many, media, noted).await)
        }
    }
}

async fn single(
    server: &Server,
    ctx: Ctx,
    request: GraphqlRequest,
    accepted: &Accepted,
    is_get: bool,
    mut noted: Noted,
) -> Result<Response, Refusal> {
    let media = accepted.single.unwrap_or(Media::Json);
    let api = &server.app.api;
    noted.name = request.operation_name.clone();
    let prepared = api
        .prepare(&ctx, request)
        .map_err(|refused| note(refuse(None, media, refused), &noted))?;
    noted.label = prepared.label().to_owned();
    noted.cost = prepared.operation.cost;
    noted.name = prepared.operation.name.as_deref().map(str::to_owned);
    if is_get && prepared.is_mutation() {
        return Err(note(mutation_by_get(media), &noted));
    }
    if prepared.is_subscription() {
        return Err(note(
            refuse(
                Some(StatusCode::NOT_ACCEPTABLE),
                media,
                Error::new(
                    Code::BadRequest,
                    "A subscription has many answers: send 'Accept: text/event-stream', or use a WebSocket with graphql-transport-ws.",
                ),
            ),
            &noted,
        ));
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

/// Headers that a page of another site cannot send without a preflight.
const FORCES_PREFLIGHT: [&str; 4] = [
    "authorization",
    "apollo-require-preflight",
    "x-apollo-operation-name",
    "graphql-require-preflight",
];

/// Refuses a GET that a browser says another site has caused, unless there was a preflight or CORS allows that site.
fn check_site(server: &Server, headers: &HeaderMap) -> Result<(), Error> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let foreign = match (text("sec-fetch-site"), text("origin")) {
        (Some("same-origin" | "none"), _) => false,
        (Some(_), _) => true,
        (None, Some(origin)) => !is_own_origin(origin, text("host")),
        (None, None) => false,
    };
    let asked = FORCES_PREFLIGHT
        .iter()
        .any(|name| headers.contains_key(*name))
        || negotiate::check_content_type(headers).is_ok();
    let origins = &server.settings.cors_origins;
    let allowed =
        text("origin").is_some_and(|origin| origins.iter().any(|one| one == "*" || one == origin));
    if foreign && !asked && !allowed {
        return Err(Error::new(
            Code::Forbidden,
            "A page of another site has caused this request. Send it by POST, or with the header 'Apollo-Require-Preflight: true', from an origin that CORS allows.",
        ));
    }
    Ok(())
}

fn is_own_origin(origin: &str, host: Option<&str>) -> bool {
    let name = origin.split_once("://").map(|(_, name)| name);
    name.is_some() && name == host
}
