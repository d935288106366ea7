//! SQL of notices: which amounts of budgets were reached. The database notes them as it counts (`limits_notice` in `migrations/`).

use chrono::{DateTime, Utc};
use diesel_async::AsyncPgConnection;
use diesel_async::RunQueryDsl;
use serde::Deserialize;
use uuid::Uuid;

use super::rows::{BudgetRow, Json, LimitsRow};
use crate::db;
use crate::db::statement::Statement;
use crate::limits::amount::Usd;
use crate::limits::model::{Budget, Notice, Reached, Subject};

#[derive(Deserialize)]
struct Found {
    counter_id: Uuid,
    since: DateTime<Utc>,
    kind: String,
    micros: i64,
    spent: i64,
    user_id: Option<Uuid>,
    owner_id: Option<Uuid>,
    key_team_id: Option<Uuid>,
    limits: LimitsRow,
    budget: BudgetRow,
}

/// Notes which amounts a budget has reached whose own amounts, or whose counting, have just been changed; what was noted of amounts that it no
/// longer has, and is not told yet, is forgotten. `since` is where the budget counts from now.
pub(crate) async fn look(
    conn: &mut AsyncPgConnection,
    budget: &Budget,
    since: DateTime<Utc>,
) -> db::Result<()> {
    // First the locks, then statements of their own that see all who held them before.
    Statement::new("SELECT 1 FROM limit_counters WHERE budget_id = ")
        .bind(budget.id)
        .sql(" ORDER BY id FOR NO KEY UPDATE")
        .execute(conn)
        .await?;
    Statement::new(
        "DELETE FROM budget_notices n USING limit_counters c JOIN budgets b ON b.id = c.budget_id
        WHERE n.counter_id = c.id AND NOT n.told AND CASE n.kind WHEN 'SOFT' THEN n.micros IS DISTINCT FROM b.soft_micros
            ELSE n.micros <> b.max_micros AND n.micros IS DISTINCT FROM b.raised_max_micros END AND b.id = ",
    )
    .bind(budget.id)
    .execute(conn)
    .await?;
    // The function returns void.
    Statement::new("SELECT limits_notice(ARRAY(SELECT id FROM limit_counters WHERE budget_id = ")
        .bind(budget.id)
        .sql(" AND since >= ")
        .bind(since)
        .sql(")) IS NULL AS noted")
        .execute(conn)
        .await?;
    Ok(())
}

/// Marks up to `limit` notices as told, and returns them. The usual amount of a budget that is raised waits until the raise is over; what
/// is told of an amount goes for the smaller ones too. Of two transactions that do this together each takes what the other leaves.
pub(crate) async fn take(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    limit: i64,
) -> db::Result<Vec<Notice>> {
    let statement = Statement::new(
        "WITH due AS (
            SELECT n.counter_id, n.since, n.kind, n.micros
            FROM budget_notices n JOIN limit_counters c ON c.id = n.counter_id JOIN budgets b ON b.id = c.budget_id
            WHERE NOT n.told AND (n.kind = 'SOFT' OR n.micros >= greatest(b.max_micros, CASE WHEN b.raised_until > ",
    )
    .bind(now)
    .sql(
        " THEN b.raised_max_micros END))
            ORDER BY n.counter_id, n.since LIMIT ",
    )
    .bind(limit)
    .sql(
        " FOR UPDATE OF n SKIP LOCKED
        ), told AS (
            UPDATE budget_notices n SET told = true FROM due WHERE n.counter_id = due.counter_id AND n.since = due.since
                AND n.kind = due.kind AND n.micros <= due.micros AND NOT n.told
        ), past AS (
            DELETE FROM budget_notices n USING due JOIN limit_counters c ON c.id = due.counter_id
            WHERE n.counter_id = due.counter_id AND n.told AND n.since < least(due.since, c.since)
        )
        SELECT json_build_object('counter_id', due.counter_id, 'since', due.since, 'kind', due.kind, 'micros', due.micros,
            'spent', CASE WHEN c.since = due.since THEN c.spent ELSE due.micros END, 'user_id', c.user_id, 'owner_id', k.owner_id, 'key_team_id', k.team_id, 'limits', to_jsonb(l), 'budget', to_jsonb(b))::text AS found
        FROM due JOIN limit_counters c ON c.id = due.counter_id JOIN budgets b ON b.id = c.budget_id JOIN limits l ON l.id = c.limit_id
        LEFT JOIN api_keys k ON k.id = l.api_key_id
        ORDER BY due.counter_id, due.since, due.kind DESC, due.micros",
    );
    let rows: Vec<Json> = statement.load(conn).await?;
    let mut notices: Vec<(Uuid, Notice)> = Vec::with_capacity(rows.len());
    for row in rows {
        let (counter, notice) = read(&row.found)?;
        // Where two amounts of one budget are reached at once, the larger one says it.
        let same = |(of, last): &(Uuid, Notice)| {
            *of == counter
                && last.since == notice.since
                && last.reached.is_max() == notice.reached.is_max()
        };
        notices.pop_if(|last| same(last));
        notices.push((counter, notice));
    }
    Ok(notices.into_iter().map(|(_, notice)| notice).collect())
}

fn read(text: &str) -> db::Result<(Uuid, Notice)> {
    let wrong = |error: String| db::Failure::Other(format!("a notice of a budget: {error}"));
    let found: Found = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let subject = found.limits.subject();
    let subject = subject.ok_or_else(|| wrong("of no subject".into()))?;
    let budget = found.budget.read();
    let amount = Usd::from_micros(found.micros);
    let notice = Notice {
        subject,
        member: match subject {
            Subject::EachMember(_) => found.user_id,
            _ => subject.member_of(None),
        },
        key_of: found.owner_id.map(|owner| (owner, found.key_team_id)),
        budget: budget.map_err(|error| wrong(error.cause.unwrap_or_default()))?,
        since: found.since,
        reached: match found.kind.as_str() {
            "SOFT" => Reached::Soft(amount),
            _ => Reached::Max(amount),
        },
        spent: Usd::from_micros(found.spent),
    };
    Ok((found.counter_id, notice))
}
