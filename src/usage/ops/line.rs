//! What a line must be like, by itself.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use uuid::Uuid;

use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::limits::amount::{self, MAX_REQUESTS, MAX_TOKENS};
use crate::limits::ops::Settlement;
use crate::permissions::path::Path;
use crate::secrets::Digest;
use crate::text;
use crate::usage::model::{AHEAD, Line, MAX_ID, MAX_TAG, MAX_TAGS, Measures};

/// A line that says something.
#[derive(Debug)]
pub(super) enum Read {
    Event(Event),
    /// It settles a reservation.
    Ending(Settlement),
}

/// An event as it is stored, but for who it was.
#[derive(Debug)]
pub(super) struct Event {
    pub id: Uuid,
    pub at: DateTime<Utc>,
    /// Whether it may have been recorded in the month before: then its moment was another, because it was told without one or ahead of
    /// this server's clock.
    pub looks_back: bool,
    pub named: Named,
    pub resource: Path,
    pub tags: Vec<String>,
    pub measures: Measures,
}

/// Whom an event names: a key or a user, and perhaps a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Named {
    pub who: By,
    pub team: Option<Uuid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum By {
    Key(Uuid),
    User(Uuid),
}

/// What lines are read against.
pub(super) struct Rules {
    pub asker: Uuid,
    pub now: DateTime<Utc>,
    /// Events before this moment are not kept.
    pub from: DateTime<Utc>,
}

impl Rules {
    /// Reads a line.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field.
    pub fn read(&self, line: Line) -> Result<Read> {
        let told = Told::of(&line)?;
        let tags = tags(line.tags.as_deref().unwrap_or_default())?;
        if let Some(reservation) = &line.reservation {
            return ending(&line, reservation, told, tags);
        }
        let id = line.id.as_deref().ok_or_else(|| {
            let message = "id is missing. Give each event an id of your own, so that it counts once however often you send it.";
            Error::bad_input("id", message)
        })?;
        let id = text::line("id", id, MAX_ID)?;
        let (at, looks_back) = self.moment(line.at.as_deref())?;
        let resource = match line.resource.as_deref() {
            None => Path::root(),
            Some(text) => Path::parse(text).map_err(|error| {
                Error::bad_input("resource", format!("resource is no path: {error}."))
            })?,
        };
        Ok(Read::Event(Event {
            id: own(self.asker, &id),
            at,
            looks_back,
            named: named(&line)?,
            resource,
            tags,
            measures: Measures {
                requests: told.requests.unwrap_or(1),
                tokens: told.tokens.unwrap_or(0),
                tokens_in: told.parts[0],
                tokens_out: told.parts[1],
                tokens_cached: told.parts[2],
                micros: told.micros.unwrap_or(0),
            },
        }))
    }

    /// When it was, and whether it may have been recorded in the month before.
    fn moment(&self, text: Option<&str>) -> Result<(DateTime<Utc>, bool)> {
        let Some(text) = text else {
            return Ok((self.now, true));
        };
        let wrong = |what: String| {
            Err(Error::bad_input(
                "at",
                format!("at is {}, {what}", quoted(text)),
            ))
        };
        let Ok(at) = DateTime::parse_from_rfc3339(text) else {
            return wrong(
                "which is no moment. Write it as RFC 3339 has it, such as 2030-01-31T12:00:00Z."
                    .into(),
            );
        };
        // What Postgres keeps.
        let at = at.to_utc();
        let at = at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at);
        if at > self.now + AHEAD {
            return wrong(format!(
                "which is to come. It may be at most {} minutes ahead of this server's clock.",
                AHEAD.num_minutes()
            ));
        }
        if at < self.from {
            return wrong(format!(
                "which is too long ago: events are kept from {} on.",
                self.from.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
            ));
        }
        let month = crate::usage::model::month(at);
        Ok((at.min(self.now), at > self.now || at < month + AHEAD))
    }
}

/// The id of an asker's event: of version 8, made of both by SHA-256.
fn own(asker: Uuid, id: &str) -> Uuid {
    let both = [asker.as_bytes(), id.as_bytes()].concat();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Digest::of(&both).as_bytes()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

fn named(line: &Line) -> Result<Named> {
    let who = match (&line.api_key, &line.user) {
        (Some(key), None) if key.starts_with("ks_") => {
            return Err(Error::bad_input(
                "apiKey",
                "apiKey is the key itself, which should stay secret. Give its id, which begins with key_.",
            ));
        }
        (Some(key), None) => By::Key(Id::parse_as(Kind::ApiKey, "apiKey", key)?),
        (None, Some(user)) => By::User(Id::parse_as(Kind::User, "user", user)?),
        (None, None) => {
            return Err(Error::bad_input(
                "apiKey",
                "apiKey is missing. Give the id of the key that was used, or where it was no key, user.",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(Error::bad_input(
                "user",
                "user stands beside apiKey. Give one of them: a key has its owner.",
            ));
        }
    };
    let team = line.team.as_deref();
    let team = team.map(|team| Id::parse_as(Kind::Team, "team", team));
    Ok(Named {
        who,
        team: team.transpose()?,
    })
}

fn ending(line: &Line, reservation: &str, told: Told, tags: Vec<String>) -> Result<Read> {
    for (name, is_there) in [
        ("id", line.id.is_some()),
        ("apiKey", line.api_key.is_some()),
        ("user", line.user.is_some()),
        ("team", line.team.is_some()),
        ("resource", line.resource.is_some()),
        ("at", line.at.is_some()),
    ] {
        if is_there {
            let message =
                format!("{name} stands beside reservation, which says that already. Leave it out.");
            return Err(Error::bad_input(name, message));
        }
    }
    Ok(Read::Ending(Settlement {
        id: Id::parse_as(Kind::Reservation, "reservation", reservation)?,
        requests: told.requests,
        tokens: told.tokens,
        parts: told.parts,
        micros: told.micros,
        tags,
    }))
}

/// What a line says of how much; `None`: nothing.
struct Told {
    requests: Option<i64>,
    tokens: Option<i64>,
    parts: [i64; 3],
    micros: Option<i64>,
}

impl Told {
    fn of(line: &Line) -> Result<Told> {
        let tokens = |field: &str, value: &Option<serde_json::Value>| {
            amount::whole(field, value.as_ref(), MAX_TOKENS)
        };
        let all = tokens("tokens", &line.tokens)?;
        let went_in = tokens("tokensIn", &line.tokens_in)?;
        let came_out = tokens("tokensOut", &line.tokens_out)?;
        let cached = tokens("tokensCached", &line.tokens_cached)?;
        let parts = [went_in, came_out, cached].map(|part| part.unwrap_or(0));
        let [went_in_sum, came_out_sum, cached_sum] = parts;
        let sum = (went_in.is_some() || came_out.is_some()).then_some(went_in_sum + came_out_sum);
        if let (Some(all), Some(sum)) = (all, sum)
            && all != sum
        {
            return Err(Error::bad_input(
                "tokens",
                format!(
                    "tokens is {all}, and tokensIn and tokensOut are {sum} together. Leave it out, or give their sum."
                ),
            ));
        }
        if cached_sum > went_in_sum {
            return Err(Error::bad_input(
                "tokensCached",
                format!(
                    "tokensCached is {cached_sum}, more than tokensIn, which is {went_in_sum}: it is a part of that."
                ),
            ));
        }
        let requests = amount::whole("requests", line.requests.as_ref(), MAX_REQUESTS)?;
        let usd = line.usd.as_ref().map(|usd| amount::cost("usd", usd));
        Ok(Told {
            requests,
            tokens: sum.or(all),
            parts,
            micros: usd.transpose()?,
        })
    }
}

/// Each once, in their order.
fn tags(told: &[String]) -> Result<Vec<String>> {
    if told.len() > MAX_TAGS {
        return Err(Error::bad_input(
            "tags",
            format!(
                "tags has {} elements. An event carries at most {MAX_TAGS}.",
                told.len()
            ),
        ));
    }
    let read = |(n, tag): (usize, &String)| text::line(&format!("tags.{n}"), tag, MAX_TAG);
    let mut tags: Vec<String> = told.iter().enumerate().map(read).collect::<Result<_>>()?;
    tags.sort_unstable();
    tags.dedup();
    Ok(tags)
}
