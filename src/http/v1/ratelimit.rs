//! Requests through a proxy count against the limits of their key, and the answer says so: `RateLimit-Policy` and `RateLimit`
//! (draft-ietf-httpapi-ratelimit-headers-11), how many requests a minute the limits allow, and what is left of them. Both are lists of
//! strings with parameters (RFC 9651). A limit is named by whose it is: `key`, `user`, `member`, `team`, and `team-2`, `team-3` … upwards; no
//! ids, which are not the client's to know. Tokens and money have no unit in the draft, and are left out.

use std::pin::pin;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::{Refusal, cost, refuse};
use crate::authn::verify::Outcome;
use crate::error::{Code, Error, Result};
use crate::http::{Server, caller};
use crate::limits::model::Subject;
use crate::limits::ops::{Cost, Reserved, State, What, Who};
use crate::permissions::ops::facts::Identified;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const CODE: HeaderName = HeaderName::from_static("x-keystead-code");

/// What came of counting.
pub struct Counted {
    reserved: Reserved,
    requests: i64,
}

/// Counts so many requests by that key, within the server's time for an answer; `None` where none of its limits is about that.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`; `TIMEOUT`.
pub async fn count(server: &Server, key: &Identified, requests: i64) -> Result<Option<Counted>> {
    let counting = server.app.limits.count(Who::of(key), requests);
    let deadline = server.app.api.settings().deadline;
    let reserved = caller::within(deadline, pin!(counting))
        .await
        .unwrap_or_else(|| Err(caller::late()))?;
    Ok(reserved.map(|reserved| Counted { reserved, requests }))
}

impl Counted {
    /// As what a request that a limit has stopped is answered.
    pub fn stopped_as(&self) -> Option<Outcome> {
        self.reserved.stopper().map(cost::stopped_as)
    }

    /// The refusal of a request that a limit has stopped, with that status.
    pub fn refusal(&self, server: &Server, status: StatusCode) -> Option<Refusal> {
        let state = self.reserved.stopper()?;
        let now = server.app.clock.now();
        let code = match state.what {
            What::Budget(_) => Code::LimitExceeded,
            What::Requests | What::Tokens | What::Parallel => Code::RateLimited,
        };
        let mut error = Error::new(code, why(state));
        let cost = Cost {
            requests: self.requests,
            tokens: 0,
            micros: 0,
        };
        let seconds = state.retry_after(&cost, now);
        error.retry_after = seconds.and_then(|seconds| u64::try_from(seconds).ok());
        let mut refused = refuse(Some(status), error);
        self.tell(server, refused.headers_mut());
        let code = HeaderValue::from_static(code.as_str());
        refused.headers_mut().insert(CODE, code);
        Some(refused)
    }

    /// Adds the fields, where requests by the minute are limited at all.
    pub fn tell(&self, server: &Server, headers: &mut HeaderMap) {
        let now = server.app.clock.now();
        let (mut policies, mut limits) = (Vec::new(), Vec::new());
        let mut teams = 0;
        let states = self.reserved.states.iter();
        for state in states.filter(|state| state.what == What::Requests) {
            let name = match state.subject {
                Subject::Team(_) => {
                    teams += 1;
                    match teams {
                        1 => "team".to_owned(),
                        level => format!("team-{level}"),
                    }
                }
                _ => whose(state).to_owned(),
            };
            let left = state
                .seconds_left(now)
                .map_or(String::new(), |seconds| format!(";t={seconds}"));
            policies.push(format!("\"{name}\";q={};w=60", state.max));
            limits.push(format!("\"{name}\";r={}{left}", state.remaining()));
        }
        for (name, items) in [(POLICY, policies), (LIMIT, limits)] {
            if !items.is_empty()
                && let Ok(value) = HeaderValue::from_str(&items.join(", "))
            {
                headers.insert(name, value);
            }
        }
    }
}

fn whose(state: &State) -> &'static str {
    match state.subject {
        Subject::ApiKey(_) => "key",
        Subject::User(_) => "user",
        Subject::EachMember(_) | Subject::Member { .. } => "member",
        Subject::Team(_) => "team",
    }
}

fn why(state: &State) -> String {
    let whose = match state.subject {
        Subject::ApiKey(_) => "this key",
        Subject::User(_) => "this key's owner",
        Subject::EachMember(_) | Subject::Member { .. } => "this key's owner within the team",
        Subject::Team(_) => "this key's team",
    };
    match &state.what {
        What::Budget(name) => format!("Nothing is left of the budget '{name}' for {whose}."),
        What::Requests | What::Tokens | What::Parallel => cost::why(state, whose),
    }
}
