//! Everything `check` needs about a holder, in one statement: the user, the key, the teams with their ancestors, and the
//! permissions of all of them.

use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::sql_types::{Bool, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::db;
use crate::db::statement::Statement;

/// Whom the facts are about.
#[derive(Debug, Clone)]
pub(crate) enum Holders {
    /// Users by id.
    Users(Vec<Uuid>),
    /// Keys by id.
    ApiKeys(Vec<Uuid>),
    /// Keys by the digest of their secret, the present one or one that is being replaced.
    Digests(Vec<Vec<u8>>),
    /// Teams by id.
    Teams(Vec<Uuid>),
}

/// A session as the statement returns it, with its user.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct SessionRow {
    #[diesel(sql_type = SqlUuid)]
    pub session_id: Uuid,
    #[diesel(sql_type = Bytea)]
    pub session_digest: Vec<u8>,
    #[diesel(sql_type = Timestamptz)]
    pub session_expires_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub session_last_used_at: DateTime<Utc>,
    /// Whether its user has a second factor.
    #[diesel(sql_type = Bool)]
    pub has_factor: bool,
    /// Whether users of that role must have one; `None` where the policy was never changed.
    #[diesel(sql_type = Nullable<Bool>)]
    pub factor_required: Option<bool>,
    #[diesel(embed)]
    pub holder: HolderRow,
}

/// One holder as the statement returns it. JSON members are read by `ops::facts`.
#[derive(Debug, Clone, QueryableByName)]
pub(crate) struct HolderRow {
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub user_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub username: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub user_role: Option<String>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub user_enabled: Option<bool>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub user_expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub user_created_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub team_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub key_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub key_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub key_team_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub key_restricted: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    pub key_enabled: Option<bool>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub key_expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Bytea>)]
    pub key_digest: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Bytea>)]
    pub key_previous_digest: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub key_previous_secret_expires_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<diesel::sql_types::Array<Text>>)]
    pub key_allowed_cidrs: Option<Vec<String>>,
    /// Whether the team that the key was made for is enabled; `None` where it was made for none.
    #[diesel(sql_type = Nullable<Bool>)]
    pub key_team_enabled: Option<bool>,
    #[diesel(sql_type = Nullable<Text>)]
    pub teams: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub permissions: Option<String>,
}

const OF_SESSIONS: &str =
    "SELECT s.id AS session_id, s.digest AS session_digest, s.expires_at AS session_expires_at,
    s.last_used_at AS session_last_used_at, EXISTS (SELECT 1 FROM second_factors f WHERE f.user_id = u.id) AS has_factor,
    (SELECT u.role = ANY(p.second_factor_roles) FROM policies p WHERE p.id) AS factor_required, ";
const OF_HOLDERS: &str = "u.id AS user_id, u.username, u.role AS user_role, u.enabled AS user_enabled,
    u.expires_at AS user_expires_at, u.created_at AS user_created_at, g.id AS team_id, k.id AS key_id, k.name AS key_name, k.team_id AS key_team_id,
    k.restricted AS key_restricted, k.enabled AS key_enabled, k.expires_at AS key_expires_at, k.digest AS key_digest,
    k.previous_digest AS key_previous_digest, k.previous_secret_expires_at AS key_previous_secret_expires_at,
    k.allowed_cidrs AS key_allowed_cidrs, (SELECT t.enabled FROM teams t WHERE t.id = k.team_id) AS key_team_enabled,
    t.teams, p.permissions FROM ";

// Members of the arrays, in order: id, parent_id, role, enabled, since, until — and id, user_id, team_id, api_key_id, path,
// role_id, role name, privileges, propagate, expires_at, created_by, created_at.
const LATERALS: &str = " LEFT JOIN LATERAL (
    WITH RECURSIVE tree (id, parent_id, role, enabled, since, until) AS (
        SELECT t.id, t.parent_id, m.role, t.enabled, m.since, m.expires_at
        FROM team_memberships m JOIN teams t ON t.id = m.team_id WHERE m.user_id = u.id
        UNION SELECT t.id, t.parent_id, NULL, t.enabled, t.created_at, NULL FROM teams t WHERE t.id = g.id
        UNION SELECT t.id, t.parent_id, NULL, t.enabled, t.created_at, NULL FROM tree JOIN teams t ON t.id = tree.parent_id
    ) SELECT array_agg(id) AS ids, json_agg(json_build_array(id, parent_id, role, enabled, since, until))::text AS teams FROM tree
) t ON true LEFT JOIN LATERAL (
    SELECT json_agg(json_build_array(p.id, p.user_id, p.team_id, p.api_key_id, p.path, p.role_id, r.name, r.privileges,
        p.propagate, p.expires_at, p.created_by, p.created_at))::text AS permissions
    FROM (SELECT * FROM permissions WHERE user_id = u.id
          UNION ALL SELECT * FROM permissions WHERE team_id = ANY(t.ids)
          UNION ALL SELECT * FROM permissions WHERE api_key_id = k.id) p
    JOIN roles r ON r.id = p.role_id
) p ON true WHERE ";

const NO_TEAM: &str = " LEFT JOIN teams g ON false";
const KEYS: &str = "api_keys k JOIN users u ON u.id = k.owner_id";

pub(crate) async fn load(
    conn: &mut AsyncPgConnection,
    holders: Holders,
) -> db::Result<Vec<HolderRow>> {
    let begin = Statement::new("SELECT ").sql(OF_HOLDERS);
    let statement = match holders {
        Holders::Users(ids) => begin
            .sql("users u LEFT JOIN api_keys k ON false")
            .sql(NO_TEAM)
            .sql(LATERALS)
            .sql("u.id = ANY(")
            .bind(ids)
            .sql(")"),
        Holders::ApiKeys(ids) => begin
            .sql(KEYS)
            .sql(NO_TEAM)
            .sql(LATERALS)
            .sql("k.id = ANY(")
            .bind(ids)
            .sql(")"),
        Holders::Digests(digests) => begin
            .sql(KEYS)
            .sql(NO_TEAM)
            .sql(LATERALS)
            .sql("(k.digest = ANY(")
            .bind(digests.clone())
            .sql(") OR k.previous_digest = ANY(")
            .bind(digests)
            .sql("))"),
        Holders::Teams(ids) => begin
            .sql("teams g LEFT JOIN users u ON false LEFT JOIN api_keys k ON false")
            .sql(LATERALS)
            .sql("g.id = ANY(")
            .bind(ids)
            .sql(")"),
    };
    Ok(statement.load(conn).await?)
}

/// The sessions whose secrets have these digests, with what `check` needs about their users.
pub(crate) async fn sessions(
    conn: &mut AsyncPgConnection,
    digests: Vec<Vec<u8>>,
) -> db::Result<Vec<SessionRow>> {
    let statement = Statement::new(OF_SESSIONS)
        .sql(OF_HOLDERS)
        .sql("sessions s JOIN users u ON u.id = s.user_id LEFT JOIN api_keys k ON false")
        .sql(NO_TEAM)
        .sql(LATERALS)
        .sql("s.digest = ANY(")
        .bind(digests)
        .sql(")");
    Ok(statement.load(conn).await?)
}
