//! What can be read.

use std::collections::BTreeMap;

use serde_json::json;

use super::world::World;
use super::{cell, fields, table};

/// How to come to an object of a type: a document with `FIELD` where its field is asked for, and the way to the object.
pub const BASES: [(&str, &str, &str); 46] = [
    ("Query", "{ FIELD }", ""),
    ("User", "{ user(by: {id: \"$user\"}) { FIELD } }", "/user"),
    (
        "ApiKey",
        "{ apiKey(by: {id: \"$key\"}) { FIELD } }",
        "/apiKey",
    ),
    ("Team", "{ team(by: {id: \"$team\"}) { FIELD } }", "/team"),
    (
        "Role",
        "{ node(id: \"$role\") { ... on Role { FIELD } } }",
        "/node",
    ),
    (
        "Permission",
        "{ node(id: \"$permission\") { ... on Permission { FIELD } } }",
        "/node",
    ),
    (
        "AuditEvent",
        "{ node(id: \"$event\") { ... on AuditEvent { FIELD } } }",
        "/node",
    ),
    (
        "Session",
        "{ node(id: \"$session\") { ... on Session { FIELD } } }",
        "/node",
    ),
    (
        "SecondFactor",
        "{ node(id: \"$factor\") { ... on SecondFactor { FIELD } } }",
        "/node",
    ),
    (
        "Webhook",
        "{ webhook(id: \"$webhook\") { FIELD } }",
        "/webhook",
    ),
    (
        "WebhookDelivery",
        "{ webhookDeliveries(first: 1) { nodes { FIELD } } }",
        "/webhookDeliveries/nodes/0",
    ),
    ("Viewer", "{ viewer { FIELD } }", "/viewer"),
    ("ServerInfo", "{ serverInfo { FIELD } }", "/serverInfo"),
    (
        "ServerLimits",
        "{ serverInfo { limits { FIELD } } }",
        "/serverInfo/limits",
    ),
    (
        "PasswordPolicy",
        "{ serverInfo { passwordPolicy { FIELD } } }",
        "/serverInfo/passwordPolicy",
    ),
    (
        "ApiKeyPolicy",
        "{ serverInfo { apiKeyPolicy { FIELD } } }",
        "/serverInfo/apiKeyPolicy",
    ),
    (
        "PasskeyChallenge",
        "{ passkeyChallenge { FIELD } }",
        "/passkeyChallenge",
    ),
    ("LimitPolicy", "{ limitPolicy { FIELD } }", "/limitPolicy"),
    (
        "DefaultLimits",
        "{ limitPolicy { userDefaults { FIELD } } }",
        "/limitPolicy/userDefaults",
    ),
    (
        "DefaultBudget",
        "{ limitPolicy { userDefaults { budgets { FIELD } } } }",
        "/limitPolicy/userDefaults/budgets/0",
    ),
    (
        "ApiKeyBounds",
        "{ serverInfo { apiKeyPolicy { bounds { FIELD } } } }",
        "/serverInfo/apiKeyPolicy/bounds",
    ),
    (
        "AccessRequest",
        "{ node(id: \"$request\") { ... on AccessRequest { FIELD } } }",
        "/node",
    ),
    (
        "AskedMembership",
        "{ node(id: \"$request\") { ... on AccessRequest { membership { FIELD } } } }",
        "/node/membership",
    ),
    (
        "AskedRole",
        "{ node(id: \"$given\") { ... on AccessRequest { permissions { FIELD } } } }",
        "/node/permissions/0",
    ),
    (
        "GrantedAccess",
        "{ node(id: \"$given\") { ... on AccessRequest { granted { FIELD } } } }",
        "/node/granted",
    ),
    (
        "Invitation",
        "{ node(id: \"$invitation\") { ... on Invitation { FIELD } } }",
        "/node",
    ),
    (
        "OfferedMembership",
        "{ node(id: \"$invitation\") { ... on Invitation { memberships { FIELD } } } }",
        "/node/memberships/0",
    ),
    (
        "InvitationOffer",
        "{ invitation(token: \"$token\") { FIELD } }",
        "/invitation",
    ),
    (
        "OfferedTeam",
        "{ invitation(token: \"$token\") { teams { FIELD } } }",
        "/invitation/teams/0",
    ),
    ("Policy", "{ policy { FIELD } }", "/policy"),
    (
        "SignInRules",
        "{ policy { signIn { FIELD } } }",
        "/policy/signIn",
    ),
    (
        "UserDefaults",
        "{ policy { userDefaults { FIELD } } }",
        "/policy/userDefaults",
    ),
    (
        "DefaultMembership",
        "{ policy { userDefaults { memberships { FIELD } } } }",
        "/policy/userDefaults/memberships/0",
    ),
    (
        "ApiKeyRules",
        "{ serverInfo { apiKeyPolicy { rules { FIELD } } } }",
        "/serverInfo/apiKeyPolicy/rules",
    ),
    (
        "PermissionCheck",
        "{ checkPermission(principal: \"$user\", privilege: \"model.use\", path: \"/models/x\") { FIELD } }",
        "/checkPermission",
    ),
    (
        "EffectivePermission",
        "{ effectivePermissions(principal: \"$user\", pathPrefix: \"/models\") { FIELD } }",
        "/effectivePermissions/0",
    ),
    (
        "Limits",
        "{ apiKey(by: {id: \"$key\"}) { limits { FIELD } } }",
        "/apiKey/limits",
    ),
    (
        "LimitIncrease",
        "{ apiKey(by: {id: \"$key\"}) { limits { increase { FIELD } } } }",
        "/apiKey/limits/increase",
    ),
    (
        "Budget",
        "{ apiKey(by: {id: \"$key\"}) { limits { budgets { FIELD } } } }",
        "/apiKey/limits/budgets/0",
    ),
    (
        "BudgetIncrease",
        "{ apiKey(by: {id: \"$key\"}) { limits { budgets { increase { FIELD } } } } }",
        "/apiKey/limits/budgets/0/increase",
    ),
    (
        "BudgetWindow",
        "{ apiKey(by: {id: \"$key\"}) { limits { budgets { window { FIELD } } } } }",
        "/apiKey/limits/budgets/0/window",
    ),
    (
        "BudgetWindowEvery",
        "{ apiKey(by: {id: \"$key\"}) { limits { budgets { window { every { FIELD } } } } } }",
        "/apiKey/limits/budgets/0/window/every",
    ),
    (
        "Usage",
        "{ usage(filter: {team: \"$team\"}) { FIELD } }",
        "/usage",
    ),
    (
        "UsageSums",
        "{ usage(filter: {team: \"$team\"}) { totals { FIELD } } }",
        "/usage/totals",
    ),
    (
        "UsagePoint",
        "{ usage(filter: {team: \"$team\"}) { series { FIELD } } }",
        "/usage/series/0",
    ),
    (
        "UsageGroup",
        "{ usage(filter: {team: \"$team\"}, groupBy: [KEY, USER, TEAM, RESOURCE, TAG]) { series { group { FIELD } } } }",
        "/usage/series/0/group",
    ),
];

/// The memberships are asked for through the user that holds them.
const MEMBERSHIP: (&str, &str) = (
    "{ user(by: {id: \"$user\"}) { memberships { nodes { FIELD } } } }",
    "/user/memberships/nodes/0",
);

/// Arguments that a field needs, and names that are written otherwise.
pub fn call(parent: &str, name: &str) -> String {
    let arguments = match (parent, name) {
        ("Query", "node") => "(id: \"$user\")",
        ("Query", "nodes") => "(ids: [\"$user\"])",
        ("Query", "user") => "(by: {id: \"$user\"})",
        ("Query", "invitation") => "(token: \"$token\")",
        ("Query", "apiKey") => "(by: {id: \"$key\"})",
        ("Query", "team") => "(by: {id: \"$team\"})",
        ("Query", "webhook") => "(id: \"$webhook\")",
        ("Query", "role") => "(name: \"PROMPTER\")",
        ("Query", "checkPermission") => {
            "(principal: \"$user\", privilege: \"model.use\", path: \"/models/x\")"
        }
        ("Query", "effectivePermissions") => "(principal: \"$user\")",
        _ => "",
    };
    format!("{name}{arguments}")
}

/// Pages, edges and payloads hold what the fields that return them give; subscriptions are tried with their transport.
fn is_wrapper(kind: &str) -> bool {
    ["Connection", "Edge", "Payload"]
        .iter()
        .any(|end| kind.ends_with(end))
        || [
            "PageInfo",
            "Mutation",
            "Subscription",
            "UsageLine",
            "UsageLineError",
        ]
        .contains(&kind)
}

#[tokio::test]
async fn every_field_is_seen_by_whom_it_may_be_seen() {
    let world = World::new().await;
    let clients = world.clients(&world.app);
    let mut rows = BTreeMap::new();
    for field in fields(&world.app).await {
        if is_wrapper(&field.parent) {
            continue;
        }
        let base = BASES.iter().find(|(kind, _, _)| *kind == field.parent);
        let (document, at) = match base {
            Some((_, document, at)) => (*document, *at),
            None if field.parent == "TeamMembership" => MEMBERSHIP,
            None => panic!("the matrix does not know how to come to a {}", field.parent),
        };
        let below = match (field.composite, field.kind.ends_with("Connection")) {
            (false, _) => "",
            (true, true) => " { totalCount }",
            (true, false) => " { __typename }",
        };
        let asked = format!("{}{below}", call(&field.parent, &field.name));
        let document = world.fill(&document.replace("FIELD", &asked));
        let mut cells = Vec::new();
        for client in &clients {
            let answer = client.gql(&document, json!({})).await;
            let (base, pointer) = (format!("/data{at}"), format!("/data{at}/{}", field.name));
            cells.push(cell(&answer, &base, &pointer));
        }
        rows.insert(format!("{}.{}", field.parent, field.name), cells);
    }
    assert!(rows.len() > 80, "only {} fields", rows.len());
    insta::assert_snapshot!(table(&rows));
}
