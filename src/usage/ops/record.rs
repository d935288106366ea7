//! Recording: many events at once, each answered by itself.

use std::collections::{HashMap, HashSet};

use futures_util::future::join_all;
use uuid::Uuid;

use super::line::{Event, Named, Read, Rules};
use super::whose;
use crate::ctx::Ctx;
use crate::db::Failure;
use crate::error::{Code, Error, Result};
use crate::limits::ops::{Counting, Desk, Settlement, Who};
use crate::permissions::ops::access;
use crate::usage::model::{Line, MAX_EVENTS, Outcome, month};
use crate::usage::store::record::{self as store, Batch, Kind};

/// How often a batch is tried again when it met another.
const TRIES: usize = 3;
/// Lines that are read before others who wait for the processor have their turn.
const TURN: usize = 500;

/// What is told where nobody knows whether the events are recorded.
pub const UNKNOWN: &str = "The database did not answer, so it is not known whether this was recorded. Send it again: what was recorded counts once.";

/// Records events, each by itself: one that cannot be recorded stops no other. Those of one call are one transaction, with their sums and
/// with what counts of limits, which refuse nothing that has been used. An event that is known by its id already changes nothing; of two
/// in one call the first counts. Lines with a reservation settle it, as [`Desk::settle`] does. A line that could not be read is answered
/// with its error. The outcomes are in the order of the lines.
///
/// # Errors
/// `UNAUTHENTICATED`; `LIMIT_EXCEEDED` for more than [`MAX_EVENTS`] lines; `SERVICE_UNAVAILABLE`: then it may all be sent again. Of a line:
/// `BAD_USER_INPUT` naming the field; `NOT_FOUND` and `FORBIDDEN` for whom the actor may not record; what settling refuses.
pub async fn record(ctx: &Ctx, desk: &Desk, lines: Vec<Result<Line>>) -> Result<Vec<Outcome>> {
    access::authenticated(ctx)?;
    if lines.len() > MAX_EVENTS {
        let message = format!(
            "There are {} events. Send at most {MAX_EVENTS} at once.",
            lines.len()
        );
        return Err(Error::new(Code::LimitExceeded, message));
    }
    let now = ctx.now();
    let rules = Rules {
        asker: ctx.actor.user().unwrap_or(Uuid::nil()),
        now,
        from: now - ctx.policy.usage_kept(),
    };
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(lines.len());
    let (mut events, mut endings) = (Vec::new(), Vec::new());
    for (place, line) in lines.into_iter().enumerate() {
        if place % TURN == TURN - 1 {
            tokio::task::yield_now().await;
        }
        outcomes.push(match line.and_then(|line| rules.read(line)) {
            Ok(Read::Event(event)) => {
                events.push((place, event));
                Outcome::Recorded
            }
            Ok(Read::Ending(settlement)) => {
                endings.push((place, settlement));
                Outcome::Recorded
            }
            Err(error) => Outcome::Refused(error),
        });
    }
    let named: HashSet<Named> = events.iter().map(|(_, event)| event.named).collect();
    let whose = whose::find(ctx, named).await?;
    let mut seen = HashSet::with_capacity(events.len());
    events.retain(|(place, event)| {
        let refused = match whose.get(&event.named) {
            Some(Err(error)) => Some(Outcome::Refused(error.clone())),
            Some(Ok(_)) | None => None,
        };
        // Of two that can be recorded the first counts.
        let other = refused.or_else(|| (!seen.insert(event.id)).then_some(Outcome::Repeated));
        match other {
            None => true,
            Some(outcome) => {
                outcomes[*place] = outcome;
                false
            }
        }
    });
    if !events.is_empty() {
        for place in stored(ctx, desk, events, &whose).await? {
            outcomes[place] = Outcome::Repeated;
        }
    }
    let settling = endings.into_iter().map(async |(place, settlement)| {
        let settled = settle(ctx, desk, settlement).await;
        (place, settled)
    });
    for (place, outcome) in join_all(settling).await {
        outcomes[place] = outcome;
    }
    Ok(outcomes)
}

/// Settles one reservation; that it was before is no fault of whoever sends a line again.
async fn settle(ctx: &Ctx, desk: &Desk, settlement: Settlement) -> Outcome {
    match desk.settle(ctx, settlement).await {
        Ok(()) => Outcome::Recorded,
        Err(error) if error.code == Code::Conflict => Outcome::Repeated,
        Err(error) => Outcome::Refused(error),
    }
}

/// Stores the events in one statement; answers with the places of those that are known already.
async fn stored(
    ctx: &Ctx,
    desk: &Desk,
    mut events: Vec<(usize, Event)>,
    whose: &HashMap<Named, Result<Who>>,
) -> Result<Vec<usize>> {
    // In one order, so that two who record the same never wait for each other in a circle.
    events.sort_unstable_by_key(|(_, event)| event.id);
    let all: HashSet<Who> = whose.values().flatten().copied().collect();
    let mut tries = 1;
    let known = loop {
        let counting = desk
            .counting(ctx.now(), all.iter().copied().collect())
            .await?;
        let batch = batch(ctx, &events, whose, counting);
        let mut conn = ctx.db.read("record_usage").await?;
        match store::record(&mut conn, batch).await {
            Err(Failure::Conflict(_) | Failure::ForeignKey(_)) if tries < TRIES => tries += 1,
            known => break known.map_err(unknown)?,
        }
    };
    let known: HashSet<Uuid> = known.into_iter().collect();
    let places = events
        .iter()
        .filter(|(_, event)| known.contains(&event.id))
        .map(|(place, _)| *place);
    Ok(places.collect())
}

/// Where the connection breaks nobody knows whether the statement took effect; sent again, it has the same effect as once.
fn unknown(failure: Failure) -> Error {
    let mut error = Error::from(failure);
    if error.code == Code::ServiceUnavailable {
        error.message = UNKNOWN.into();
    }
    error
}

/// The events as they are stored: what many have in common is said once.
fn batch(
    ctx: &Ctx,
    events: &[(usize, Event)],
    whose: &HashMap<Named, Result<Who>>,
    counting: Counting,
) -> Batch {
    let mut batch = Batch::new(ctx.now(), ctx.actor.user(), counting.counters);
    let mut kinds: HashMap<(Who, &str, &[String]), usize> = HashMap::new();
    let mut months = HashSet::new();
    for (_, event) in events {
        let Some(Ok(who)) = whose.get(&event.named) else {
            continue;
        };
        let kind = (*who, event.resource.as_str(), event.tags.as_slice());
        let kind = *kinds.entry(kind).or_insert_with(|| {
            batch.add_kind(Kind {
                user: who.user,
                key: who.key,
                team: who.team,
                resource: event.resource.as_str().to_owned(),
                tags: &event.tags,
                counters: counting.uses.get(who).map_or(&[], Vec::as_slice),
            })
        });
        months.insert(month(event.at));
        batch.add(event.id, event.at, kind, event.measures);
        if event.looks_back {
            batch.look_back(event.id, month(event.at));
        }
    }
    batch.months = months.into_iter().collect();
    batch
}
