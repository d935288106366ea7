//! `GET /v1/usage.csv`: what was used, as a table for spreadsheets (RFC 4180).

use std::pin::pin;
use std::sync::Arc;

use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};

use super::{Refusal, note, refuse, somebody};
use crate::ctx::{Ctx, RequestInfo};
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Code, Error, Result};
use crate::http::caller;
use crate::http::journal::Noted;
use crate::http::{Server, answer};
use crate::limits::amount::dollars;
use crate::limits::window::Zone;
use crate::permissions::path::Path;
use crate::usage::ops::{self, Names};
use crate::usage::report::{Dimension, Granularity, Point, Question, Report, UsageFilter};

/// Where it is.
const PATH: &str = "/v1/usage.csv";

/// Lines at most, without the header.
const MAX_LINES: usize = 100_000;

/// Points of cost that a table counts as: those of a series of usual length.
const COST: u64 = 1_000;

/// Answers a request to `/v1/usage.csv`.
pub async fn handle(State(server): State<Server>, request: Request) -> Response {
    let mut noted = Noted {
        operation: "usage.csv".into(),
        ..Noted::default()
    };
    let (parts, _) = request.into_parts();
    let answered = answered(&server, &parts, &mut noted).await;
    note(answered, noted)
}

async fn answered(
    server: &Server,
    parts: &Parts,
    noted: &mut Noted,
) -> std::result::Result<Response, Refusal> {
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let message = format!("{} does not work at {PATH}: use GET.", parts.method);
        let error = Error::new(Code::BadRequest, message);
        let mut refused = answer::plain(StatusCode::METHOD_NOT_ALLOWED, error);
        let allow = header::HeaderValue::from_static("GET, HEAD");
        refused.headers_mut().insert(header::ALLOW, allow);
        return Err(Box::new(refused));
    }
    let info = parts.extensions.get::<Arc<RequestInfo>>().cloned();
    let ctx = somebody(server, &parts.headers, info.unwrap_or_default(), noted).await?;
    let text = table(server, &ctx, &parts.uri)
        .await
        .map_err(|error| refuse(None, error))?;
    let headers = [
        (
            header::CONTENT_TYPE,
            "text/csv; charset=utf-8; header=present",
        ),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"usage.csv\"",
        ),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((StatusCode::OK, headers, text).into_response())
}

async fn table(server: &Server, ctx: &Ctx, uri: &Uri) -> Result<String> {
    server.app.api.count(ctx, COST)?;
    let question = read(uri)?;
    let asking = async {
        let report = ops::report(ctx, &question, MAX_LINES).await?;
        if report.count > MAX_LINES as u64 {
            return Err(ops::too_many(&question, report.count, MAX_LINES));
        }
        let names = ops::names(ctx, &report).await?;
        Ok(written(&question, &report, &names))
    };
    let deadline = server.app.api.settings().deadline;
    caller::within(deadline, pin!(asking))
        .await
        .unwrap_or_else(|| Err(caller::late()))
}

const PARAMETERS: &str =
    "from, to, apiKey, user, team, resource, tag, groupBy, granularity and timeZone";

/// The question that the query asks.
fn read(uri: &Uri) -> Result<Question> {
    let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Error::bad_input("query", "The query cannot be read."))?;
    let mut filter = UsageFilter::default();
    let (mut groups, mut granularity, mut zone) = (Vec::new(), None, None);
    for (place, (name, value)) in parameters.iter().enumerate() {
        let again = parameters[..place]
            .iter()
            .any(|(earlier, _)| earlier == name);
        if again && name != "groupBy" {
            let message = format!("{} is given twice. Give it once.", shortened(name));
            return Err(Error::bad_input(shortened(name), message));
        }
        let id = |kind| Id::parse_as(kind, name, value).map(Some);
        match name.as_str() {
            "from" => filter.from = Some(moment(name, value)?),
            "to" => filter.to = Some(moment(name, value)?),
            "apiKey" => filter.api_key = id(Kind::ApiKey)?,
            "user" => filter.user = id(Kind::User)?,
            "team" => filter.team = id(Kind::Team)?,
            "resource" => {
                let wrong = |error| Error::bad_input("resource", format!("{error}."));
                filter.resource = Some(Path::parse(value).map_err(wrong)?);
            }
            "tag" => filter.tag = Some(value.clone()),
            "groupBy" => {
                for word in value.split(',') {
                    groups.push(named(name, word, &Dimension::ALL, Dimension::as_str)?);
                }
            }
            "granularity" => {
                granularity = Some(named(name, value, &Granularity::ALL, Granularity::as_str)?);
            }
            "timeZone" => zone = Some(Zone::parse(name, value)?),
            _ => {
                // A name may be a key that was put in the wrong place.
                let name = if name.contains("ks_") { "ks_…" } else { name };
                let message = format!(
                    "There is no parameter {}. There are {PARAMETERS}.",
                    quoted(name)
                );
                return Err(Error::bad_input(shortened(name), message));
            }
        }
    }
    Ok(Question {
        filter,
        groups,
        granularity,
        zone: zone.unwrap_or_else(Zone::utc),
        at: "",
    })
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

fn moment(name: &str, value: &str) -> Result<DateTime<Utc>> {
    // In a query a plus that is not encoded stands for a space.
    let whole = value.replace(' ', "+");
    DateTime::parse_from_rfc3339(&whole)
        .map(|at| at.to_utc())
        .map_err(|_| {
            let shown = quoted(value);
            let message = format!("{name} is {shown}, which is no moment. Write it as RFC 3339, for example 2030-01-31T12:00:00Z.");
            Error::bad_input(name, message)
        })
}

fn named<T: Copy>(field: &str, word: &str, all: &[T], name: fn(T) -> &'static str) -> Result<T> {
    let found = all.iter().find(|one| name(**one) == word).copied();
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|one| name(*one)).collect();
        let message = format!(
            "{field} is {}. It is one of {}.",
            quoted(word),
            names.join(", ")
        );
        Error::bad_input(field, message)
    })
}

fn written(question: &Question, report: &Report, names: &Names) -> String {
    let has = |one| question.groups.contains(&one);
    let mut text = String::from("start,end");
    for (group, columns) in [
        (Dimension::Key, ",apiKeyId,apiKeyName"),
        (Dimension::User, ",userId,username"),
        (Dimension::Team, ",teamId,teamSlug"),
        (Dimension::Resource, ",resource"),
        (Dimension::Tag, ",tag"),
    ] {
        if has(group) {
            text.push_str(columns);
        }
    }
    text.push_str(",events,requests,tokens,tokensIn,tokensOut,tokensCached,usd\r\n");
    for point in &report.points {
        line(&mut text, point, names, has);
    }
    text
}

fn line(text: &mut String, point: &Point, names: &Names, has: impl Fn(Dimension) -> bool) {
    let written = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    text.push_str(&written(point.start));
    plain(text, &written(point.end));
    let group = &point.group;
    for (dimension, kind, id, names) in [
        (Dimension::Key, Kind::ApiKey, group.api_key, &names.api_keys),
        (Dimension::User, Kind::User, group.user, &names.users),
        (Dimension::Team, Kind::Team, group.team, &names.teams),
    ] {
        if has(dimension) {
            let written = id.map(|id| Id::new(kind, id).to_string());
            plain(text, &written.unwrap_or_default());
            let name = id.and_then(|id| names.get(&id));
            cell(text, name.map_or("", String::as_str));
        }
    }
    if has(Dimension::Resource) {
        cell(text, group.resource.as_deref().unwrap_or_default());
    }
    if has(Dimension::Tag) {
        cell(text, group.tag.as_deref().unwrap_or_default());
    }
    let sums = &point.sums;
    for sum in [
        sums.events,
        sums.requests,
        sums.tokens,
        sums.tokens_in,
        sums.tokens_out,
        sums.tokens_cached,
    ] {
        plain(text, &sum.to_string());
    }
    plain(text, &dollars(sums.micros));
    text.push_str("\r\n");
}

fn plain(text: &mut String, value: &str) {
    text.push(',');
    text.push_str(value);
}

/// A text that people have written. A spreadsheet would take one that begins like a formula for one, and run it: an apostrophe before it
/// makes it a text.
fn cell(text: &mut String, value: &str) {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let apart = value.contains([',', '"', '\r', '\n']);
    text.push(',');
    if apart {
        text.push('"');
    }
    if formula {
        text.push('\'');
    }
    text.push_str(&value.replace('"', "\"\""));
    if apart {
        text.push('"');
    }
}
