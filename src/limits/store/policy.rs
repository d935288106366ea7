//! SQL of the policy for limits.

use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::{Deserialize, Serialize};

use super::rows::{Json, WindowColumns};
use crate::db;
use crate::db::statement::Statement;
use crate::limits::amount::Usd;
use crate::limits::model::{NewBudget, Rates};
use crate::limits::policy::{LimitPolicy, Preset};

/// A row of the table of policies.
#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    requests_per_minute: Option<i64>,
    tokens_per_minute: Option<i64>,
    max_parallel: Option<i64>,
    budgets: Vec<BudgetRow>,
}

/// A budget within it.
#[derive(Serialize, Deserialize)]
struct BudgetRow {
    name: String,
    max_micros: i64,
    soft_micros: Option<i64>,
    #[serde(flatten)]
    window: WindowColumns,
}

const USERS: &str = "USER_DEFAULTS";
const KEYS: &str = "API_KEY_DEFAULTS";
const BOUNDS: &str = "API_KEY_BOUNDS";

/// The policy. Where nothing was ever said, nothing is limited.
pub(crate) async fn policy(conn: &mut AsyncPgConnection) -> db::Result<LimitPolicy> {
    let names: Vec<String> = [USERS, KEYS, BOUNDS].map(str::to_owned).into();
    let statement = Statement::new(
        "SELECT to_jsonb(p)::text AS found FROM limit_policies p WHERE p.name = ANY(",
    )
    .bind(names)
    .sql(")");
    let found: Vec<Json> = statement.load(conn).await?;
    let wrong = |error: String| db::Failure::Other(format!("the policy for limits: {error}"));
    let mut policy = LimitPolicy::default();
    for json in found {
        let row: Row =
            serde_json::from_str(&json.found).map_err(|error| wrong(error.to_string()))?;
        let name = row.name.clone();
        let preset = row.read();
        let preset = preset.map_err(|error| wrong(error.cause.unwrap_or_default()))?;
        match name.as_str() {
            USERS => policy.user_defaults = preset,
            KEYS => policy.api_key_defaults = preset,
            _ => policy.api_key_bounds = preset,
        }
    }
    Ok(policy)
}

/// Stores the policy as it is now.
pub(crate) async fn put(conn: &mut AsyncPgConnection, policy: &LimitPolicy) -> db::Result<()> {
    let rows = [
        Row::of(USERS, &policy.user_defaults),
        Row::of(KEYS, &policy.api_key_defaults),
        Row::of(BOUNDS, &policy.api_key_bounds),
    ];
    let rows = serde_json::to_value(rows).map_err(|error| db::Failure::Other(error.to_string()))?;
    Statement::new(
        "INSERT INTO limit_policies SELECT * FROM jsonb_populate_recordset(NULL::limit_policies, ",
    )
    .bind(rows)
    .sql(
        ") ON CONFLICT (name) DO UPDATE SET requests_per_minute = excluded.requests_per_minute,
            tokens_per_minute = excluded.tokens_per_minute, max_parallel = excluded.max_parallel,
            budgets = excluded.budgets",
    )
    .execute(conn)
    .await?;
    Ok(())
}

impl Row {
    fn of(name: &str, preset: &Preset) -> Self {
        Row {
            name: name.to_owned(),
            requests_per_minute: preset.rates.requests,
            tokens_per_minute: preset.rates.tokens,
            max_parallel: preset.rates.parallel,
            budgets: preset.budgets.iter().map(BudgetRow::of).collect(),
        }
    }

    fn read(self) -> crate::error::Result<Preset> {
        let budgets = self.budgets.into_iter().map(BudgetRow::read);
        Ok(Preset {
            rates: Rates {
                requests: self.requests_per_minute,
                tokens: self.tokens_per_minute,
                parallel: self.max_parallel,
            },
            budgets: budgets.collect::<crate::error::Result<_>>()?,
        })
    }
}

impl BudgetRow {
    fn of(budget: &NewBudget) -> Self {
        BudgetRow {
            name: budget.name.clone(),
            max_micros: budget.max.micros(),
            soft_micros: budget.soft.map(Usd::micros),
            window: WindowColumns::of(&budget.window),
        }
    }

    fn read(self) -> crate::error::Result<NewBudget> {
        Ok(NewBudget {
            name: self.name,
            max: Usd::from_micros(self.max_micros),
            soft: self.soft_micros.map(Usd::from_micros),
            window: self.window.read()?,
            include_past_spend: false,
            increase: None,
        })
    }
}
