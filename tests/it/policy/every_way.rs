//! Every mutation of the schema, tried by one who may do all but administer the instance: no key goes beyond the policy in any way. One that
//! is new to the schema has to be put in here.

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::set;
use crate::api_keys::ways::{KEYLESS, ask};
use crate::matrix::world::World;
use crate::matrix::{fields, writes};
use crate::support::TestApp;

const KEYS: &str = "{ apiKeys(first: 100) { totalCount nodes { id description expiresAt rotatedAt createdAt owner { id } team { id } } } }";
/// Thirty days after the present moment of the tests.
const LATEST: &str = "2030-01-31T12:00:00Z";

/// Everything that the policy can ask.
fn rules() -> Vec<(&'static str, Value)> {
    vec![
        ("required", json!({"requiredFields": ["DESCRIPTION"]})),
        ("lifetime", json!({"maxLifetimeSeconds": 30 * 86_400})),
        ("count", json!({"maxPerUser": 1})),
        (
            "makers",
            json!({"personalKeyMakers": [], "teamKeyMakers": ["ADMIN"]}),
        ),
    ]
}

/// Inputs that would break that rule; for an administrator each succeeds.
fn tries(rule: &str, name: &str, world: &World) -> Vec<Value> {
    let (key, owner, team) = (&world.ids["$key"], &world.ids["$user"], &world.ids["$team"]);
    let first = |key: Value| json!({"username": "new", "apiKey": key});
    match (name, rule) {
        ("generateApiKey", "required") => vec![
            json!({"owner": owner}),
            json!({"owner": owner, "description": null, "team": team}),
        ],
        ("generateApiKey", "lifetime") => vec![json!({"owner": owner, "expiresIn": "P31D"})],
        ("generateApiKey", "count") => vec![
            json!({"owner": owner}),
            json!({"owner": owner, "team": team, "expiresIn": "PT1M"}),
        ],
        ("generateApiKey", "makers") => vec![
            json!({"owner": owner}),
            json!({"owner": owner, "team": team}),
        ],
        ("createUser", "required") => vec![first(json!({}))],
        ("createUser", "lifetime") => vec![first(json!({"expiresIn": "P31D"}))],
        ("createUser", "makers") => vec![
            first(json!({})),
            json!({"username": "new", "memberships": [{"team": team}], "apiKey": {"team": team}}),
        ],
        // Its first key is never one too many where one is allowed.
        ("createUser", "count") => Vec::new(),
        ("rotateApiKey", "required" | "makers") => vec![json!({ "id": key })],
        ("rotateApiKey", "lifetime") => vec![
            json!({"id": key, "expiresAt": "2030-02-01T00:00:00Z"}),
            json!({"id": key, "overlap": "P31D"}),
        ],
        ("updateApiKey", "lifetime") => {
            vec![json!({"id": key, "expiresAt": "2030-02-01T00:00:00Z"})]
        }
        ("updateApiKey", "required") => {
            vec![json!({"id": world.ids["$described"], "description": null})]
        }
        // It makes no key and no secret.
        ("updateApiKey", "makers" | "count") | ("rotateApiKey", "count") => Vec::new(),
        ("updateLimits", _) => Vec::new(),
        (other, _) if KEYLESS.contains(&other) => Vec::new(),
        (other, _) => {
            panic!("can {other} make or change a key? Say so here, with what there is to try.")
        }
    }
}

async fn keys(app: &TestApp) -> Vec<Value> {
    let data = app.admin().data(KEYS, json!({})).await;
    let nodes = data["apiKeys"]["nodes"].as_array().unwrap().clone();
    assert_eq!(data["apiKeys"]["totalCount"], nodes.len());
    nodes
}

/// Whether each key keeps the rule, or is as it was.
fn hold(rule: &str, keys: &[Value], before: &[Value]) -> bool {
    keys.iter()
        .filter(|key| !before.contains(key))
        .all(|key| match rule {
            "required" => key["description"].is_string(),
            "lifetime" => key["expiresAt"].as_str().is_some_and(|end| end <= LATEST),
            "count" => {
                let is_new = before.iter().all(|old| old["id"] != key["id"]);
                let others = keys.iter().filter(|other| other["owner"] == key["owner"]);
                !is_new || others.count() <= 1
            }
            _ => before
                .iter()
                .any(|old| old["id"] == key["id"] && old["rotatedAt"] == key["rotatedAt"]),
        })
}

#[tokio::test]
async fn no_key_goes_beyond_the_policy_in_any_way() {
    let mut world = World::new().await;
    let (manager, as_manager) = world.app.user("manager", InstanceRole::Member).await;
    let manager = manager.typed_id().to_string();
    crate::users::world::grant(&world.app, &manager, "/", &["MANAGE"]).await;
    let secret = as_manager.key().unwrap();
    let described = json!({"input": {"owner": world.ids["$outsider"], "description": "for tests"}});
    let made = world.app.admin().data(super::GENERATE, described).await;
    let id = made["generateApiKey"]["apiKey"]["id"].as_str().unwrap();
    world.ids.insert("$described", id.to_owned());
    set(&world.app, json!({"userDefaults": null, "apiKeys": null})).await;
    let before = keys(&world.app).await;
    let mutations = fields(&world.app).await;
    let mutations = mutations.iter().filter(|field| field.parent == "Mutation");
    for name in mutations.map(|field| field.name.as_str()) {
        for (rule, wanted) in rules() {
            let inputs = tries(rule, name, &world);
            if inputs.is_empty() {
                let app = world.app.copy().await;
                set(&app, json!({ "apiKeys": wanted })).await;
                let input = world.fill(writes::input(name));
                let document = format!("mutation {{ {name}(input: {input}) {{ __typename }} }}");
                app.with_key(secret).gql(&document, json!({})).await;
                assert!(hold(rule, &keys(&app).await, &before), "{name} {rule}");
            }
            for input in inputs {
                let app = world.app.copy().await;
                set(&app, json!({ "apiKeys": wanted })).await;
                let answer = ask(&app.with_key(secret), name, &input).await;
                let code = &answer["errors"][0]["extensions"]["code"];
                assert!(code.is_string(), "{name} {rule} {input} {answer}");
                assert_eq!(keys(&app).await, before, "{name} {rule} {input}");
                let answer = ask(&app.admin(), name, &input).await;
                assert!(answer["errors"].is_null(), "{name} {rule} {input} {answer}");
                // The end of a secret that is replaced is not shown.
                let is_shown = input["overlap"].is_null();
                assert!(
                    !is_shown || !hold(rule, &keys(&app).await, &before),
                    "{name} {rule} {input}"
                );
            }
        }
    }
}
