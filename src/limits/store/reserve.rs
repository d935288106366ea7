//! The statements that reserve and settle; `migrations/` has the functions that they call.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use uuid::Uuid;

use crate::db;
use crate::db::statement::{Bind, Statement};

/// Requests that want to reserve, as `limits_reserve` takes them: lists of counters in the order of their ids, of groups, and of ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    /// The present.
    pub at: DateTime<Utc>,
    /// When what is reserved runs out.
    pub expires_at: DateTime<Utc>,
    /// Whether what has run out is charged; else it is released.
    pub charging: bool,
    ids: Vec<Uuid>,
    limits: Vec<Uuid>,
    budgets: Vec<Option<Uuid>>,
    members: Vec<Option<Uuid>>,
    sinces: Vec<Option<DateTime<Utc>>>,
    /// What is allowed of each counter: money, requests, tokens, open reservations.
    most: [Vec<Option<i64>>; 4],
    /// What all requests together would add to each.
    adds: [Vec<i64>; 4],
    uses: Vec<Uuid>,
    places: Vec<i64>,
    first_uses: Vec<i64>,
    last_uses: Vec<i64>,
    sizes: Vec<i64>,
    requests: Vec<i64>,
    tokens: Vec<i64>,
    micros: Vec<i64>,
    stands: Vec<bool>,
    askers: Vec<Option<Uuid>>,
    keys: Vec<Option<Uuid>>,
    users: Vec<Uuid>,
    teams: Vec<Option<Uuid>>,
    resources: Vec<String>,
    reservations: Vec<Uuid>,
    first_ids: Vec<i64>,
}

/// A counter that something is counted on, and what is allowed of it at this moment.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    /// Its id.
    pub id: Uuid,
    /// The row that the limit is in.
    pub limit: Uuid,
    /// Which budget it counts; else it counts the minute, and what is open.
    pub budget: Option<Uuid>,
    /// Whose, of limits for each member.
    pub member: Option<Uuid>,
    /// Of a budget: from when on it counts.
    pub since: Option<DateTime<Utc>>,
    /// What is allowed: micro-dollars, requests, tokens, open reservations.
    pub most: [Option<i64>; 4],
}

/// Requests that are alike.
#[derive(Debug, Clone)]
pub(crate) struct Group<'a> {
    /// The user who asks.
    pub asker: Option<Uuid>,
    /// For which key, of whom, for which team.
    pub key: Option<Uuid>,
    pub user: Uuid,
    pub team: Option<Uuid>,
    /// What one costs: micro-dollars, requests, tokens.
    pub cost: [i64; 3],
    /// What is used: a path.
    pub resource: &'a str,
    /// Whether they stand until they are settled.
    pub stands: bool,
    /// Their ids.
    pub ids: Vec<Uuid>,
}

/// What came of a batch: lists of groups, and lists of counters.
#[derive(QueryableByName)]
pub(crate) struct Told {
    /// How many of each group pass.
    #[diesel(sql_type = Array<BigInt>)]
    pub passed: Vec<i64>,
    /// What stopped the next one of each: the place of its counter, counted from 1, and the kind of limit.
    #[diesel(sql_type = Array<Nullable<Text>>)]
    pub stoppers: Vec<Option<String>>,
    /// What is used of each counter: spent and reserved micro-dollars, requests, tokens, open reservations.
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    pub used_usd: Option<Vec<i64>>,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    pub used_req: Option<Vec<i64>>,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    pub used_tok: Option<Vec<i64>>,
    #[diesel(sql_type = Nullable<Array<BigInt>>)]
    pub used_par: Option<Vec<i64>>,
}

impl Batch {
    /// Of these counters, which come in the order of their ids.
    pub(crate) fn new<'a>(counters: impl ExactSizeIterator<Item = &'a Counter>) -> Self {
        let count = counters.len();
        let mut batch = Batch {
            adds: [(); 4].map(|()| vec![0; count]),
            ..Batch::default()
        };
        for counter in counters {
            batch.ids.push(counter.id);
            batch.limits.push(counter.limit);
            batch.budgets.push(counter.budget);
            batch.members.push(counter.member);
            batch.sinces.push(counter.since);
            for (all, most) in batch.most.iter_mut().zip(counter.most) {
                all.push(most);
            }
        }
        batch
    }

    /// Where the counter stands.
    pub(crate) fn place(&self, id: Uuid) -> Option<usize> {
        self.ids.binary_search(&id).ok()
    }

    /// Adds a group that is counted on these.
    pub(crate) fn add(&mut self, group: Group<'_>, uses: &[Uuid]) {
        let size = group.ids.len() as i64;
        let [micros, requests, tokens] = group.cost;
        self.first_uses.push(self.uses.len() as i64 + 1);
        for id in uses {
            let Some(place) = self.place(*id) else {
                continue;
            };
            let adds = match self.budgets[place] {
                Some(_) => [micros, 0, 0, 0],
                None => [0, requests, tokens, i64::from(group.stands)],
            };
            for (all, add) in self.adds.iter_mut().zip(adds) {
                all[place] = all[place].saturating_add(add.saturating_mul(size));
            }
            self.uses.push(*id);
            self.places.push(place as i64 + 1);
        }
        self.last_uses.push(self.uses.len() as i64);
        self.sizes.push(size);
        self.micros.push(micros);
        self.requests.push(requests);
        self.tokens.push(tokens);
        self.stands.push(group.stands);
        self.askers.push(group.asker);
        self.keys.push(group.key);
        self.users.push(group.user);
        self.teams.push(group.team);
        self.resources.push(group.resource.to_owned());
        self.first_ids.push(self.reservations.len() as i64 + 1);
        self.reservations.extend(group.ids);
    }
}

/// Reserves for a batch of requests.
pub(crate) async fn reserve(conn: &mut AsyncPgConnection, batch: Batch) -> db::Result<Told> {
    let mut statement = Statement::new("SELECT * FROM limits_reserve(").bind(batch.at);
    let [most_usd, most_req, most_tok, most_par] = batch.most;
    let [add_usd, add_req, add_tok, add_par] = batch.adds;
    let binds: [Bind; 31] = [
        batch.expires_at.into(),
        batch.charging.into(),
        batch.ids.into(),
        batch.limits.into(),
        batch.budgets.into(),
        batch.members.into(),
        batch.sinces.into(),
        most_usd.into(),
        most_req.into(),
        most_tok.into(),
        most_par.into(),
        add_usd.into(),
        add_req.into(),
        add_tok.into(),
        add_par.into(),
        batch.uses.into(),
        batch.places.into(),
        batch.first_uses.into(),
        batch.last_uses.into(),
        batch.sizes.into(),
        batch.requests.into(),
        batch.tokens.into(),
        batch.micros.into(),
        batch.stands.into(),
        batch.askers.into(),
        batch.keys.into(),
        batch.users.into(),
        batch.teams.into(),
        batch.resources.into(),
        batch.reservations.into(),
        batch.first_ids.into(),
    ];
    for bind in binds {
        statement = statement.sql(", ").bind(bind);
    }
    let rows: Vec<Told> = statement.sql(")").load(conn).await?;
    rows.into_iter().next().ok_or_else(no_row)
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    told: String,
}

/// Settles a batch of reservations; the answer is JSON.
pub(crate) async fn settle(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    batch: Value,
) -> db::Result<String> {
    let statement = Statement::new("SELECT limits_settle(").bind(now);
    told(conn, statement.sql(", ").bind(batch).sql(") AS told")).await
}

/// Charges or releases some of what has run out, the oldest first; whether there was any.
pub(crate) async fn lapse(
    conn: &mut AsyncPgConnection,
    now: DateTime<Utc>,
    charging: bool,
) -> db::Result<bool> {
    let statement = Statement::new("SELECT (limits_lapse(")
        .bind(now)
        .sql(", ")
        .bind(charging)
        .sql(", '{}') > 0)::text AS told");
    Ok(told(conn, statement).await? == "true")
}

async fn told(conn: &mut AsyncPgConnection, statement: Statement) -> db::Result<String> {
    let rows: Vec<Word> = statement.load(conn).await?;
    let one = rows.into_iter().next();
    one.map(|row| row.told).ok_or_else(no_row)
}

fn no_row() -> db::Failure {
    db::Failure::Other("a function gave no row".into())
}
