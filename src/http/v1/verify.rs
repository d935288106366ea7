//! `POST /v1/verify`: a service asks whether a key is good, and whether its holder may do something.

use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

use super::cost;
use super::fields::{self, Member, Wanted};
use super::{Refusal, VERIFY, noting, posted, refuse, told, wire};
use crate::authn::verify::{Outcome, Question, asked, verify};
use crate::ctx::{Ctx, RequestInfo};
use crate::db::ids::quoted;
use crate::error::{Error, Result};
use crate::graphql::budget::Caller;
use crate::http::journal::Noted;
use crate::http::{Server, caller};
use crate::limits::ops::Cost;

/// Checks in one request at most.
pub const MAX_CHECKS: usize = 100;

const CHECK: &[Member] = &[
    Member::text("key"),
    Member::text("privilege"),
    Member::text("path"),
    Member::text("ip"),
    Member {
        name: "cost",
        wanted: Wanted::Object(cost::COST),
    },
];

const BODY: &[Member] = &[
    Member::text("key"),
    Member::text("privilege"),
    Member::text("path"),
    Member::text("ip"),
    Member {
        name: "cost",
        wanted: Wanted::Object(cost::COST),
    },
    Member {
        name: "checks",
        wanted: Wanted::Objects(CHECK, MAX_CHECKS),
    },
];

/// Answers a request to `/v1/verify` that came through the router.
pub async fn handle(State(server): State<Server>, mut request: Request) -> Response {
    let since = Instant::now();
    let info = request.extensions_mut().remove::<Arc<RequestInfo>>();
    let answered = answered(&server, &info.unwrap_or_default(), request).await;
    server.v1.verifying.record(since.elapsed());
    noting(answered)
}

/// Answers a request to `/v1/verify`, and says what the journal is to have of it.
pub async fn answered(
    server: &Server,
    info: &Arc<RequestInfo>,
    request: Request,
) -> (Response, Noted) {
    let mut noted = Noted {
        operation: "verify".into(),
        ..Noted::default()
    };
    let answered = answer(server, info, request, &mut noted).await;
    noted.often = answered.is_ok();
    told(answered, noted)
}

async fn answer(
    server: &Server,
    info: &Arc<RequestInfo>,
    request: Request,
    noted: &mut Noted,
) -> std::result::Result<Response, Refusal> {
    let (ctx, bytes) = posted(server, info.clone(), request, VERIFY, noted).await?;
    let written = checked(server, &ctx, &bytes)
        .await
        .map_err(|error| refuse(None, error))?;
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    Ok((StatusCode::OK, kind, written).into_response())
}

async fn checked(server: &Server, ctx: &Ctx, bytes: &[u8]) -> Result<String> {
    let (questions, costs, many) = questions(bytes)?;
    if let (Some(budget), Some(caller)) = (&server.v1.budget, Caller::of(ctx)) {
        budget.take(caller, questions.len() as u64)?;
    }
    let verifying = async {
        let mut verdicts = verify(ctx, &server.app.authenticator, &questions).await?;
        let limited = cost::reserve(server, ctx, &mut verdicts, &questions, &costs).await?;
        Ok::<_, Error>((verdicts, limited))
    };
    let deadline = server.app.api.settings().deadline;
    let (verdicts, limited) = caller::within(deadline, pin!(verifying))
        .await
        .unwrap_or_else(|| Err(caller::late()))?;
    for verdict in &verdicts {
        server.v1.count(verdict.outcome);
    }
    // A connection that asks about keys of nobody, many requests ahead, is answered one at a time between the others.
    if verdicts
        .iter()
        .all(|verdict| verdict.outcome == Outcome::NotFound)
    {
        tokio::task::yield_now().await;
    }
    Ok(match (many, verdicts.as_slice()) {
        (false, [one]) => wire::one(one, &limited),
        (_, all) => wire::many(all, &limited),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Check<'a> {
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    privilege: Option<Text<'a>>,
    #[serde(borrow)]
    path: Option<Text<'a>>,
    #[serde(borrow)]
    ip: Option<Text<'a>>,
    cost: Option<cost::Told>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body<'a> {
    #[serde(borrow)]
    key: Option<Text<'a>>,
    #[serde(borrow)]
    privilege: Option<Text<'a>>,
    #[serde(borrow)]
    path: Option<Text<'a>>,
    #[serde(borrow)]
    ip: Option<Text<'a>>,
    cost: Option<cost::Told>,
    #[serde(borrow)]
    checks: Option<Vec<Check<'a>>>,
}

/// A string, borrowed from the body unless it has escapes.
struct Text<'a>(Cow<'a, str>);

/// What is asked, what each costs, and whether it was asked as a list.
fn questions(bytes: &[u8]) -> Result<(Vec<Question>, Vec<Option<Cost>>, bool)> {
    // Checked once for the whole, not for each string.
    let utf8 = std::str::from_utf8(bytes).map_err(|_| fields::of_object(bytes, BODY))?;
    let body: Body<'_> = serde_json::from_str(utf8).map_err(|_| fields::of_object(bytes, BODY))?;
    let (key, ip) = (text(&body.key), text(&body.ip));
    let Some(checks) = &body.checks else {
        let one = question("", key, text(&body.privilege), text(&body.path), ip)?;
        return Ok((vec![one], vec![expected("", &body.cost)?], false));
    };
    if body.cost.is_some() {
        let message = "cost stands beside checks. Put it into each of them.";
        return Err(Error::bad_input("cost", message));
    }
    for (name, given) in [("privilege", &body.privilege), ("path", &body.path)] {
        if given.is_some() {
            let message = format!("{name} stands beside checks. Put it into each of them.");
            return Err(Error::bad_input(name, message));
        }
    }
    if let Some(error) = fields::size("checks", checks.len(), MAX_CHECKS) {
        return Err(error);
    }
    let read = |(index, check): (usize, &Check<'_>)| {
        let (key, ip) = (text(&check.key).or(key), text(&check.ip).or(ip));
        let within = format!("checks.{index}.");
        let question = question(&within, key, text(&check.privilege), text(&check.path), ip)?;
        Ok((question, expected(&within, &check.cost)?))
    };
    let all: Result<Vec<_>> = checks.iter().enumerate().map(read).collect();
    let (questions, costs) = all?.into_iter().unzip();
    Ok((questions, costs, true))
}

fn expected(within: &str, told: &Option<cost::Told>) -> Result<Option<Cost>> {
    let read = told.as_ref().map(|told| told.read(within));
    Ok(read.transpose()?.map(cost::Read::expected))
}

fn text<'b>(text: &'b Option<Text<'_>>) -> Option<&'b str> {
    text.as_ref().map(|text| &*text.0)
}

fn question(
    within: &str,
    key: Option<&str>,
    privilege: Option<&str>,
    path: Option<&str>,
    ip: Option<&str>,
) -> Result<Question> {
    let key = key.ok_or_else(|| {
        let field = format!("{within}key");
        let message = format!("{field} is missing. Send the API key that is to be verified.");
        Error::bad_input(field, message)
    })?;
    let asked = asked(within, privilege, path)?;
    let ip = ip.map(|ip| address(within, ip)).transpose()?;
    Ok(Question::about(within, key)?.asking(asked).from(ip))
}

fn address(within: &str, text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| {
        let field = format!("{within}ip");
        let message = format!(
            "{field} is {}, which is no address. Write 192.0.2.1 or 2001:db8::1, without a port.",
            quoted(text)
        );
        Error::bad_input(field, message)
    })
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_str(Borrowing)
    }
}

struct Borrowing;

impl<'de> Visitor<'de> for Borrowing {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> std::result::Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> std::result::Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }
}
