//! The mutation that records usage.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};

use crate::error::{Error, Result};
use crate::graphql::request;
use crate::graphql::scalars::Timestamp;
use crate::limits::graphql::Usd;
use crate::usage::model::{Line, Outcome};
use crate::usage::ops;

/// Events of one mutation at most: `POST /v1/usage` takes more.
const MAX_EVENTS: usize = 100;

/// What was used: events, or what a reservation has cost in truth.
#[derive(InputObject)]
pub struct RecordUsageInput {
    /// At most 100 events; not together with `reservation`.
    events: Option<Vec<UsageEventInput>>,
    /// The reservation that is settled: what stands beside it is its true cost.
    reservation: Option<ID>,
    /// Requests; left out, as it was reserved.
    requests: Option<i32>,
    /// Tokens; left out, the sum of `tokensIn` and `tokensOut`, or as it was reserved.
    tokens: Option<i32>,
    /// Tokens that went in.
    tokens_in: Option<i32>,
    /// Tokens that came out.
    tokens_out: Option<i32>,
    /// Of those that went in, the ones that were cached.
    tokens_cached: Option<i32>,
    /// US dollars; left out, as it was reserved.
    usd: Option<Usd>,
    /// At most 10 words of 1–64 characters by which usage is told apart.
    tags: Option<Vec<String>>,
}

/// An event: who used what, how much of it, and what it cost.
#[derive(InputObject)]
pub struct UsageEventInput {
    /// Your own id of it, 1–128 characters: an event counts once, however often it is sent. Needed unless a reservation is settled.
    id: Option<String>,
    /// The reservation that it settles: then neither id, apiKey, user, team, resource nor at.
    reservation: Option<ID>,
    /// The key that was used: it counts for its owner and its team.
    api_key: Option<ID>,
    /// The user, where it was no key.
    user: Option<ID>,
    /// The team that it was for: the key's, or one that the user belongs to.
    team: Option<ID>,
    /// What was used: a path such as `/models/gpt-4o`; left out, `/`.
    resource: Option<String>,
    /// Requests; left out, 1.
    requests: Option<i32>,
    /// Tokens; left out, the sum of `tokensIn` and `tokensOut`.
    tokens: Option<i32>,
    /// Tokens that went in.
    tokens_in: Option<i32>,
    /// Tokens that came out.
    tokens_out: Option<i32>,
    /// Of those that went in, the ones that were cached.
    tokens_cached: Option<i32>,
    /// US dollars; left out, 0.
    usd: Option<Usd>,
    /// When, at most 5 minutes ahead; left out, now.
    at: Option<Timestamp>,
    /// At most 10 words of 1–64 characters by which usage is told apart.
    tags: Option<Vec<String>>,
}

/// What came of an event.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
pub enum UsageOutcome {
    /// It counts.
    Recorded,
    /// It was recorded before: nothing has changed.
    Repeated,
    /// It does not count.
    Refused,
}

/// What came of an event, by its number.
#[derive(SimpleObject)]
pub struct UsageLine {
    /// Which, counted from 1.
    line: i32,
    /// What came of it.
    outcome: UsageOutcome,
    /// Why it was refused.
    error: Option<UsageLineError>,
}

/// Why an event was refused.
#[derive(SimpleObject)]
pub struct UsageLineError {
    /// The code, as in `extensions.code` of errors.
    code: String,
    /// The input's path, if it is the fault of one.
    field: Option<String>,
    /// What was wrong, and what would be right.
    message: String,
}

/// What `recordUsage` answers.
#[derive(SimpleObject)]
pub struct RecordUsagePayload {
    /// How many events count now.
    recorded: i32,
    /// How many were recorded before.
    repeated: i32,
    /// How many were refused.
    refused: i32,
    /// Each event, in their order.
    lines: Vec<UsageLine>,
}

/// Mutations on usage.
#[derive(Default)]
pub struct UsageMutations;

#[Object]
impl UsageMutations {
    /// Records what was used, or settles a reservation. Each event is answered by itself: one that is refused stops no other, and one that
    /// was recorded before changes nothing. Nothing that was used is refused for a limit: it counts. Needs `usage.write` over the key, at
    /// the user, or at the team; to settle, `apiKey.verify` at `/`, by the user who reserved.
    async fn record_usage(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What was used.")] input: RecordUsageInput,
    ) -> Result<RecordUsagePayload> {
        let request = request(context);
        let (lines, alone) = input.read()?;
        let lines = lines.into_iter().map(Ok).collect();
        let outcomes = ops::record(&request.ctx, &request.limits, lines).await?;
        if let (true, Some(Outcome::Refused(error))) = (alone, outcomes.first()) {
            return Err(within("input", error.clone()));
        }
        Ok(RecordUsagePayload::of(outcomes))
    }
}

fn within(path: &str, mut error: Error) -> Error {
    error.field = error.field.map(|field| format!("{path}.{field}"));
    error
}

impl RecordUsageInput {
    /// The lines, and whether it is a reservation alone.
    fn read(self) -> Result<(Vec<Line>, bool)> {
        let Some(events) = self.events else {
            let Some(reservation) = self.reservation else {
                let message = "input.events is missing. Give events, or a reservation.";
                return Err(Error::bad_input("input.events", message));
            };
            let line = Line {
                reservation: Some(reservation.0),
                requests: self.requests.map(Into::into),
                tokens: self.tokens.map(Into::into),
                tokens_in: self.tokens_in.map(Into::into),
                tokens_out: self.tokens_out.map(Into::into),
                tokens_cached: self.tokens_cached.map(Into::into),
                usd: self.usd.map(Usd::into_json),
                tags: self.tags,
                ..Line::default()
            };
            return Ok((vec![line], true));
        };
        for (name, is_there) in [
            ("reservation", self.reservation.is_some()),
            ("requests", self.requests.is_some()),
            ("tokens", self.tokens.is_some()),
            ("tokensIn", self.tokens_in.is_some()),
            ("tokensOut", self.tokens_out.is_some()),
            ("tokensCached", self.tokens_cached.is_some()),
            ("usd", self.usd.is_some()),
            ("tags", self.tags.is_some()),
        ] {
            if is_there {
                let field = format!("input.{name}");
                let message = format!("{field} stands beside events. Put it into each of them.");
                return Err(Error::bad_input(field, message));
            }
        }
        if !(1..=MAX_EVENTS).contains(&events.len()) {
            let message = format!(
                "input.events has {} elements. It must have 1 to {MAX_EVENTS}: POST /v1/usage takes more.",
                events.len()
            );
            return Err(Error::bad_input("input.events", message));
        }
        Ok((events.into_iter().map(Line::from).collect(), false))
    }
}

impl From<UsageEventInput> for Line {
    fn from(event: UsageEventInput) -> Self {
        Line {
            id: event.id,
            reservation: event.reservation.map(|id| id.0),
            api_key: event.api_key.map(|id| id.0),
            user: event.user.map(|id| id.0),
            team: event.team.map(|id| id.0),
            resource: event.resource,
            requests: event.requests.map(Into::into),
            tokens: event.tokens.map(Into::into),
            tokens_in: event.tokens_in.map(Into::into),
            tokens_out: event.tokens_out.map(Into::into),
            tokens_cached: event.tokens_cached.map(Into::into),
            usd: event.usd.map(Usd::into_json),
            at: event.at.map(|at| at.0.to_rfc3339()),
            tags: event.tags,
        }
    }
}

impl RecordUsagePayload {
    fn of(outcomes: Vec<Outcome>) -> Self {
        let mut payload = RecordUsagePayload {
            recorded: 0,
            repeated: 0,
            refused: 0,
            lines: Vec::with_capacity(outcomes.len()),
        };
        for (place, outcome) in (0..).zip(outcomes) {
            let (outcome, error) = match outcome {
                Outcome::Recorded => (UsageOutcome::Recorded, None),
                Outcome::Repeated => (UsageOutcome::Repeated, None),
                Outcome::Refused(error) => {
                    let error = within(&format!("input.events.{place}"), error);
                    (UsageOutcome::Refused, Some(UsageLineError::of(error)))
                }
            };
            *match outcome {
                UsageOutcome::Recorded => &mut payload.recorded,
                UsageOutcome::Repeated => &mut payload.repeated,
                UsageOutcome::Refused => &mut payload.refused,
            } += 1;
            payload.lines.push(UsageLine {
                line: place + 1,
                outcome,
                error,
            });
        }
        payload
    }
}

impl UsageLineError {
    fn of(error: Error) -> Self {
        UsageLineError {
            code: error.code.as_str().to_owned(),
            field: error.field,
            message: error.message,
        }
    }
}
