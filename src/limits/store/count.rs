//! SQL that counts anew what was used of a budget: when it is armed, and when its window changes.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db;
use crate::db::statement::Statement;
use crate::limits::model::{Budget, Subject};

/// Begins to count a budget that is new: from `since` on, with what was spent in that time if the budget includes it.
pub(crate) async fn begin(
    conn: &mut AsyncPgConnection,
    limits: uuid::Uuid,
    subject: Subject,
    budget: &Budget,
    since: DateTime<Utc>,
) -> db::Result<()> {
    if budget.include_past_spend {
        // What is reserved already is settled against it too.
        of_subject(
            Statement::new("UPDATE reservations r SET counters = array_append(r.counters, ")
                .bind(budget.id)
                .sql("::uuid) WHERE r.at >= ")
                .bind(since),
            "r",
            subject,
        )
        .execute(conn)
        .await?;
    }
    Statement::new(
        "INSERT INTO limit_counters (id, limit_id, budget_id, since, spent, reserved, minute, requests, tokens, parallel)
            SELECT ",
    )
    .bind(budget.id)
    .sql("::uuid, ")
    .bind(limits)
    .sql("::uuid, ")
    .bind(budget.id)
    .sql("::uuid, ")
    .bind(since)
    .sql("::timestamptz, 0, 0, ")
    .bind(since)
    .sql("::timestamptz, 0, 0, 0")
    .execute(conn)
    .await?;
    if budget.include_past_spend {
        again(conn, subject, budget, since).await?;
    }
    Ok(())
}

/// Counts what was spent and is reserved from `since` on. What was spent is the sum of the subject's events: of whole days and of whole
/// quarters of an hour it is in the rollups.
pub(crate) async fn again(
    conn: &mut AsyncPgConnection,
    subject: Subject,
    budget: &Budget,
    since: DateTime<Utc>,
) -> db::Result<()> {
    // First the lock, then a statement of its own that sees all who held it before.
    Statement::new("SELECT 1 FROM limit_counters WHERE budget_id = ")
        .bind(budget.id)
        .sql(" ORDER BY id FOR NO KEY UPDATE")
        .execute(conn)
        .await?;
    let quarter = rounded_up(since, TimeDelta::minutes(15));
    let day = rounded_up(quarter, TimeDelta::days(1));
    let statement = Statement::new("UPDATE limit_counters c SET since = ")
        .bind(since)
        .sql(", spent = (SELECT coalesce(sum(h.micros), 0)::bigint FROM usage_events h WHERE h.state <> 'RELEASED' AND h.at >= ")
        .bind(since)
        .sql(" AND h.at < ")
        .bind(quarter);
    let statement = of_subject(statement, "h", subject)
        .sql(") + (SELECT coalesce(sum(h.micros), 0)::bigint FROM usage_quarters h WHERE h.tag = '' AND h.slot >= ")
        .bind(quarter)
        .sql(" AND h.slot < ")
        .bind(day);
    let statement = of_subject(statement, "h", subject)
        .sql(") + (SELECT coalesce(sum(h.micros), 0)::bigint FROM usage_days h WHERE h.tag = '' AND h.slot >= ")
        .bind(day);
    of_subject(statement, "h", subject)
        .sql("), reserved = (SELECT coalesce(sum(r.micros), 0)::bigint FROM reservations r WHERE c.id = ANY(r.counters) AND r.at >= ")
        .bind(since)
        .sql(") WHERE c.budget_id = ")
        .bind(budget.id)
        .execute(conn)
        .await?;
    Ok(())
}

/// The moment, or the next beginning of such a stretch of UTC.
fn rounded_up(at: DateTime<Utc>, by: TimeDelta) -> DateTime<Utc> {
    match at.duration_trunc(by) {
        Ok(start) if start < at => start + by,
        _ => at,
    }
}

/// Adds that a row of usage or of reservations, called `h` or `r`, is the subject's: of a team, of all that lie below it now. Of what
/// holds for each member it must be the counter's member too.
fn of_subject(statement: Statement, row: &'static str, subject: Subject) -> Statement {
    const BELOW: &str =
        "(WITH RECURSIVE down (id, level) AS (SELECT t.id, 1 FROM teams t WHERE t.id = ";
    const BELOW_END: &str = " UNION ALL SELECT t.id, down.level + 1 FROM down JOIN teams t ON t.parent_id = down.id WHERE down.level < 64)
        SELECT id FROM down)";
    let statement = statement.sql(" AND ").sql(row);
    match subject {
        Subject::ApiKey(id) => statement.sql(".api_key_id = ").bind(id),
        Subject::User(id) => statement.sql(".user_id = ").bind(id),
        Subject::Team(id) => statement
            .sql(".team_id IN ")
            .sql(BELOW)
            .bind(id)
            .sql(BELOW_END),
        Subject::EachMember(team) => statement
            .sql(".team_id = ")
            .bind(team)
            .sql(" AND ")
            .sql(row)
            .sql(".user_id = c.user_id"),
        Subject::Member { team, user } => statement
            .sql(".team_id = ")
            .bind(team)
            .sql(" AND ")
            .sql(row)
            .sql(".user_id = ")
            .bind(user),
    }
}
