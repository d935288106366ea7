//! SQL of the policy.

use chrono::TimeDelta;
use diesel::QueryableByName;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Deserialize;
use uuid::Uuid;

use crate::db::statement::Statement;
use crate::db::{self, Failure};
use crate::permissions::model::{InstanceRole, TeamRole};
use crate::policy::model::{KeyField, KeyRules, Policy};
use crate::teams::model::NewMembership;

#[derive(QueryableByName)]
struct Json {
    #[diesel(sql_type = Text)]
    found: String,
}

#[derive(Deserialize)]
struct Found {
    rules: Rules,
    teams: Vec<Team>,
}

#[derive(Deserialize)]
struct Rules {
    user_role: InstanceRole,
    personal_key_makers: Option<Vec<InstanceRole>>,
    team_key_makers: Option<Vec<TeamRole>>,
    required_key_fields: Vec<KeyField>,
    max_lifetime_seconds: Option<i64>,
    max_keys_per_user: Option<i64>,
    second_factor_roles: Vec<InstanceRole>,
}

#[derive(Deserialize)]
struct Team {
    team_id: Uuid,
    role: TeamRole,
}

/// The policy, if it was ever changed.
pub(super) async fn policy(conn: &mut AsyncPgConnection) -> db::Result<Option<Policy>> {
    let statement = Statement::new(
        "SELECT jsonb_build_object('rules', to_jsonb(p), 'teams', (
            SELECT coalesce(jsonb_agg(jsonb_build_object('team_id', t.id, 'role', u.role) ORDER BY t.id), '[]'::jsonb)
            FROM unnest(p.team_ids, p.team_roles) AS u (id, role) JOIN teams t ON t.id = u.id))::text AS found
        FROM policies p WHERE p.id",
    );
    let found: Vec<Json> = statement.load(conn).await?;
    let Some(json) = found.into_iter().next() else {
        return Ok(None);
    };
    let found: Found = serde_json::from_str(&json.found)
        .map_err(|error| Failure::Other(format!("the policy: {error}")))?;
    let rules = found.rules;
    let teams = found.teams.iter().map(|each| NewMembership {
        team: each.team_id,
        role: each.role,
    });
    Ok(Some(Policy {
        user_role: rules.user_role,
        teams: teams.collect(),
        keys: KeyRules {
            personal_makers: rules.personal_key_makers,
            team_makers: rules.team_key_makers,
            required: rules.required_key_fields,
            max_lifetime: rules.max_lifetime_seconds.map(TimeDelta::seconds),
            max_per_user: rules.max_keys_per_user,
        },
        second_factor_roles: rules.second_factor_roles,
    }))
}

/// Stores the policy as it is now.
pub(super) async fn put(conn: &mut AsyncPgConnection, policy: &Policy) -> db::Result<()> {
    let keys = &policy.keys;
    let (teams, roles): (Vec<Uuid>, Vec<TeamRole>) = policy
        .teams
        .iter()
        .map(|each| (each.team, each.role))
        .unzip();
    let row = serde_json::json!({
        "id": true, "user_role": policy.user_role, "team_ids": teams, "team_roles": roles, "personal_key_makers": keys.personal_makers, "team_key_makers": keys.team_makers,
        "required_key_fields": keys.required, "max_lifetime_seconds": keys.max_lifetime.map(|life| life.num_seconds()),
        "max_keys_per_user": keys.max_per_user, "second_factor_roles": policy.second_factor_roles,
    });
    Statement::new("INSERT INTO policies SELECT * FROM jsonb_populate_record(NULL::policies, ")
        .bind(row)
        .sql(
            ") ON CONFLICT (id) DO UPDATE SET user_role = excluded.user_role, team_ids = excluded.team_ids,
                team_roles = excluded.team_roles, personal_key_makers = excluded.personal_key_makers,
                team_key_makers = excluded.team_key_makers, required_key_fields = excluded.required_key_fields,
                max_lifetime_seconds = excluded.max_lifetime_seconds, max_keys_per_user = excluded.max_keys_per_user,
                second_factor_roles = excluded.second_factor_roles",
        )
        .execute(conn)
        .await?;
    Ok(())
}
