//! Every mutation of the schema, tried by one who may do all but administer the instance: no key goes beyond the bounds in any way. One that
//! is new to the schema has to be put in here.

use serde_json::{Value, json};

use super::policy;
use crate::api_keys::ways::{KEYLESS, ask};
use crate::matrix::world::World;
use crate::matrix::{fields, writes};
use crate::support::TestApp;

const KEYS: &str =
    "{ apiKeys(first: 100) { totalCount nodes { id limits { requestsPerMinute tokensPerMinute
    maxParallel increase { requestsPerMinute tokensPerMinute maxParallel }
    budgets { name maxUsd window { every { unit anchor } } increase { maxUsd } } } } } }";
const ANCHOR: &str = "2030-01-01T00:00:00Z";

/// What comes of a request by one who is no administrator; for an administrator it succeeds.
enum Outcome {
    /// Each key is afterwards within the bounds, or as it was.
    Held,
    /// More than the bound is asked for, in that field.
    Refused(&'static str),
}
use Outcome::{Held, Refused};

/// What limits are asked for of a key, and what comes of it; fields are those of the limits.
fn wishes() -> Vec<(Value, Outcome)> {
    let cap = |max: &str, unit: &str| json!({"name": "cap", "maxUsd": max, "window": {"every": {"unit": unit, "anchor": ANCHOR}}});
    let mut raised = cap("1", "MONTH");
    raised["increase"] = json!({"maxUsd": "11", "until": "2031-01-01T00:00:00Z"});
    vec![
        (json!({"requestsPerMinute": 100, "maxParallel": 0}), Held),
        (json!({"budgets": []}), Held),
        (
            json!({"budgets": [cap("10", "MONTH"), {"name": "more", "maxUsd": "99"}]}),
            Held,
        ),
        (
            json!({"requestsPerMinute": 101}),
            Refused("requestsPerMinute"),
        ),
        (
            json!({"requestsPerMinute": null}),
            Refused("requestsPerMinute"),
        ),
        (
            json!({"tokensPerMinute": 10_001}),
            Refused("tokensPerMinute"),
        ),
        (json!({"tokensPerMinute": null}), Refused("tokensPerMinute")),
        (json!({"maxParallel": 6}), Refused("maxParallel")),
        (json!({"maxParallel": null}), Refused("maxParallel")),
        (
            json!({"budgets": [cap("10.01", "MONTH")]}),
            Refused("budgets.0.maxUsd"),
        ),
        (
            json!({"budgets": [cap("1", "DAY")]}),
            Refused("budgets.0.window"),
        ),
        (
            json!({ "budgets": [raised] }),
            Refused("budgets.0.increase.maxUsd"),
        ),
    ]
}

/// What is tried of a mutation: inputs, what comes of each, and where in them limits lie.
fn tries(name: &str, world: &World) -> Vec<(Value, Outcome, &'static str)> {
    let key = json!(world.ids["$key"]);
    let usual = |input: Value| (input, Held, "");
    let with_limits = |place: &'static str, make: &dyn Fn(Value) -> Value| {
        let all = wishes().into_iter();
        all.map(|(wish, outcome)| (make(wish), outcome, place))
            .collect::<Vec<_>>()
    };
    match name {
        "generateApiKey" => {
            let owner = json!(world.ids["$user"]);
            let mut all = with_limits(
                "limits",
                &|limits| json!({"owner": owner, "limits": limits}),
            );
            all.extend([
                usual(json!({"owner": owner})),
                usual(json!({"owner": owner, "limits": null})),
            ]);
            all
        }
        "createUser" => {
            let make = |key: Value| json!({"username": "new", "apiKey": key});
            let mut all = with_limits("apiKey.limits", &|limits| make(json!({ "limits": limits })));
            all.extend([usual(make(json!({}))), usual(json!({"username": "new"}))]);
            all
        }
        "updateLimits" => {
            let mut all = with_limits("", &|mut limits| {
                limits["subject"] = json!({"apiKey": key});
                limits
            });
            let increase = json!({"requestsPerMinute": 101, "until": "2031-01-01T00:00:00Z"});
            all.push((
                json!({"subject": {"apiKey": key}, "increase": increase}),
                Refused("increase.requestsPerMinute"),
                "",
            ));
            all
        }
        "updateApiKey" | "rotateApiKey" => Vec::new(),
        other if KEYLESS.contains(&other) => Vec::new(),
        other => panic!(
            "can {other} make or change a key, or its limits? Say so here, with what there is to try."
        ),
    }
}

async fn keys(app: &TestApp) -> Vec<Value> {
    let data = app.admin().data(KEYS, json!({})).await;
    let nodes = data["apiKeys"]["nodes"].as_array().unwrap().clone();
    assert_eq!(data["apiKeys"]["totalCount"], nodes.len());
    nodes
}

fn is_within(key: &Value) -> bool {
    let limits = &key["limits"];
    let rates = [
        ("requestsPerMinute", 100),
        ("tokensPerMinute", 10_000),
        ("maxParallel", 5),
    ];
    let rate = |(name, bound): (&str, i64)| {
        limits[name].as_i64().is_some_and(|value| value <= bound)
            && limits["increase"][name]
                .as_i64()
                .is_none_or(|value| value <= bound)
    };
    let is_little = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap() <= 10.0;
    let cap = |budget: &Value| {
        budget["name"] == "cap"
            && is_little(&budget["maxUsd"])
            && (budget["increase"].is_null() || is_little(&budget["increase"]["maxUsd"]))
            && budget["window"]["every"] == json!({"unit": "MONTH", "anchor": ANCHOR})
    };
    rates.into_iter().all(rate) && limits["budgets"].as_array().unwrap().iter().any(cap)
}

#[tokio::test]
async fn no_key_goes_beyond_the_bounds_in_any_way() {
    let world = World::new().await;
    let (manager, as_manager) = world
        .app
        .user(
            "manager",
            keystead::permissions::model::InstanceRole::Member,
        )
        .await;
    let manager = manager.typed_id().to_string();
    crate::users::world::grant(&world.app, &manager, "/", &["MANAGE"]).await;
    let secret = as_manager.key().unwrap();
    // A key that is within the bounds before they are set.
    let within = json!({"subject": {"apiKey": world.ids["$key"]}, "requestsPerMinute": 10, "tokensPerMinute": 10, "maxParallel": 1,
        "increase": null, "budgets": [{"name": "cap", "maxUsd": "5", "window": {"every": {"unit": "MONTH", "anchor": ANCHOR}}}]});
    super::manage::update(&world.app.admin(), within).await;
    let cap = json!({"name": "cap", "maxUsd": "10", "window": {"every": {"unit": "MONTH", "anchor": ANCHOR}}});
    policy::set(
        &world.app,
        json!({"apiKeyBounds": {"requestsPerMinute": 100, "tokensPerMinute": 10_000, "maxParallel": 5,
            "budgets": [cap]}}),
    )
    .await;
    let before = keys(&world.app).await;
    let is_held = |key: &Value| is_within(key) || before.contains(key);
    let mutations = fields(&world.app).await;
    let mutations = mutations.iter().filter(|field| field.parent == "Mutation");
    for name in mutations.map(|field| field.name.as_str()) {
        let tries = tries(name, &world);
        if tries.is_empty() {
            let app = world.app.copy().await;
            let input = world.fill(writes::input(name));
            let document = format!("mutation {{ {name}(input: {input}) {{ __typename }} }}");
            app.with_key(secret).gql(&document, json!({})).await;
            assert!(keys(&app).await.iter().all(is_held), "{name}");
        }
        for (input, outcome, place) in tries {
            let app = world.app.copy().await;
            let answer = ask(&app.with_key(secret), name, &input).await;
            let found = keys(&app).await;
            assert!(found.iter().all(is_held), "{name} {input} {found:#?}");
            let error = &answer["errors"][0];
            match outcome {
                Held => assert!(error.is_null(), "{name} {input} {answer}"),
                Refused(field) => {
                    let field = ["input", place, field]
                        .into_iter()
                        .filter(|part| !part.is_empty());
                    let field = field.collect::<Vec<_>>().join(".");
                    assert_eq!(
                        error["extensions"]["field"], field,
                        "{name} {input} {answer}"
                    );
                    assert_eq!(found, before, "{name} {input}");
                    let answer = ask(&app.admin(), name, &input).await;
                    assert!(answer["errors"].is_null(), "{name} {input} {answer}");
                    assert!(!keys(&app).await.iter().all(is_held), "{name} {input}");
                }
            }
        }
    }
}
