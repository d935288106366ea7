//! The statement that sums usage: whole months or days of UTC out of the rollups per month and per day, and what the bounds of buckets leave
//! of these, or take of them, out of the finer ones. So a year takes a few rows where its events are millions, and is exact in any zone.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::statement::Statement;
use crate::usage::buckets::{nearest_midnight, nearest_month};
use crate::usage::report::{Dimension, Granularity, Group, Question, Sums, UsageFilter};

#[derive(QueryableByName)]
struct Row {
    /// 0: the totals.
    #[diesel(sql_type = BigInt)]
    bucket: i64,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    api_key_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    user_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    team_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    resource: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    tag: Option<String>,
    /// Of the totals: how many points there are.
    #[diesel(sql_type = BigInt)]
    points: i64,
    // Sums may have more digits than 64 bits hold.
    #[diesel(sql_type = Text)]
    events: String,
    #[diesel(sql_type = Text)]
    requests: String,
    #[diesel(sql_type = Text)]
    tokens: String,
    #[diesel(sql_type = Text)]
    tokens_in: String,
    #[diesel(sql_type = Text)]
    tokens_out: String,
    #[diesel(sql_type = Text)]
    tokens_cached: String,
    #[diesel(sql_type = Text)]
    micros: String,
}

/// What was summed.
pub struct Summed {
    /// Of all events, each counted once.
    pub totals: Sums,
    /// How many points there are.
    pub count: i64,
    /// At most so many of them as were wanted, in no order: the number of the bucket, from 0 on, with group and sums.
    pub points: Vec<(usize, Group, Sums)>,
}

/// Where the sums are.
struct Tables {
    months: &'static str,
    days: &'static str,
    quarters: &'static str,
}

const OF_ALL: Tables = Tables {
    months: "usage_months r",
    days: "usage_days r",
    quarters: "usage_quarters r",
};
/// Where neither keys nor users are told apart.
const OF_TEAMS: Tables = Tables {
    months: "usage_team_months r",
    days: "usage_team_days r",
    quarters: "usage_team_quarters r",
};

const SUMMED: &str = "sum(r.events) AS events, sum(r.requests) AS requests, sum(r.tokens) AS tokens, sum(r.tokens_in) AS tokens_in,
    sum(r.tokens_out) AS tokens_out, sum(r.tokens_cached) AS tokens_cached, sum(r.micros) AS micros";

/// Sums what the question is about, in the buckets between those bounds.
pub(in crate::usage) async fn sum(
    conn: &mut AsyncPgConnection,
    question: &Question,
    bounds: &[DateTime<Utc>],
    most: i64,
) -> db::Result<Summed> {
    let rows: Vec<Row> = statement(question, bounds, most).load(conn).await?;
    let mut summed = Summed {
        totals: Sums::default(),
        count: 0,
        points: Vec::with_capacity(rows.len().saturating_sub(1)),
    };
    for row in rows {
        let sums = sums(&row)?;
        match usize::try_from(row.bucket - 1) {
            Err(_) => (summed.totals, summed.count) = (sums, row.points),
            Ok(bucket) => {
                let group = Group {
                    api_key: row.api_key_id,
                    user: row.user_id,
                    team: row.team_id,
                    resource: row.resource,
                    tag: row.tag,
                };
                summed.points.push((bucket, group, sums));
            }
        }
    }
    Ok(summed)
}

fn sums(row: &Row) -> db::Result<Sums> {
    let read = |text: &str| {
        text.parse::<i128>()
            .map_err(|error| db::Failure::Other(format!("a sum is {text}: {error}")))
    };
    Ok(Sums {
        events: read(&row.events)?,
        requests: read(&row.requests)?,
        tokens: read(&row.tokens)?,
        tokens_in: read(&row.tokens_in)?,
        tokens_out: read(&row.tokens_out)?,
        tokens_cached: read(&row.tokens_cached)?,
        micros: read(&row.micros)?,
    })
}

fn statement(question: &Question, bounds: &[DateTime<Utc>], most: i64) -> Statement {
    let by_tag = question.groups.contains(&Dimension::Tag) && question.filter.tag.is_none();
    // An event is in a row of its own for each of its tags, and in one for all.
    let (those_of_points, those_of_totals) = if by_tag {
        (" WHERE p.tag <> ''", " WHERE p.tag = ''")
    } else {
        ("", "")
    };
    let mut statement = Statement::new("WITH ");
    if let Some(team) = question.filter.team {
        // The team itself counts also when it is gone.
        statement = statement
            .sql("below AS MATERIALIZED (WITH RECURSIVE down (id, level) AS (SELECT ")
            .bind(team)
            .sql(
                "::uuid, 1 UNION ALL SELECT t.id, d.level + 1 FROM down d JOIN teams t ON t.parent_id = d.id WHERE d.level < 64)
                SELECT id FROM down), ",
            );
    }
    statement
        .sql("parts AS MATERIALIZED (")
        .append(parts(question, bounds))
        .sql(
            "), points AS MATERIALIZED (SELECT p.bucket, p.api_key_id, p.user_id, p.team_id, p.resource, p.tag, sum(p.events) AS events,
            sum(p.requests) AS requests, sum(p.tokens) AS tokens, sum(p.tokens_in) AS tokens_in, sum(p.tokens_out) AS tokens_out,
            sum(p.tokens_cached) AS tokens_cached, sum(p.micros) AS micros FROM parts p",
        )
        .sql(those_of_points)
        .sql(
            " GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(p.events) <> 0)
            SELECT 0::bigint AS bucket, NULL::uuid AS api_key_id, NULL::uuid AS user_id, NULL::uuid AS team_id, NULL::text AS resource,
                NULL::text AS tag, (SELECT count(*) FROM points) AS points, coalesce(sum(p.events), 0)::text AS events,
                coalesce(sum(p.requests), 0)::text AS requests, coalesce(sum(p.tokens), 0)::text AS tokens,
                coalesce(sum(p.tokens_in), 0)::text AS tokens_in, coalesce(sum(p.tokens_out), 0)::text AS tokens_out,
                coalesce(sum(p.tokens_cached), 0)::text AS tokens_cached, coalesce(sum(p.micros), 0)::text AS micros FROM parts p",
        )
        .sql(those_of_totals)
        .sql(
            " UNION ALL (SELECT p.bucket, p.api_key_id, p.user_id, p.team_id, p.resource, p.tag, 0, p.events::text, p.requests::text,
            p.tokens::text, p.tokens_in::text, p.tokens_out::text, p.tokens_cached::text, p.micros::text FROM points p LIMIT ",
        )
        .bind(most)
        .sql(")")
}

/// Sums by bucket and group that are to be added up; buckets are numbered from 1 on.
fn parts(question: &Question, bounds: &[DateTime<Utc>]) -> Statement {
    let filter = &question.filter;
    let has = |one| question.groups.contains(&one);
    let tables = if of_persons(filter) || has(Dimension::Key) || has(Dimension::User) {
        OF_ALL
    } else {
        OF_TEAMS
    };
    if question.granularity == Some(Granularity::Hour) {
        return whole(question, tables.quarters, bounds);
    }
    let midnights: Vec<DateTime<Utc>> = bounds.iter().copied().map(nearest_midnight).collect();
    let edges_of_days = edges(question, tables.quarters, bounds, &midnights);
    if question.granularity == Some(Granularity::Day) {
        return whole(question, tables.days, &midnights).append(edges_of_days);
    }
    let months: Vec<DateTime<Utc>> = midnights.iter().copied().map(nearest_month).collect();
    whole(question, tables.months, &months)
        .append(edges(question, tables.days, &midnights, &months))
        .append(edges_of_days)
}

fn some(moments: &[DateTime<Utc>]) -> Vec<Option<DateTime<Utc>>> {
    moments.iter().copied().map(Some).collect()
}

/// The sums of a table between those moments.
fn whole(question: &Question, table: &'static str, moments: &[DateTime<Utc>]) -> Statement {
    let first = moments.first().copied().unwrap_or_default();
    let end = moments.last().copied().unwrap_or_default();
    let slots = Statement::default()
        .and("r.slot >= ", first)
        .and("r.slot < ", end);
    Statement::new("SELECT width_bucket(r.slot, ")
        .bind(some(moments))
        .sql("::timestamptz[])::bigint AS bucket, ")
        .append(grouped(question))
        .sql(SUMMED)
        .append(rows(question, table, slots))
        .sql(" GROUP BY 1, 2, 3, 4, 5, 6")
}

/// What lies between a bound and the round moment that was taken for it, out of a finer table: it belongs to the bucket before, which ends
/// at the bound, and was counted in the one after, or the other way round.
fn edges(
    question: &Question,
    table: &'static str,
    bounds: &[DateTime<Utc>],
    round: &[DateTime<Utc>],
) -> Statement {
    if bounds == round {
        return Statement::default();
    }
    Statement::new(
        " UNION ALL SELECT e.number - 1 + side, e.api_key_id, e.user_id, e.team_id, e.resource, e.tag, e.sign * (1 - 2 * side) * e.events,
        e.sign * (1 - 2 * side) * e.requests, e.sign * (1 - 2 * side) * e.tokens, e.sign * (1 - 2 * side) * e.tokens_in,
        e.sign * (1 - 2 * side) * e.tokens_out, e.sign * (1 - 2 * side) * e.tokens_cached, e.sign * (1 - 2 * side) * e.micros
        FROM (SELECT b.number, CASE WHEN b.round < b.bound THEN 1 ELSE -1 END AS sign, s.* FROM unnest(",
    )
    .bind(some(bounds))
    .sql("::timestamptz[], ")
    .bind(some(round))
    .sql(
        "::timestamptz[]) WITH ORDINALITY AS b (bound, round, number)
        CROSS JOIN LATERAL (SELECT ",
    )
    .append(grouped(question))
    .sql(SUMMED)
    .append(rows(
        question,
        table,
        Statement::default().condition().sql(
            "r.slot >= least(b.bound, b.round) AND r.slot < greatest(b.bound, b.round)",
        ),
    ))
    // OFFSET 0 keeps each stretch from being summed once for each side.
    .sql(
        " GROUP BY 1, 2, 3, 4, 5) s WHERE b.bound <> b.round OFFSET 0) e CROSS JOIN generate_series(0, 1) AS side
        WHERE e.number - 1 + side BETWEEN 1 AND ",
    )
    .bind(i64::try_from(bounds.len()).unwrap_or(i64::MAX) - 1)
}

fn of_persons(filter: &UsageFilter) -> bool {
    filter.api_key.is_some() || filter.user.is_some()
}

/// What tells groups apart, as five columns.
fn grouped(question: &Question) -> Statement {
    let column = |one, column, none| {
        if question.groups.contains(&one) {
            column
        } else {
            none
        }
    };
    Statement::new(column(
        Dimension::Key,
        "r.api_key_id, ",
        "NULL::uuid AS api_key_id, ",
    ))
    .sql(column(
        Dimension::User,
        "r.user_id, ",
        "NULL::uuid AS user_id, ",
    ))
    .sql(column(
        Dimension::Team,
        "r.team_id, ",
        "NULL::uuid AS team_id, ",
    ))
    .sql(column(
        Dimension::Resource,
        "r.resource, ",
        "NULL::text AS resource, ",
    ))
    .sql(column(Dimension::Tag, "r.tag, ", "NULL::text AS tag, "))
}

/// The rows of a table that the filter lets through, those of some slots.
fn rows(question: &Question, table: &'static str, slots: Statement) -> Statement {
    let filter = &question.filter;
    let mut such = slots
        .and_if("r.api_key_id = ", filter.api_key)
        .and_if("r.user_id = ", filter.user);
    such = match &filter.tag {
        Some(tag) => such.and("r.tag = ", tag.as_str()),
        None if question.groups.contains(&Dimension::Tag) => such,
        None => such.condition().sql("r.tag = ''"),
    };
    if let Some(path) = filter.resource.as_ref().filter(|path| !path.is_root()) {
        // `0` is the character after `/`.
        such = such
            .and("(r.resource = ", path.as_str())
            .sql(" OR r.resource >= ")
            .bind(format!("{path}/"))
            .sql(" AND r.resource < ")
            .bind(format!("{path}0"))
            .sql(")");
    }
    let from = Statement::new(" FROM ").sql(table);
    match filter.team {
        None => from.append(such),
        Some(_) if of_persons(filter) => from.append(
            such.condition()
                .sql("r.team_id = ANY (ARRAY(SELECT id FROM below))"),
        ),
        // One team after the other, and OFFSET 0 so that it stays so: a plan made without knowing the period takes it to be short, and
        // would read it of all teams.
        Some(_) => Statement::new(" FROM below t CROSS JOIN LATERAL (SELECT r.*")
            .append(from)
            .append(such.condition().sql("r.team_id = t.id OFFSET 0) r")),
    }
}
