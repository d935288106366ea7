//! Summing usage: for whom, of which period, in which buckets.

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use uuid::Uuid;

use crate::ctx::Ctx;
use crate::error::{Code, Error, Result};
use crate::permissions::ops::access;
use crate::permissions::path::Path;
use crate::usage::buckets::{Calendar, QUARTER, YEARS, is_quarter, quarter};
use crate::usage::model::MAX_TAG;
use crate::usage::report::{Granularity, Point, Question, Report};
use crate::usage::store;
use crate::{api_keys, teams, users};

/// Read what was used: of a user at its path, of a team at its path, of a key at its owner's or its team's, of everything at `/`.
pub const READ: &str = "usage.read";

/// Sums what the question is about, in buckets told apart by groups; of the points at most `most`, which are also the most buckets.
///
/// # Errors
/// `BAD_USER_INPUT` for a group named twice, a tag that none can be, a period that does not begin and end at a quarter of an hour, is
/// turned round, or has more than `most` buckets; `NOT_FOUND` for a subject that may not be seen; `FORBIDDEN` without [`READ`] at its path;
/// `SERVICE_UNAVAILABLE`.
pub async fn report(ctx: &Ctx, question: &Question, most: usize) -> Result<Report> {
    validate(question)?;
    authorise(ctx, question).await?;
    let (from, to) = period(question, ctx.now())?;
    let bounds = bounds(question, from, to, most)?;
    let mut conn = ctx.db.read("usage_report").await?;
    let wanted = i64::try_from(most).unwrap_or(i64::MAX);
    let summed = store::report::sum(&mut conn, question, &bounds, wanted).await?;
    let mut points: Vec<(usize, Point)> = summed
        .points
        .into_iter()
        .filter_map(|(bucket, group, sums)| {
            let point = Point {
                start: *bounds.get(bucket)?,
                end: *bounds.get(bucket + 1)?,
                group,
                sums,
            };
            Some((bucket, point))
        })
        .collect();
    points.sort_unstable_by(|(one, a), (other, b)| {
        let spent = b.sums.micros.cmp(&a.sums.micros);
        one.cmp(other)
            .then(spent)
            .then_with(|| a.group.cmp(&b.group))
    });
    Ok(Report {
        from,
        to,
        totals: summed.totals,
        count: summed.count.try_into().unwrap_or(0),
        points: points.into_iter().map(|(_, point)| point).collect(),
    })
}

fn validate(question: &Question) -> Result<()> {
    for (place, group) in question.groups.iter().enumerate() {
        if question.groups[..place].contains(group) {
            return Err(Error::bad_input(
                format!("groupBy.{place}"),
                format!("groupBy names {} twice. Name each once.", group.as_str()),
            ));
        }
    }
    let length = question.filter.tag.as_ref().map(|tag| tag.chars().count());
    match length {
        Some(length) if !(1..=MAX_TAG).contains(&length) => Err(named(
            question,
            "tag",
            format!("has {length} characters. A tag has 1 to {MAX_TAG}."),
        )),
        _ if question.filter.tag.iter().any(|tag| tag.contains('\0')) => Err(named(
            question,
            "tag",
            "has the character NUL, which no tag has.".into(),
        )),
        _ => Ok(()),
    }
}

/// Demands [`READ`] where one of the subjects lies: what is asked for is a part of the usage of each. Of everything: at `/`, where it is
/// also enough for subjects that are gone.
async fn authorise(ctx: &Ctx, question: &Question) -> Result<()> {
    access::authenticated(ctx)?;
    if access::can(ctx, READ, &Path::root()) {
        return Ok(());
    }
    let filter = &question.filter;
    let mut refusal = None;
    if let Some(id) = filter.user {
        match of_user(ctx, question, id).await {
            Ok(()) => return Ok(()),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    if let Some(id) = filter.team {
        match of_team(ctx, question, id) {
            Ok(()) => return Ok(()),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    if let Some(id) = filter.api_key {
        match of_key(ctx, question, id).await {
            Ok(()) => return Ok(()),
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| {
        Error::forbidden(format!(
            "This needs the privilege {READ} at /, which you do not hold. Name a user, a team or an API key in the filter whose usage you may \
             read: your own, or that of a team that you administer."
        ))
    }))
}

async fn of_user(ctx: &Ctx, question: &Question, id: Uuid) -> Result<()> {
    let path = users::ops::path(id);
    if access::can(ctx, READ, &path) {
        return Ok(());
    }
    let field = |_| format!("{}user", question.at);
    users::ops::require_readable(ctx, field, &[id]).await?;
    access::require(ctx, READ, &path)
}

fn of_team(ctx: &Ctx, question: &Question, id: Uuid) -> Result<()> {
    let path = teams::ops::path(id);
    if access::can(ctx, READ, &path) {
        return Ok(());
    }
    if !teams::ops::may_read(ctx, id) {
        return Err(teams::ops::absent(&format!("{}team", question.at), id));
    }
    access::require(ctx, READ, &path)
}

async fn of_key(ctx: &Ctx, question: &Question, id: Uuid) -> Result<()> {
    let found = api_keys::ops::by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let key = found
        .filter(|key| api_keys::ops::may_read(ctx, key))
        .ok_or_else(|| api_keys::ops::absent(&format!("{}apiKey", question.at), id))?;
    let paths = api_keys::ops::paths(&key);
    if access::can_any(ctx, READ, &paths) {
        return Ok(());
    }
    access::require(ctx, READ, &paths[0])
}

/// The period: what is left out is reckoned from the end of the present bucket, or from what is given.
fn period(question: &Question, now: DateTime<Utc>) -> Result<(DateTime<Utc>, DateTime<Utc>)> {
    let filter = &question.filter;
    for (name, at) in [("from", filter.from), ("to", filter.to)] {
        let Some(at) = at else { continue };
        if !YEARS.contains(&at.year()) {
            let (first, last) = (YEARS.start(), YEARS.end());
            let wrong = format!("is {}. It lies in the years {first} to {last}.", shown(at));
            return Err(named(question, name, wrong));
        }
        if !is_quarter(at) {
            let before = quarter(at);
            let wrong = format!(
                "is {}. Sums are kept per quarter of an hour: give one at which a quarter begins, such as {} or {}.",
                shown(at),
                shown(before),
                shown(before + QUARTER)
            );
            return Err(named(question, name, wrong));
        }
    }
    let calendar = question
        .granularity
        .map(|granularity| Calendar::new(granularity, &question.zone));
    let to = filter.to.unwrap_or_else(|| match &calendar {
        None => quarter(now) + QUARTER,
        Some(calendar) => calendar.next(now),
    });
    let from = filter.from.unwrap_or_else(|| match &calendar {
        None => to - TimeDelta::days(30),
        Some(calendar) => calendar.back(to, usual(question.granularity)),
    });
    if from >= to {
        let (name, wrong) = match filter.to {
            Some(_) => (
                "to",
                format!(
                    "is {}, which is not after from, {}.",
                    shown(to),
                    shown(from)
                ),
            ),
            None => (
                "from",
                format!(
                    "is {}, which is not before the present period's end, {}. Give an earlier one, or a to after it.",
                    shown(from),
                    shown(to)
                ),
            ),
        };
        return Err(named(question, name, wrong));
    }
    Ok((from, to))
}

/// How many buckets there are where no beginning is given.
fn usual(granularity: Option<Granularity>) -> i32 {
    match granularity {
        Some(Granularity::Hour) => 24,
        Some(Granularity::Month) => 12,
        Some(Granularity::Day) | None => 30,
    }
}

fn bounds(
    question: &Question,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    most: usize,
) -> Result<Vec<DateTime<Utc>>> {
    let Some(granularity) = question.granularity else {
        return Ok(vec![from, to]);
    };
    let calendar = Calendar::new(granularity, &question.zone);
    calendar.bounds(from, to, most).ok_or_else(|| {
        Error::bad_input(
            "granularity",
            format!(
                "From {} to {} there are more than {most} buckets of the granularity {}, which is the most. Take a coarser one, or a shorter \
                 period.",
                shown(from),
                shown(to),
                granularity.as_str()
            ),
        )
    })
}

/// The error of a field of the filter.
fn named(question: &Question, name: &str, wrong: String) -> Error {
    let field = format!("{}{name}", question.at);
    let message = format!("{field} {wrong}");
    Error::bad_input(field, message)
}

fn shown(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

/// The error of a question with more points than are shown.
pub fn too_many(question: &Question, count: u64, most: usize) -> Error {
    let mut ways = Vec::new();
    if question
        .granularity
        .is_some_and(|one| one != Granularity::Month)
    {
        ways.push("a coarser granularity");
    }
    ways.push("a shorter period");
    if !question.groups.is_empty() {
        ways.push("fewer groups, or a narrower filter");
    }
    let ways = ways.join(", ");
    Error::new(
        Code::LimitExceeded,
        format!("There are {count} points, and at most {most} are answered. Take {ways}."),
    )
}
