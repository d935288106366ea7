//! No secret, digest or hash in the trail, whatever is done.

use serde_json::{Value, json};

use crate::support::{Client, TestApp};

/// Runs a mutation under a key of its own: then all of it happens on one connection, where an operation that took a second
/// one would wait for itself.
async fn run(admin: &Client, document: &str, variables: Value) -> Value {
    let call = admin
        .request("POST", "/graphql")
        .header(
            "idempotency-key",
            &keystead::secrets::Secret::new(document.to_owned())
                .digest()
                .as_bytes()
                .map(|b| format!("{b:x}"))
                .concat(),
        )
        .json(&json!({"query": document, "variables": variables}));
    let mut answer = admin.send(call).await.json();
    assert!(answer.get("errors").is_none(), "{document}: {answer:#}");
    answer["data"].take()
}

/// Every mutation of the schema, with inputs that hold or make secrets where they can.
async fn do_everything(admin: &Client) -> Vec<String> {
    let mut secrets = vec!["correct horse battery staple".to_owned()];
    let made = run(
        admin,
        "mutation { createUser(input: {username: \"ada\", password: \"correct horse battery staple\"}) { user { id teams { totalCount } } } }",
        json!({}),
    )
    .await;
    let user = made["createUser"]["user"]["id"].clone();
    let made = run(
        admin,
        "mutation($owner: ID!) { generateApiKey(input: {owner: $owner, name: \"ci\",
            permissions: [{path: \"/models\", role: \"READ\"}]}) { secret apiKey { id permissions { totalCount } } } }",
        json!({"owner": user}),
    )
    .await;
    let secret = |value: &Value| value["secret"].as_str().unwrap().to_owned();
    let key = made["generateApiKey"]["apiKey"]["id"].clone();
    secrets.push(secret(&made["generateApiKey"]));
    let rotate =
        "mutation($id: ID!) { rotateApiKey(input: {id: $id, overlap: \"PT1H\"}) { secret } }";
    let made = run(admin, rotate, json!({"id": key})).await;
    secrets.push(secret(&made["rotateApiKey"]));
    // Somebody pastes the secrets where they do not belong.
    let pasted = secrets[1..].join(" ");
    let text = json!(pasted);
    let role = "mutation($text: String) { createRole(input: {name: \"R\", description: $text, privileges: [\"model.use\"]}) { role { id } } }";
    let made = run(admin, role, json!({"text": text})).await;
    let role = json!({"id": made["createRole"]["role"]["id"]});
    for (document, variables) in [
        (
            "mutation($id: ID!) { updateRole(input: {id: $id, description: null}) { role { name } } }",
            role.clone(),
        ),
        (
            "mutation($id: ID!, $text: String) { updateApiKey(input: {id: $id, description: $text}) { apiKey { id owner { username } } } }",
            json!({"id": key, "text": text}),
        ),
        (
            "mutation($id: ID!, $text: String) { updateUser(input: {id: $id, comment: $text}) { user { id apiKeys { totalCount } } } }",
            json!({"id": user, "text": text}),
        ),
        (
            "mutation($id: ID!) { updatePermission(input: {principal: $id, path: \"/models\", roles: [{role: \"R\"}]}) { added permissions { id principal { __typename } } } }",
            json!({"id": user}),
        ),
        (
            "mutation($id: ID!) { updatePermission(input: {principal: $id, path: \"/models\", roles: []}) { removed } }",
            json!({"id": user}),
        ),
    ] {
        run(admin, document, variables).await;
    }
    let team = "mutation($text: String) { createTeam(input: {slug: \"t\", name: \"Team\", description: $text}) { team { id members { totalCount } } } }";
    let made = run(admin, team, json!({"text": text})).await;
    let team = made["createTeam"]["team"]["id"].clone();
    let both = json!({"team": team, "user": user});
    for (document, variables) in [
        (
            "mutation($team: ID!, $user: ID!) { addTeamMember(input: {team: $team, user: $user}) { membership { user { username } } } }",
            both.clone(),
        ),
        (
            "mutation($team: ID!, $user: ID!) { updateTeamMember(input: {team: $team, user: $user, role: ADMIN}) { membership { role } } }",
            both.clone(),
        ),
        (
            "mutation($team: ID!, $user: ID!) { removeTeamMember(input: {team: $team, user: $user}) { team { members { totalCount } } } }",
            both,
        ),
        (
            "mutation($team: ID!) { updateTeam(input: {id: $team, name: \"T\"}) { team { name } } }",
            json!({"team": team}),
        ),
        (
            "mutation($team: ID!) { deleteTeam(input: {id: $team}) { __typename } }",
            json!({"team": team}),
        ),
        (
            "mutation($id: ID!) { deleteRole(input: {id: $id}) { deletedRoleId } }",
            role,
        ),
        (
            "mutation($id: ID!) { deleteApiKey(input: {id: $id}) { deletedApiKeyId } }",
            json!({"id": key}),
        ),
        (
            "mutation($id: ID!) { deleteUser(input: {id: $id}) { deletedUserId } }",
            json!({"id": user}),
        ),
    ] {
        run(admin, document, variables).await;
    }
    secrets
}

#[tokio::test]
async fn the_trail_holds_no_secret_digest_or_hash() {
    let app = TestApp::new().await;
    let secrets = do_everything(&app.admin()).await;
    assert_eq!(secrets.len(), 3);
    let client = app.app.db.endpoint().client().await.unwrap();
    let rows = client
        .query("SELECT e::text, action FROM audit_events e", &[])
        .await
        .unwrap();
    let actions: Vec<String> = rows.iter().map(|row| row.get(1)).collect();
    for action in [
        "user.create",
        "apiKey.create",
        "apiKey.rotate",
        "apiKey.update",
        "apiKey.delete",
        "team.create",
        "role.create",
        "permission.update",
        "user.update",
        "user.delete",
    ] {
        assert!(
            actions.iter().any(|seen| seen == action),
            "{action} is not in {actions:?}"
        );
    }
    let trail: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let trail = trail.join("\n");
    for secret in &secrets {
        assert!(!trail.contains(secret.as_str()), "a secret is in the trail");
        let digest = keystead::secrets::Secret::new(secret.clone()).digest();
        let hex: String = digest
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(!trail.contains(&hex), "a digest is in the trail");
    }
    for form in ["$2a$", "$2b$", "$2y$", "\\x", "password_hash", "digest"] {
        assert!(!trail.contains(form), "{form} is in the trail");
    }
    // What may be shown of a key is there: it tells which one it was.
    assert!(trail.contains("ks_"));
    let long = trail.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let keys: Vec<&str> = long
        .filter(|word| word.starts_with("ks_") && word.len() > 7)
        .collect();
    assert!(keys.is_empty(), "{keys:?}");
}
