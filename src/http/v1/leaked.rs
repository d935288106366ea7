//! `POST /v1/leaked`: somebody who searches public places reports keys that it has found, in the form of GitHub's secret scanning
//! partner programme: a signed list of `{token, type, url, source}`. Each key that there is is disabled at once, and the answer says
//! which there were: `true_positive` or `false_positive`.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::fields::{self, Member};
use super::{Refusal, note, only_post, refuse};
use crate::api_keys::model::ApiKeyChanges;
use crate::api_keys::ops as api_keys;
use crate::authn::usable::secret_used;
use crate::ctx::{Actor, Ctx, RequestInfo};
use crate::error::{Code, Error, Result};
use crate::http::journal::Noted;
use crate::http::{Server, body, caller};
use crate::secrets::{Digest, KeyText};
use crate::text;

/// Reports in one request at most.
const MAX_REPORTS: usize = 10_000;

/// Characters of a report's place that are kept at most.
const MAX_PLACE: usize = 400;

const IDENTIFIER: &str = "github-public-key-identifier";
const SIGNATURE: &str = "github-public-key-signature";

const REPORT: &[Member] = &[
    Member::text("token"),
    Member::text("type"),
    Member::text("url"),
    Member::text("source"),
];

/// A report. What else its sender says in future is not looked at.
#[derive(Deserialize)]
struct Report {
    token: String,
    #[serde(rename = "type")]
    kind: String,
    url: Option<String>,
    source: Option<String>,
}

/// What became of a report. The token itself is not repeated.
#[derive(Serialize)]
struct Feedback<'a> {
    token_hash: String,
    token_type: &'a str,
    label: &'static str,
}

/// Answers a request to `/v1/leaked`.
pub async fn handle(State(server): State<Server>, request: Request) -> Response {
    let noted = Noted {
        operation: "leaked".into(),
        ..Noted::default()
    };
    note(answer(&server, request).await, noted)
}

async fn answer(server: &Server, request: Request) -> std::result::Result<Response, Refusal> {
    let (mut parts, content) = request.into_parts();
    only_post(&parts.method, "/v1/leaked")?;
    let settings = &server.settings;
    if settings.leak_reporters.is_empty() {
        let message = "Nobody may report keys here: leak_report_keys is not set.";
        return Err(refuse(None, Error::new(Code::NotFound, message)));
    }
    let info = parts
        .extensions
        .remove::<Arc<RequestInfo>>()
        .unwrap_or_default();
    let bytes = body::read(content, settings.body_limit, settings.body_timeout)
        .await
        .map_err(|(status, error)| refuse(Some(status), error))?;
    signed(server, &parts.headers, &info, &bytes).map_err(|error| refuse(None, error))?;
    let reports = read(&bytes).map_err(|error| refuse(None, error))?;
    let ctx = server.app.ctx(Actor::Keystead, info);
    let labels = disable(server, &ctx, &reports)
        .await
        .map_err(|error| refuse(None, error))?;
    let feedback: Vec<Feedback<'_>> = reports
        .iter()
        .zip(labels)
        .map(|(report, is_key)| Feedback {
            token_hash: hex(&Digest::of(report.token.as_bytes())),
            token_type: &report.kind,
            label: if is_key {
                "true_positive"
            } else {
                "false_positive"
            },
        })
        .collect();
    let written = serde_json::to_vec(&feedback)
        .map_err(|error| refuse(None, Error::internal(error.to_string())))?;
    let kind = [(header::CONTENT_TYPE, "application/json; charset=utf-8")];
    Ok((StatusCode::OK, kind, written).into_response())
}

/// Demands that one of the configured keys has signed the body.
fn signed(server: &Server, headers: &HeaderMap, info: &RequestInfo, bytes: &[u8]) -> Result<()> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let (identifier, signature) = (text(IDENTIFIER).unwrap_or_default(), text(SIGNATURE));
    let right = signature.is_some_and(|signature| {
        let reporters = &server.settings.leak_reporters;
        reporters.have_signed(identifier, signature, bytes)
    });
    if right {
        return Ok(());
    }
    let error = Error::new(
        Code::Unauthenticated,
        "None of the keys that may report has signed this body: Github-Public-Key-Identifier and Github-Public-Key-Signature say which and how.",
    );
    Err(caller::counted(server, info, error))
}

fn read(bytes: &[u8]) -> Result<Vec<Report>> {
    let reports: Vec<Report> = serde_json::from_slice(bytes)
        .map_err(|_| fields::of_list(bytes, REPORT, &["token", "type"], MAX_REPORTS))?;
    match fields::size("", reports.len(), MAX_REPORTS) {
        Some(error) => Err(error),
        None => Ok(reports),
    }
}

/// Disables each key that there is, by the operation that people disable keys with; says of each report whether there is one.
async fn disable(server: &Server, ctx: &Ctx, reports: &[Report]) -> Result<Vec<bool>> {
    let digest = |report: &Report| match KeyText::read(&report.token) {
        KeyText::Key(digest) => Some(digest),
        KeyText::Wrong | KeyText::Other => None,
    };
    let digests: Vec<Option<Digest>> = reports.iter().map(digest).collect();
    let asked: Vec<Digest> = digests.iter().flatten().copied().collect();
    let authenticator = &server.app.authenticator;
    let mut found = authenticator.identified_many(&asked).await?.into_iter();
    let mut labels = Vec::with_capacity(reports.len());
    for (report, digest) in reports.iter().zip(digests) {
        let key = digest.and_then(|_| found.next().flatten());
        labels.push(key.is_some());
        // A secret that works no more is of use to nobody.
        if let (Some(key), Some(digest)) = (&key, digest)
            && secret_used(key, digest, ctx.now()).is_ok()
        {
            disable_one(ctx, key.key_id, &reason(report)).await?;
        }
    }
    Ok(labels)
}

async fn disable_one(ctx: &Ctx, key: Uuid, reason: &str) -> Result<()> {
    let changes = ApiKeyChanges {
        enabled: Some(false),
        disabled_reason: Some(Some(reason.to_owned())),
        ..ApiKeyChanges::default()
    };
    match api_keys::update(ctx, key, changes).await {
        // Deleted meanwhile: so much the better.
        Err(error) if error.code == Code::NotFound => Ok(()),
        done => done.map(|_| ()),
    }
}

/// Where the key was found, as it is kept with the key: what the reporter says, without the key.
fn reason(report: &Report) -> String {
    let source = report.source.as_deref().unwrap_or("unknown");
    let url = report.url.as_deref().filter(|url| !url.is_empty());
    let place = url
        .unwrap_or("an unknown place")
        .replace(&report.token, "ks_…");
    let place: String = format!("{place} ({source})")
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_PLACE)
        .collect();
    text::line("reason", &format!("Found in public: {place}"), 500)
        .unwrap_or_else(|_| "Found in public.".to_owned())
}

fn hex(digest: &Digest) -> String {
    use std::fmt::Write;
    digest
        .as_bytes()
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
