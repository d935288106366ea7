//! What the tests over GraphQL begin with: teams and restricted keys, which other domains make, and the documents they send.

use keystead::db::ids::{Id, Kind};
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use keystead::users::model::User;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Client, TestApp};

/// An app with a member `ada`.
pub struct Fixture {
    pub app: TestApp,
    pub admin: Client,
    pub ada: Client,
    pub ada_id: String,
    user: User,
}

pub const UPDATE: &str =
    "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) {
    permissions { id path propagate expiresAt derived role { name } createdBy { username } }
    added changed removed } }";

pub const CHECK: &str = "query($principal: ID, $privilege: String!, $path: String!) {
    checkPermission(principal: $principal, privilege: $privilege, path: $path) { allowed privilege path explanation decidedBy { path derived role { name } } } }";

pub const LIST: &str = "query($filter: PermissionFilter, $first: Int, $after: String, $last: Int) {
    permissions(filter: $filter, first: $first, after: $after, last: $last) {
        nodes { path role { name } } edges { cursor } totalCount pageInfo { hasNextPage hasPreviousPage endCursor } } }";

impl Fixture {
    pub async fn new() -> Self {
        let app = TestApp::new().await;
        let (user, ada) = app.user("ada", InstanceRole::Member).await;
        let admin = app.admin();
        let ada_id = user.typed_id().to_string();
        Self {
            app,
            admin,
            ada,
            ada_id,
            user,
        }
    }

    /// Another member, with its id.
    pub async fn member(&self, name: &str) -> (String, Client) {
        let (user, client) = self.app.user(name, InstanceRole::Member).await;
        (user.typed_id().to_string(), client)
    }

    /// Grants roles with propagation, as the administrator, a second later than what was before.
    pub async fn grant(&self, principal: &str, path: &str, roles: &[&str]) -> Value {
        self.app.app.clock.advance(chrono::TimeDelta::seconds(1));
        let roles: Vec<Value> = roles.iter().map(|role| json!({"role": role})).collect();
        let input = json!({"principal": principal, "path": path, "roles": roles});
        self.admin.data(UPDATE, json!({"input": input})).await["updatePermission"].take()
    }

    /// Whether somebody may, asked by itself.
    pub async fn may(&self, client: &Client, privilege: &str, path: &str) -> bool {
        let answer = client
            .data(CHECK, json!({"privilege": privilege, "path": path}))
            .await;
        answer["checkPermission"]["allowed"].as_bool().unwrap()
    }

    async fn execute(&self, sql: &str) {
        let client = self.app.ctx().db.endpoint().client().await.unwrap();
        client.batch_execute(sql).await.unwrap();
    }

    /// A team of which ada is a member, below `parent`.
    pub async fn team(&self, number: u8, parent: Option<u8>) -> String {
        let id = Uuid::from_u128(u128::from(number) << 8 | 0x7000_0000_0000_0000_0000);
        let parent = parent.map_or("NULL".to_owned(), |parent| {
            format!(
                "'{}'",
                Uuid::from_u128(u128::from(parent) << 8 | 0x7000_0000_0000_0000_0000)
            )
        });
        self.execute(&format!(
            "INSERT INTO teams (id, slug, name, parent_id, enabled, metadata, created_at, updated_at)
                VALUES ('{id}', 'team-{number}', 'Team {number}', {parent}, true, '{{}}', now(), now());"
        ))
        .await;
        Id::new(Kind::Team, id).to_string()
    }

    /// Makes ada a member of the team with that number.
    pub async fn join(&self, number: u8) {
        let id = Uuid::from_u128(u128::from(number) << 8 | 0x7000_0000_0000_0000_0000);
        self.execute(&format!(
            "INSERT INTO team_memberships (team_id, user_id, role, since) VALUES ('{id}', '{}', 'MEMBER', now());",
            self.user.id
        ))
        .await;
    }

    /// A key of ada's: its id, and a client that calls with it.
    pub async fn key(&self, restricted: bool) -> (String, Client) {
        let ctx = self.app.ctx();
        let secret = Secret::generate_api_key(&ctx.random);
        let id = ctx.new_id();
        let digest: String = secret
            .digest()
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.execute(&format!(
            "INSERT INTO api_keys (id, owner_id, name, digest, prefix, enabled, restricted, allowed_cidrs, metadata, created_at,
                updated_at) VALUES ('{id}', '{}', 'key {id}', '\\x{digest}', 'ks_', true, {restricted}, '{{}}', '{{}}', now(), now());",
            self.user.id
        ))
        .await;
        (
            Id::new(Kind::ApiKey, id).to_string(),
            self.app.with_key(secret.expose()),
        )
    }
}

/// An input that makes the principal hold the roles, with propagation.
pub fn wanted(principal: &str, path: &str, roles: &[&str]) -> Value {
    let roles: Vec<Value> = roles.iter().map(|role| json!({"role": role})).collect();
    json!({"input": {"principal": principal, "path": path, "roles": roles}})
}
