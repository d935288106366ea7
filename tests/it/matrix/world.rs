//! The world of the matrix: one of everything, and a key for each actor.

use std::collections::BTreeMap;

use keystead::db::ids::Id;
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use serde_json::{Value, json};

use super::ACTORS;
use crate::factors::{self, CONFIRM, ENROL, Phone, passkeys};
use crate::support::{Client, TestApp};

/// Something of every kind. What is asked about belongs to `target`, a member of the team `blue`.
pub struct World {
    pub app: TestApp,
    /// What stands for what in documents: `$user`, `$team` …
    pub ids: BTreeMap<&'static str, String>,
    /// The secret of a session of `target`, which is `$session`.
    pub session: String,
    pub passkeys: Passkeys,
    keys: BTreeMap<&'static str, String>,
}

/// What was made of passkeys, each good once.
pub struct Passkeys {
    /// By the first administrator, to be confirmed; in documents `$first-made`.
    pub first_made: Value,
    /// By a member of the team, who signs in by it; in documents `$signed`.
    pub signed: Value,
}

impl World {
    pub async fn new() -> World {
        let app = TestApp::new().await;
        let admin = app.admin();
        let mut keys = BTreeMap::new();
        let mut users = BTreeMap::new();
        for (actor, role) in [
            ("viewer", InstanceRole::Viewer),
            ("member", InstanceRole::Member),
            ("team member", InstanceRole::Member),
            ("team admin", InstanceRole::Member),
            ("auditor", InstanceRole::Auditor),
            ("admin", InstanceRole::Admin),
            ("target", InstanceRole::Member),
            ("outsider", InstanceRole::Member),
        ] {
            let (user, key) = app
                .user_with_key(&format!("the-{}", actor.replace(' ', "-")), role)
                .await;
            users.insert(actor, user.typed_id().to_string());
            keys.insert(actor, key);
        }
        let make = |document: &'static str, variables: Value, pointer: &'static str| {
            let admin = admin.clone();
            async move {
                let data = admin.data(document, variables).await;
                data.pointer(pointer)
                    .and_then(Value::as_str)
                    .unwrap()
                    .to_owned()
            }
        };
        let team = make(
            "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }",
            json!({"input": {"slug": "blue", "name": "Blue", "members": [
                {"user": users["team admin"], "role": "ADMIN"},
                {"user": users["team member"], "role": "MEMBER"},
                {"user": users["target"], "role": "MEMBER"}]}}),
            "/createTeam/team/id",
        )
        .await;
        let key = make(
            "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { apiKey { id } } }",
            json!({"input": {"owner": users["target"], "name": "asked about", "team": team}}),
            "/generateApiKey/apiKey/id",
        )
        .await;
        let limits = json!({"input": {"subject": {"apiKey": key}, "requestsPerMinute": 10, "tokensPerMinute": 1_000,
            "maxParallel": 2, "increase": {"requestsPerMinute": 20, "tokensPerMinute": 2_000, "maxParallel": 4, "until": "2031-01-01T00:00:00Z"},
            "budgets": [{"name": "monthly", "maxUsd": "10", "softUsd": "8",
                "window": {"every": {"unit": "MONTH", "anchor": "2030-01-01T00:00:00Z"}},
                "increase": {"maxUsd": "20", "until": "2031-01-01T00:00:00Z"}}]}});
        let update =
            "mutation($input: UpdateLimitsInput!) { updateLimits(input: $input) { changed } }";
        admin.data(update, limits).await;
        let defaults = json!({"input": {"userDefaults": {"maxParallel": 50,
            "budgets": [{"name": "yearly", "maxUsd": "1000", "softUsd": "800",
                "window": {"every": {"unit": "YEAR", "anchor": "2030-01-01T00:00:00Z"}}}]}}});
        let update = "mutation($input: UpdateLimitPolicyInput!) { updateLimitPolicy(input: $input) { changed } }";
        admin.data(update, defaults).await;
        let policy = json!({"input": {"userDefaults": {"memberships": [{"team": team}]},
            "apiKeys": {"personalKeyMakers": ["ADMIN", "AUDITOR", "MEMBER", "VIEWER"], "teamKeyMakers": ["ADMIN", "MEMBER"],
                "maxLifetimeSeconds": 2_000_000_000, "maxPerUser": 1_000}}});
        let update =
            "mutation($input: UpdatePolicyInput!) { updatePolicy(input: $input) { changed } }";
        admin.data(update, policy).await;
        let create = "mutation($input: CreateInvitationInput!) { createInvitation(input: $input) { link invitation { id } } }";
        let mut invitations = Vec::new();
        for email in ["invited@example.com", "other@example.com"] {
            let input = json!({"input": {"email": email, "memberships": [{"team": team}]}});
            let made = admin.data(create, input).await["createInvitation"].take();
            let link = made["link"].as_str().unwrap().to_owned();
            let token = link.split_once("token=").unwrap().1.to_owned();
            invitations.push((made["invitation"]["id"].as_str().unwrap().to_owned(), token));
        }
        let restricted = make(
            "mutation($input: GenerateApiKeyInput!) { generateApiKey(input: $input) { secret } }",
            json!({"input": {"owner": users["admin"], "name": "restricted",
                "permissions": [{"path": "/users", "role": "READ"}]}}),
            "/generateApiKey/secret",
        )
        .await;
        keys.insert("restricted key", restricted);
        let role = make(
            "mutation { createRole(input: {name: \"PROMPTER\", privileges: [\"model.use\"]}) { role { id } } }",
            json!({}),
            "/createRole/role/id",
        )
        .await;
        let permission = make(
            "mutation($input: UpdatePermissionInput!) { updatePermission(input: $input) { permissions { id } } }",
            json!({"input": {"principal": users["target"], "path": "/models", "roles": [{"role": "USE"}]}}),
            "/updatePermission/permissions/0/id",
        )
        .await;
        let event = make(
            "query($target: ID!) { auditEvents(first: 1, filter: {target: $target}) { nodes { id } } }",
            json!({"target": users["target"]}),
            "/auditEvents/nodes/0/id",
        )
        .await;
        let password = "a password of the matrix";
        for name in ["the-target", "the-admin", "admin", "the-team-member"] {
            set_password(&app, name, password).await;
        }
        let of_member = set_up(&app, &app.with_key(&keys["team member"]), password).await;
        let of_admin = set_up(&app, &app.with_key(&keys["admin"]), password).await;
        let of_first = set_up(&app, &admin, password).await;
        let signed = signed(&app, &app.with_key(&keys["team member"]), &of_member).await;
        let signed_in = app
            .anonymous()
            .data(
                "mutation($input: SignInInput!) { signIn(input: $input) { secret session { id } } }",
                json!({"input": {"login": "the-target", "password": password}}),
            )
            .await;
        let said = |pointer| {
            let value: Option<&Value> = signed_in.pointer(pointer);
            value.and_then(Value::as_str).unwrap().to_owned()
        };
        let webhook = make(
            "mutation { createWebhook(input: {url: \"https://hooks.example.com/\"}) { webhook { id } } }",
            json!({}),
            "/createWebhook/webhook/id",
        )
        .await;
        crate::webhooks::give_up(&app).await;
        let delivery = make(
            "{ webhookDeliveries(first: 1) { nodes { id } } }",
            json!({}),
            "/webhookDeliveries/nodes/0/id",
        )
        .await;
        let magic = magic_link(&app, &users["target"], "the-target@example.com").await;
        let requests = requests(&app, &keys, &team).await;
        let ids = BTreeMap::from([
            ("$magic", magic),
            ("$request", requests[0].clone()),
            ("$asked", requests[1].clone()),
            ("$given", requests[2].clone()),
            ("$mine", requests[3].clone()),
            ("$session", said("/signIn/session/id")),
            ("$user", users["target"].clone()),
            ("$outsider", users["outsider"].clone()),
            ("$teammember", users["team member"].clone()),
            ("$team", team),
            ("$key", key),
            ("$role", role),
            ("$permission", permission),
            ("$event", event),
            ("$webhook", webhook),
            ("$delivery", delivery),
            ("$invitation", invitations[0].0.clone()),
            ("$token", invitations[0].1.clone()),
            ("$other", invitations[1].0.clone()),
            ("$factor", of_member.factor),
            ("$otp", of_admin.codes[0].clone()),
            ("$code", of_admin.code),
            ("$first-otp", of_first.codes[0].clone()),
            ("$second-otp", of_first.codes[1].clone()),
            ("$third-otp", of_first.codes[2].clone()),
            ("$first-code", of_first.code),
            ("$first-made", literal(&of_first.made)),
            ("$made", literal(&of_admin.made)),
            ("$signed", literal(&signed)),
        ]);
        use_something(&app, &ids["$key"], &ids["$user"], &ids["$team"]).await;
        let session = said("/signIn/secret");
        World {
            app,
            ids,
            session,
            passkeys: Passkeys {
                first_made: of_first.made,
                signed,
            },
            keys,
        }
    }

    /// The clients in the order of [`ACTORS`], over `app`.
    pub fn clients(&self, app: &TestApp) -> Vec<Client> {
        ACTORS
            .iter()
            .map(|actor| match self.keys.get(actor) {
                Some(key) => app.with_key(key),
                None => app.anonymous(),
            })
            .collect()
    }

    /// The document with ids in place of their names, longest names first.
    pub fn fill(&self, document: &str) -> String {
        let mut names: Vec<_> = self.ids.iter().collect();
        names.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        names
            .into_iter()
            .fold(document.to_owned(), |text, (name, id)| {
                text.replace(name, id)
            })
    }
}

/// A link by which that user signs in; the token.
pub async fn magic_link(app: &TestApp, user: &str, email: &str) -> String {
    let token = Secret::generate(&keystead::ctx::Random::system(), "ksm_");
    let digest = token.digest();
    let digest: String = digest
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let user = Id::parse("id", user).unwrap().uuid;
    let client = app.app.db.endpoint().client().await.unwrap();
    let sql = format!(
        "INSERT INTO magic_links (id, digest, user_id, email, created_at, expires_at) VALUES (gen_random_uuid(), '\\x{digest}', '{user}',
            '{email}', '2030-01-01', '2032-01-01')"
    );
    client.batch_execute(&sql).await.unwrap();
    token.expose().to_owned()
}

/// Requests for access: of the outsider for a place in the team, of the administrator and of the first one for a role, and of the target
/// for one, which was given.
async fn requests(app: &TestApp, keys: &BTreeMap<&str, String>, team: &str) -> [String; 4] {
    let ask = "mutation($input: RequestAccessInput!) { requestAccess(input: $input) { accessRequest { id } } }";
    let place = json!({"membership": {"team": team}, "justification": "the matrix"});
    let role =
        json!({"permissions": [{"path": "/models", "role": "USE"}], "justification": "the matrix"});
    let mut ids = Vec::new();
    let clients = [
        (app.with_key(&keys["outsider"]), &place),
        (app.with_key(&keys["admin"]), &role),
        (app.with_key(&keys["target"]), &role),
        (app.admin(), &role),
    ];
    for (client, input) in clients {
        let made = client.data(ask, json!({ "input": input })).await;
        let id = made.pointer("/requestAccess/accessRequest/id");
        ids.push(id.and_then(Value::as_str).unwrap().to_owned());
    }
    let review = "mutation($id: ID!) { reviewAccessRequest(input: {id: $id, decision: APPROVE}) { accessRequest { id } } }";
    app.admin().data(review, json!({ "id": ids[2] })).await;
    ids.try_into().unwrap()
}

/// Gives the user that password.
async fn set_password(app: &TestApp, user: &str, password: &str) {
    let secret = Secret::new(password.to_owned());
    let hash = keystead::authn::password::hash(secret, 4).await.unwrap();
    let client = app.app.db.endpoint().client().await.unwrap();
    let sql = format!("UPDATE users SET password_hash = '{hash}' WHERE username = '{user}'");
    client.batch_execute(&sql).await.unwrap();
}

/// One event of usage, with its sums.
async fn use_something(app: &TestApp, key: &str, user: &str, team: &str) {
    let uuid = |id: &str| Id::parse("id", id).unwrap().uuid;
    let (key, user, team) = (uuid(key), uuid(user), uuid(team));
    let line = |tag: &str| {
        format!(
            "ROW('2030-01-01T12:00:00Z', '{user}', '{key}', '{team}', '/models/x', '{tag}', 1, 1, 15, 10, 5, 2, 500)::usage_quarters"
        )
    };
    let sql = format!(
        "INSERT INTO usage_events SELECT gen_random_uuid(), slot, slot, NULL, api_key_id, user_id, team_id, requests, tokens, tokens_in, tokens_out,
            tokens_cached, micros, resource, '{{x}}', '{{}}', 'SETTLED' FROM unnest(ARRAY[{}]);
        SELECT usage_roll(ARRAY[{}, {}])",
        line(""),
        line(""),
        line("x")
    );
    let client = app.app.db.endpoint().client().await.unwrap();
    let make = "SELECT usage_partition('2030-01-01T12:00:00Z')";
    client.batch_execute(make).await.unwrap();
    client.batch_execute(&sql).await.unwrap();
}

/// A second factor that somebody has, and another one that it is setting up.
struct Factors {
    factor: String,
    codes: Vec<String>,
    /// What confirms the other one.
    code: String,
    /// A passkey that was made, and is to be confirmed.
    made: Value,
}

async fn set_up(app: &TestApp, client: &Client, password: &str) -> Factors {
    let code = |begun: &Value| {
        let secret = begun["enrolTotp"]["secret"].as_str().unwrap();
        Phone::reading(secret).code(app, 0)
    };
    let proof = json!({"input": {"password": password}});
    let first = client.data(ENROL, proof).await;
    let confirm = json!({"input": {"code": code(&first)}});
    let confirmed = client.data(CONFIRM, confirm).await["confirmTotp"].take();
    let mut codes = factors::texts(&confirmed["recoveryCodes"]);
    let proof = json!({"input": {"otp": codes.pop()}});
    let second = client.data(ENROL, proof).await;
    let (_, made) = passkeys::begin(client, json!({"otp": codes.pop()})).await;
    Factors {
        factor: factors::text(&confirmed["secondFactor"]["id"]),
        codes,
        code: code(&second),
        made,
    }
}

/// Sets up a passkey with a code of somebody who has such, and signs a challenge by it.
async fn signed(app: &TestApp, client: &Client, of: &Factors) -> Value {
    let proof = json!({"otp": of.codes.last()});
    let (mut passkey, _) = passkeys::set_up(client, proof).await;
    passkeys::signed(app, &mut passkey).await
}

/// The value as it stands in a document.
fn literal(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| format!("{name}: {}", literal(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        scalar => scalar.to_string(),
    }
}
