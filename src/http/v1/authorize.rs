//! `/v1/authorize`: a reverse proxy asks whether its client may pass. 200 with headers that say who it is, 401, 403, or 429 where a limit
//! stops it; of a proxy that takes 429 for a fault the query asks for 403. 503 when the database is out of reach.
//!
//! What is asked comes from the query, which the proxy's operator writes, and from the rules of the configuration, by what the proxy
//! says of its client's request. Where rules are configured and the proxy names a URI, a rule must match. Query and rules are joined by
//! AND: should a client get something into the query, it can only ask more of itself.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::ratelimit;
use super::rules::{MAX_REQUESTS, Needed};
use super::target::Target;
use super::{Refusal, note, refuse};
use crate::authn::Credential;
use crate::authn::verify::{Outcome, Question, Verdict, asked};
use crate::ctx::RequestInfo;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Code, Error, Result};
use crate::http::journal::Noted;
use crate::http::{Server, caller};
use crate::permissions::check::Reason;
use crate::permissions::model::Principal;
use crate::permissions::role;

const PATH: &str = "/v1/authorize";
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Answers where the proxy names its client's request in headers, or asks by query.
pub async fn handle(State(server): State<Server>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let (asked, limited) = match of_query(&parts.uri) {
        Ok(query) => (asked_of(&server, &parts, &query), query.limited),
        Err(error) => (Err(error), StatusCode::TOO_MANY_REQUESTS),
    };
    answer(&server, &parts, asked, limited).await
}

/// Answers where the proxy has put the path in front of its client's URI and kept method and host, as Envoy does.
pub async fn handle_below(State(server): State<Server>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    // The query is the client's: it says nothing.
    let target = Target::of_request(&parts.method, &parts.uri, &parts.headers, PATH);
    let asked = target
        .and_then(|target| server.settings.authorize.needed(&target))
        .map(|(needed, requests)| Asked {
            needs: vec![needed],
            requests,
        })
        .map_err(Error::forbidden);
    answer(&server, &parts, asked, StatusCode::TOO_MANY_REQUESTS).await
}

/// All that is asked of a request.
struct Asked {
    needs: Vec<Needed>,
    /// As how many it counts.
    requests: i64,
}

/// What the query says.
struct ByQuery {
    needed: Needed,
    requests: Option<i64>,
    /// The status of what a limit stops.
    limited: StatusCode,
}

/// All that is asked of this request. As how many it counts is what the rule says or the query, whichever is more.
fn asked_of(server: &Server, parts: &Parts, query: &ByQuery) -> Result<Asked> {
    let rules = &server.settings.authorize;
    let mut needs: Vec<Needed> = query.needed.clone().into_iter().map(Some).collect();
    let mut requests = query.requests;
    if !rules.is_empty() {
        let target = Target::of_headers(&parts.headers).map_err(Error::forbidden)?;
        match target {
            Some(target) => {
                let (needed, counts) = rules.needed(&target).map_err(Error::forbidden)?;
                needs.push(needed);
                requests = Some(requests.unwrap_or(0).max(counts));
            }
            None if needs.is_empty() => {
                return Err(Error::forbidden(
                    "The proxy does not say what is asked for: let it send X-Forwarded-Uri and X-Forwarded-Method.",
                ));
            }
            None => {}
        }
    }
    if needs.is_empty() {
        needs.push(None);
    }
    Ok(Asked {
        needs,
        requests: requests.unwrap_or(1),
    })
}

/// What the query asks for.
fn of_query(uri: &Uri) -> Result<ByQuery> {
    let Query(parameters) = Query::<Vec<(String, String)>>::try_from_uri(uri)
        .map_err(|_| Error::bad_input("query", "The query cannot be read."))?;
    let (mut privilege, mut path, mut requests, mut limited) = (None, None, None, None);
    for (name, value) in parameters {
        let place = match name.as_str() {
            "privilege" => &mut privilege,
            "path" => &mut path,
            "requests" => &mut requests,
            "limited" => &mut limited,
            _ => {
                let message = format!(
                    "There is no parameter {}. There are privilege, path, requests and limited.",
                    quoted(&name)
                );
                return Err(Error::bad_input("query", message));
            }
        };
        if place.replace(value).is_some() {
            let message = format!("{name} is given twice. Give it once.");
            return Err(Error::bad_input(name, message));
        }
    }
    let counts = |text: String| {
        let number = text.parse().ok();
        let number = number.filter(|number| (1..=MAX_REQUESTS).contains(number));
        number.ok_or_else(|| {
            let message = format!(
                "requests is {}. It is a whole number from 1 to {MAX_REQUESTS}.",
                quoted(&text)
            );
            Error::bad_input("requests", message)
        })
    };
    let limited = match limited.as_deref() {
        None | Some("429") => StatusCode::TOO_MANY_REQUESTS,
        Some("403") => StatusCode::FORBIDDEN,
        Some(other) => {
            let message = format!("limited is {}. It is 429 or 403.", quoted(other));
            return Err(Error::bad_input("limited", message));
        }
    };
    Ok(ByQuery {
        needed: asked("", privilege.as_deref(), path.as_deref())?,
        requests: requests.map(counts).transpose()?,
        limited,
    })
}

async fn answer(
    server: &Server,
    parts: &Parts,
    asked: Result<Asked>,
    limited: StatusCode,
) -> Response {
    let mut noted = Noted {
        operation: "authorize".into(),
        ..Noted::default()
    };
    let since = Instant::now();
    let decided = decide(server, parts, (asked, limited), &mut noted).await;
    server.v1.authorizing.record(since.elapsed());
    noted.often = decided.is_ok();
    note(decided, noted)
}

async fn decide(
    server: &Server,
    parts: &Parts,
    (asked, limited): (Result<Asked>, StatusCode),
    noted: &mut Noted,
) -> std::result::Result<Response, Refusal> {
    let info = parts.extensions.get::<Arc<RequestInfo>>();
    let ip = info.and_then(|info| info.ip);
    let unauthenticated = |message: Cow<'static, str>| {
        let error = Error::new(Code::Unauthenticated, message);
        refuse(None, error)
    };
    let secret = match credential(&parts.headers).map_err(|error| refuse(None, error))? {
        Credential::ApiKey(secret) => secret,
        Credential::Session(_) | Credential::Password(..) => {
            return Err(unauthenticated(
                "This needs an API key, and the credential is a session or a password.".into(),
            ));
        }
        Credential::None => {
            return Err(unauthenticated(
                "This needs an API key: as 'Authorization: Bearer ks_…', as the password of Basic, or as X-API-Key.".into(),
            ));
        }
    };
    let question = Question::about("", secret.expose()).map_err(|_| {
        unauthenticated("The credential is not an API key: a key is ks_ and 37 letters and digits, the last six a checksum. Was it cut?".into())
    })?;
    let question = question.from(ip);
    // Whoever is not known is told so before anything else; a request that cannot be judged is refused to everybody.
    let (asked, unclear) = match asked {
        Ok(asked) => (asked, None),
        Err(error) => {
            let needs = vec![None];
            (Asked { needs, requests: 0 }, Some(error))
        }
    };
    let questions: Vec<Question> = asked
        .needs
        .into_iter()
        .map(|needed| question.clone().asking(needed))
        .collect();
    let asking = server.app.authenticator.answer(&questions);
    let deadline = server.app.api.settings().deadline;
    let mut verdicts = caller::within(deadline, pin!(asking))
        .await
        .unwrap_or_else(|| Err(caller::late()))
        .map_err(|error| refuse(None, error))?;
    let stops = |verdict: &&Verdict| verdict.outcome != Outcome::Valid;
    let key = verdicts.first().and_then(|verdict| verdict.key.clone());
    let counts = asked.requests > 0 && !verdicts.iter().any(|verdict| stops(&verdict));
    let counted = match key.filter(|_| counts) {
        None => None,
        Some(key) => ratelimit::count(server, &key, asked.requests)
            .await
            .map_err(|error| refuse(None, error))?,
    };
    let stopped = counted
        .as_ref()
        .and_then(|counted| Some((counted.stopped_as()?, counted.refusal(server, limited)?)));
    if let (Some((outcome, _)), Some(verdict)) = (&stopped, verdicts.first_mut()) {
        verdict.outcome = *outcome;
    }
    for verdict in &verdicts {
        server.v1.count(verdict.outcome);
        if let Some(key) = &verdict.key {
            noted.actor = Some(Id::new(Kind::User, key.user_id));
        }
    }
    if let Some((_, refused)) = stopped {
        return Err(refused);
    }
    if let Some(refused) = verdicts.iter().find(stops) {
        let message = refused.message.clone().unwrap_or_default();
        return Err(match refused.outcome {
            Outcome::Forbidden => refuse(None, Error::new(Code::Forbidden, message)),
            _ => unauthenticated(message),
        });
    }
    if let Some(error) = unclear {
        return Err(refuse(Some(StatusCode::FORBIDDEN), error));
    }
    let mut response = passing(&verdicts);
    if let Some(counted) = counted {
        counted.tell(server, response.headers_mut());
    }
    Ok(response)
}

/// The key that the client sent, in one of three ways and no more than one.
fn credential(headers: &HeaderMap) -> Result<Credential> {
    let (in_header, by_name) = (caller::authorization(headers), {
        let mut values = headers.get_all(API_KEY).iter();
        (values.next(), values.next())
    });
    match (in_header, by_name) {
        (None, (None, _)) => Ok(Credential::None),
        (Some(value), (None, _)) => Credential::from_header(Some(value)),
        (None, (Some(value), None)) => Ok(Credential::ApiKey(crate::secrets::Secret::new(
            value.to_str().unwrap_or("?").to_owned(),
        ))),
        _ => Err(Error::new(
            Code::Unauthenticated,
            "Send one credential: either Authorization or X-API-Key, once.",
        )),
    }
}

/// 200, with who it is. All headers are always there, so that one that the client has made up never comes through.
fn passing(verdicts: &[Verdict]) -> Response {
    let mut response = StatusCode::OK.into_response();
    let key = verdicts.iter().find_map(|verdict| verdict.key.as_deref());
    let Some(key) = key else {
        return response;
    };
    let text = |kind, id| Id::new(kind, id).to_string();
    let team = key.team_id.map(|id| text(Kind::Team, id));
    let said = [
        ("x-keystead-user", text(Kind::User, key.user_id)),
        ("x-keystead-username", key.username.clone()),
        ("x-keystead-key", text(Kind::ApiKey, key.key_id)),
        ("x-keystead-team", team.unwrap_or_default()),
        ("x-keystead-role", roles(verdicts)),
    ];
    for (name, value) in said {
        // Ids, user names and roles' names are ASCII.
        let value = HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static(""));
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    response
}

/// The roles through which the holder may: of a restricted key its own, not its owner's; nothing where nothing was asked.
fn roles(verdicts: &[Verdict]) -> String {
    let mut names: Vec<&str> = Vec::new();
    for verdict in verdicts {
        let Some(decision) = &verdict.decision else {
            continue;
        };
        if decision.reason == Reason::InstanceAdmin {
            names.push(role::ADMIN.name);
        }
        let restricted = verdict
            .key
            .as_ref()
            .and_then(|key| key.facts.key())
            .is_some_and(|key| key.restricted);
        let through = decision.decided_by.iter().filter(|permission| {
            !restricted || matches!(permission.principal, Principal::ApiKey(_))
        });
        names.extend(through.map(|permission| permission.role.name.as_str()));
    }
    names.sort_unstable();
    names.dedup();
    names.join(",")
}
