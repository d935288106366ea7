//! The statement that records events; `migrations/` has the function that it calls.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{self, Array};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::db;
use crate::db::statement::Statement;
use crate::usage::model::Measures;

/// Events as the function takes them: a list for each column.
pub(crate) struct Batch {
    now: DateTime<Utc>,
    asker: Option<Uuid>,
    /// The months that the events lie in.
    pub months: Vec<DateTime<Utc>>,
    /// Events that may be known in another month, between these two moments.
    looking: Vec<Uuid>,
    between: Option<(DateTime<Utc>, DateTime<Utc>)>,
    ids: Vec<Uuid>,
    ats: Vec<DateTime<Utc>>,
    kinds: Vec<i64>,
    measures: [Vec<i64>; 6],
    users: Vec<Uuid>,
    keys: Vec<Option<Uuid>>,
    teams: Vec<Option<Uuid>>,
    resources: Vec<String>,
    tags: Vec<String>,
    counters: Vec<String>,
    counting: Value,
}

/// What many events have in common.
pub(crate) struct Kind<'a> {
    pub user: Uuid,
    pub key: Option<Uuid>,
    pub team: Option<Uuid>,
    pub resource: String,
    pub tags: &'a [String],
    /// Where they count.
    pub counters: &'a [Uuid],
}

#[derive(QueryableByName)]
struct Known {
    #[diesel(sql_type = Array<sql_types::Uuid>)]
    known: Vec<Uuid>,
}

impl Batch {
    /// Without events.
    pub(crate) fn new(now: DateTime<Utc>, asker: Option<Uuid>, counting: Value) -> Self {
        Batch {
            now,
            asker,
            months: Vec::new(),
            looking: Vec::new(),
            between: None,
            ids: Vec::new(),
            ats: Vec::new(),
            kinds: Vec::new(),
            measures: Default::default(),
            users: Vec::new(),
            keys: Vec::new(),
            teams: Vec::new(),
            resources: Vec::new(),
            tags: Vec::new(),
            counters: Vec::new(),
            counting,
        }
    }

    /// Adds a kind of events; answers with its place, by which they name it.
    pub(crate) fn add_kind(&mut self, kind: Kind<'_>) -> usize {
        self.users.push(kind.user);
        self.keys.push(kind.key);
        self.teams.push(kind.team);
        self.resources.push(kind.resource);
        // No tag has a control character.
        self.tags.push(kind.tags.join("\u{1f}"));
        let counters: Vec<String> = kind.counters.iter().map(Uuid::to_string).collect();
        self.counters.push(counters.join(","));
        self.users.len()
    }

    /// Adds an event.
    pub(crate) fn add(&mut self, id: Uuid, at: DateTime<Utc>, kind: usize, measures: Measures) {
        self.ids.push(id);
        self.ats.push(at);
        self.kinds.push(i64::try_from(kind).unwrap_or(i64::MAX));
        let Measures {
            requests,
            tokens,
            tokens_in,
            tokens_out,
            tokens_cached,
            micros,
        } = measures;
        let all = [
            requests,
            tokens,
            tokens_in,
            tokens_out,
            tokens_cached,
            micros,
        ];
        for (list, value) in self.measures.iter_mut().zip(all) {
            list.push(value);
        }
    }

    /// Lets an event of that month, which it is named by its beginning, be looked for in the month before.
    pub(crate) fn look_back(&mut self, id: Uuid, month: DateTime<Utc>) {
        let before = month
            .checked_sub_months(chrono::Months::new(1))
            .unwrap_or(month);
        let (from, to) = self.between.unwrap_or((before, month));
        self.looking.push(id);
        self.between = Some((from.min(before), to.max(month)));
    }
}

/// Records the events of a batch; answers with the ids of those that are known already.
pub(crate) async fn record(conn: &mut AsyncPgConnection, batch: Batch) -> db::Result<Vec<Uuid>> {
    let (from, to) = batch.between.unwrap_or((batch.now, batch.now));
    let mut statement = Statement::new("SELECT usage_record(")
        .bind(batch.now)
        .sql(", ")
        .bind(batch.asker)
        .sql(", ")
        .bind(batch.months)
        .sql(", ")
        .bind(batch.looking)
        .sql(", ")
        .bind(from)
        .sql(", ")
        .bind(to)
        .sql(", ")
        .bind(batch.ids)
        .sql(", ")
        .bind(batch.ats)
        .sql(", ")
        .bind(batch.kinds);
    for measure in batch.measures {
        statement = statement.sql(", ").bind(measure);
    }
    let statement = statement
        .sql(", ")
        .bind(batch.users)
        .sql(", ")
        .bind(batch.keys)
        .sql(", ")
        .bind(batch.teams)
        .sql(", ")
        .bind(batch.resources)
        .sql(", ")
        .bind(batch.tags)
        .sql(", ")
        .bind(batch.counters)
        .sql(", ")
        .bind(batch.counting)
        .sql(") AS known");
    let rows: Vec<Known> = statement.load(conn).await?;
    let one = rows.into_iter().next();
    one.map(|row| row.known)
        .ok_or_else(|| db::Failure::Other("a function gave no row".into()))
}
