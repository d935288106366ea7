//! SQL of limits and budgets, with what is used of them.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::db;
use crate::db::statement::Statement;
use crate::error::Error;
use crate::limits::amount::Usd;
use crate::limits::model::{Budget, Counter, Held, Increase, Lapsed, Limits, Rates, Subject};
use crate::limits::window::{Every, Unit, Window, Zone};

/// A row of the table of limits.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct LimitsRow {
    id: Uuid,
    subject: String,
    api_key_id: Option<Uuid>,
    user_id: Option<Uuid>,
    team_id: Option<Uuid>,
    each_member: bool,
    requests_per_minute: Option<i64>,
    tokens_per_minute: Option<i64>,
    max_parallel: Option<i64>,
    raised_requests_per_minute: Option<i64>,
    raised_tokens_per_minute: Option<i64>,
    raised_max_parallel: Option<i64>,
    raised_until: Option<DateTime<Utc>>,
}

impl LimitsRow {
    fn of(subject: Subject, limits: &Limits) -> Self {
        let (mut api_key_id, mut user_id, mut team_id) = (None, None, None);
        match subject {
            Subject::ApiKey(id) => api_key_id = Some(id),
            Subject::User(id) => user_id = Some(id),
            Subject::Team(id) | Subject::EachMember(id) => team_id = Some(id),
            Subject::Member { team, user } => (team_id, user_id) = (Some(team), Some(user)),
        }
        let raised = limits
            .increase
            .map(|increase| increase.rates)
            .unwrap_or_default();
        LimitsRow {
            id: limits.id,
            subject: subject.word(),
            api_key_id,
            user_id,
            team_id,
            each_member: matches!(subject, Subject::EachMember(_)),
            requests_per_minute: limits.rates.requests,
            tokens_per_minute: limits.rates.tokens,
            max_parallel: limits.rates.parallel,
            raised_requests_per_minute: raised.requests,
            raised_tokens_per_minute: raised.tokens,
            raised_max_parallel: raised.parallel,
            raised_until: limits.increase.map(|increase| increase.until),
        }
    }

    /// Whose they are.
    pub(super) fn subject(&self) -> Option<Subject> {
        match (self.api_key_id, self.team_id, self.user_id) {
            (Some(id), None, None) => Some(Subject::ApiKey(id)),
            (None, None, Some(id)) => Some(Subject::User(id)),
            (None, Some(team), Some(user)) => Some(Subject::Member { team, user }),
            (None, Some(id), None) if self.each_member => Some(Subject::EachMember(id)),
            (None, Some(id), None) => Some(Subject::Team(id)),
            _ => None,
        }
    }

    fn read(self, budgets: Vec<Budget>) -> Limits {
        Limits {
            id: self.id,
            rates: Rates {
                requests: self.requests_per_minute,
                tokens: self.tokens_per_minute,
                parallel: self.max_parallel,
            },
            increase: self.raised_until.map(|until| Increase {
                rates: Rates {
                    requests: self.raised_requests_per_minute,
                    tokens: self.raised_tokens_per_minute,
                    parallel: self.raised_max_parallel,
                },
                until,
            }),
            budgets,
        }
    }
}

/// A row of the table of budgets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BudgetRow {
    id: Uuid,
    limit_id: Uuid,
    name: String,
    max_micros: i64,
    soft_micros: Option<i64>,
    #[serde(flatten)]
    window: WindowColumns,
    include_past_spend: bool,
    armed_at: DateTime<Utc>,
    raised_max_micros: Option<i64>,
    raised_until: Option<DateTime<Utc>>,
}

impl BudgetRow {
    /// The row of a budget.
    fn of(limits: Uuid, budget: &Budget) -> Self {
        BudgetRow {
            id: budget.id,
            limit_id: limits,
            name: budget.name.clone(),
            max_micros: budget.max.micros(),
            soft_micros: budget.soft.map(Usd::micros),
            window: WindowColumns::of(&budget.window),
            include_past_spend: budget.include_past_spend,
            armed_at: budget.armed_at,
            raised_max_micros: budget.increase.map(|(max, _)| max.micros()),
            raised_until: budget.increase.map(|(_, until)| until),
        }
    }

    /// The budget that the row says.
    ///
    /// # Errors
    /// An internal one where the row makes no sense.
    pub(super) fn read(self) -> crate::error::Result<Budget> {
        Ok(Budget {
            id: self.id,
            name: self.name,
            max: Usd::from_micros(self.max_micros),
            soft: self.soft_micros.map(Usd::from_micros),
            window: self.window.read()?,
            include_past_spend: self.include_past_spend,
            armed_at: self.armed_at,
            increase: self
                .raised_max_micros
                .map(Usd::from_micros)
                .zip(self.raised_until),
        })
    }
}

/// The four columns in which a window is stored; without them it is a lifetime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct WindowColumns {
    window_count: Option<i32>,
    window_unit: Option<String>,
    window_anchor: Option<DateTime<Utc>>,
    window_zone: Option<String>,
}

impl WindowColumns {
    /// The columns of a window.
    pub(super) fn of(window: &Window) -> Self {
        let every = match window {
            Window::Lifetime => None,
            Window::Every(every) => Some(every),
        };
        WindowColumns {
            window_count: every.map(Every::count),
            window_unit: every.map(|every| every.unit().as_str().to_owned()),
            window_anchor: every.map(Every::anchor),
            window_zone: every.map(|every| every.zone().name().to_owned()),
        }
    }

    /// The window that they say.
    ///
    /// # Errors
    /// An internal one where they make no sense.
    pub(super) fn read(self) -> crate::error::Result<Window> {
        let wrong = || Error::internal("a stored budget has a window that cannot be read");
        let (Some(count), Some(unit), Some(anchor), Some(zone)) = (
            self.window_count,
            self.window_unit,
            self.window_anchor,
            self.window_zone,
        ) else {
            return Ok(Window::Lifetime);
        };
        let unit: Unit = unit.parse().map_err(|()| wrong())?;
        let zone = Zone::parse("", &zone).map_err(|_| wrong())?;
        let every = Every::new("", count, unit, anchor, zone).map_err(|_| wrong())?;
        Ok(Window::Every(every))
    }
}

#[derive(Deserialize)]
struct Found {
    limits: LimitsRow,
    budgets: Vec<BudgetRow>,
    counters: Vec<Counter>,
    lapsed: Vec<Lapsed>,
}

#[derive(QueryableByName)]
pub(super) struct Json {
    #[diesel(sql_type = Text)]
    pub(super) found: String,
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    #[expect(dead_code, reason = "a row must have a column")]
    locked: bool,
}

/// The limits of these subjects, by the words for them, with what is used as of `now` (of limits for each member by these users); without
/// it if there is no `now`.
pub(crate) async fn held(
    conn: &mut AsyncPgConnection,
    subjects: Vec<String>,
    users: Vec<Uuid>,
    now: Option<DateTime<Utc>>,
) -> db::Result<Vec<(String, Held)>> {
    let statement = Statement::new(
        "SELECT json_build_object('limits', to_jsonb(l),
            'budgets', (SELECT coalesce(json_agg(b ORDER BY b.name), '[]') FROM budgets b WHERE b.limit_id = l.id),
            'counters', (SELECT coalesce(json_agg(c), '[]') FROM limit_counters c
                WHERE ",
    )
    .bind(now.is_some())
    .sql(
        " AND c.limit_id = l.id AND (c.user_id IS NULL OR c.user_id = ANY(",
    )
    .bind(users)
    .sql(
        "))),
            'lapsed', (SELECT coalesce(json_agg(json_build_object('at', r.at, 'counters', r.counters, 'micros', r.micros)), '[]')
                FROM reservations r WHERE r.expires_at <= ",
    )
    .bind(now)
    .sql("))::text AS found FROM limits l WHERE l.subject = ANY(")
    .bind(subjects)
    .sql(")");
    let rows: Vec<Json> = statement.load(conn).await?;
    rows.into_iter().map(|row| read(&row.found)).collect()
}

fn read(text: &str) -> db::Result<(String, Held)> {
    let wrong = |error: String| db::Failure::Other(format!("stored limits: {error}"));
    let found: Found = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let budgets = found.budgets.into_iter().map(BudgetRow::read);
    let budgets: Vec<Budget> = budgets
        .collect::<crate::error::Result<_>>()
        .map_err(|error| wrong(error.cause.unwrap_or_default()))?;
    let word = found.limits.subject.clone();
    let held = Held {
        limits: found.limits.read(budgets),
        counters: found.counters,
        lapsed: found.lapsed,
    };
    Ok((word, held))
}

/// Locks the subject until the transaction ends, so that two changes of its limits follow one another. False if there is none.
pub(crate) async fn lock(conn: &mut AsyncPgConnection, subject: Subject) -> db::Result<bool> {
    const END: &str = " FOR NO KEY UPDATE";
    let of = |sql: &'static str, id: Uuid| Statement::new(sql).bind(id);
    let statement = match subject {
        Subject::ApiKey(id) => of("SELECT true AS locked FROM api_keys WHERE id = ", id),
        Subject::User(id) => of("SELECT true AS locked FROM users WHERE id = ", id),
        Subject::Team(id) | Subject::EachMember(id) => {
            of("SELECT true AS locked FROM teams WHERE id = ", id)
        }
        Subject::Member { team, user } => of(
            "SELECT true AS locked FROM team_memberships WHERE team_id = ",
            team,
        )
        .sql(" AND user_id = ")
        .bind(user),
    };
    let rows: Vec<Locked> = statement.sql(END).load(conn).await?;
    Ok(!rows.is_empty())
}

/// Stores the limits of a subject as they are now, with these budgets and no others.
pub(crate) async fn put(
    conn: &mut AsyncPgConnection,
    subject: Subject,
    limits: &Limits,
) -> db::Result<()> {
    let written = |value: serde_json::Result<serde_json::Value>| {
        value.map_err(|error| db::Failure::Other(error.to_string()))
    };
    let row = written(serde_json::to_value(LimitsRow::of(subject, limits)))?;
    Statement::new("INSERT INTO limits SELECT * FROM jsonb_populate_record(NULL::limits, ")
        .bind(row)
        .sql(
            ") ON CONFLICT (id) DO UPDATE SET requests_per_minute = excluded.requests_per_minute,
            tokens_per_minute = excluded.tokens_per_minute, max_parallel = excluded.max_parallel,
            raised_requests_per_minute = excluded.raised_requests_per_minute,
            raised_tokens_per_minute = excluded.raised_tokens_per_minute,
            raised_max_parallel = excluded.raised_max_parallel, raised_until = excluded.raised_until",
        )
        .execute(conn)
        .await?;
    let kept: Vec<Uuid> = limits.budgets.iter().map(|budget| budget.id).collect();
    Statement::new("DELETE FROM budgets WHERE limit_id = ")
        .bind(limits.id)
        .sql(" AND id <> ALL(")
        .bind(kept)
        .sql(")")
        .execute(conn)
        .await?;
    if limits.budgets.is_empty() {
        return Ok(());
    }
    let rows: Vec<BudgetRow> = limits
        .budgets
        .iter()
        .map(|budget| BudgetRow::of(limits.id, budget))
        .collect();
    Statement::new("INSERT INTO budgets SELECT * FROM jsonb_populate_recordset(NULL::budgets, ")
        .bind(written(serde_json::to_value(rows))?)
        .sql(
            ") ON CONFLICT (id) DO UPDATE SET max_micros = excluded.max_micros, soft_micros = excluded.soft_micros,
            window_count = excluded.window_count, window_unit = excluded.window_unit,
            window_anchor = excluded.window_anchor, window_zone = excluded.window_zone,
            include_past_spend = excluded.include_past_spend, raised_max_micros = excluded.raised_max_micros,
            raised_until = excluded.raised_until",
        )
        .execute(conn)
        .await?;
    Ok(())
}
