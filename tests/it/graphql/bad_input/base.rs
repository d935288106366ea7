//! Requests that succeed, to vary one value at a time.

use apollo_compiler::Schema;
use apollo_compiler::schema::ExtendedType;
use serde_json::{Value, json};

use super::places::{Asked, Place, Step};
use super::state::Ground;
use crate::matrix::reads::BASES;

/// The arguments of a field without which it does not succeed, and some that are worth varying around.
pub fn arguments(asked: &Asked, ground: &Ground) -> Value {
    let id = |name: &str| ground.id(name);
    let input = match (asked.parent.as_str(), asked.field.as_str()) {
        ("Query", "node") => return json!({"id": id("$user")}),
        ("Query", "nodes") => return json!({"ids": [id("$user")]}),
        ("Query", "user") => return json!({"by": {"id": id("$user")}}),
        ("Query", "team") => return json!({"by": {"id": id("$team")}}),
        ("Query", "apiKey") => return json!({"by": {"id": id("$key")}}),
        ("Query", "role") => return json!({"name": "PROMPTER"}),
        ("Query", "webhook") => return json!({"id": id("$webhook")}),
        ("Query", "invitation") => return json!({"token": id("$token")}),
        ("Query", "usage") => return json!({"groupBy": ["USER"], "timeZone": "Europe/Berlin"}),
        ("Usage", "series") => return json!({"atMost": 10}),
        ("Viewer", "privileges") => return json!({"path": "/models"}),
        ("Query", "checkPermission") => {
            return json!({"principal": id("$user"), "privilege": "model.use", "path": "/models/x"});
        }
        ("Mutation", name) => match name {
            "createUser" => json!({"username": "new"}),
            "updateUser" | "deleteUser" => json!({"id": id("$outsider")}),
            "generateApiKey" => json!({"owner": id("$user")}),
            "updateApiKey" | "rotateApiKey" | "deleteApiKey" => json!({"id": id("$key")}),
            "createTeam" => json!({"slug": "new"}),
            "updateTeam" | "deleteTeam" => json!({"id": id("$team")}),
            "addTeamMember" => json!({"team": id("$team"), "user": id("$outsider")}),
            "updateTeamMember" => {
                json!({"team": id("$team"), "user": id("$teammember"), "role": "ADMIN"})
            }
            "removeTeamMember" => json!({"team": id("$team"), "user": id("$teammember")}),
            "createRole" => json!({"name": "NEW", "privileges": ["model.read"]}),
            "updateRole" | "deleteRole" => json!({"id": id("$role")}),
            "updatePermission" => {
                json!({"principal": id("$user"), "path": "/models/x", "roles": [{"role": "READ"}]})
            }
            "deletePermission" => json!({"id": id("$permission")}),
            "updateLimits" => json!({"subject": {"user": id("$user")}, "requestsPerMinute": 5,
                "budgets": [sample("BudgetInput", ground)]}),
            "updateLimitPolicy" => json!({"userDefaults": {"maxParallel": 5,
                "budgets": [sample("DefaultBudgetInput", ground)]}}),
            "createInvitation" => {
                json!({"email": "new@example.com", "memberships": [sample("MembershipInput", ground)]})
            }
            "resendInvitation" | "revokeInvitation" => json!({"id": id("$invitation")}),
            "requestMagicLink" => json!({"email": "the-target@example.com"}),
            "signInWithMagicLink" => json!({"token": id("$magic")}),
            "requestAccess" => {
                json!({"permissions": [sample("RoleAtInput", ground)], "justification": "for the launch"})
            }
            "reviewAccessRequest" => json!({"id": id("$request"), "decision": "APPROVE"}),
            "withdrawAccessRequest" => json!({"id": id("$mine")}),
            "acceptInvitation" => json!({"token": id("$token")}),
            "updatePolicy" => {
                json!({"apiKeys": {"maxPerUser": 5, "requiredFields": ["DESCRIPTION"]},
                "userDefaults": {"memberships": [sample("MembershipInput", ground)]}})
            }
            "recordUsage" => json!({"events": [sample("UsageEventInput", ground)]}),
            "signIn" => json!({"login": "the-target", "password": "a password of the matrix"}),
            "changePassword" => {
                json!({"password": "a password of the matrix", "newPassword": "another of the matrix"})
            }
            "setPassword" => json!({"user": id("$outsider"), "password": "another of the matrix"}),
            "signOut" => json!({"everywhere": true}),
            "revokeSession" => json!({"id": id("$session")}),
            "revokeOtherSessions" => json!({"user": id("$user")}),
            "enrolTotp" | "enrolPasskey" | "regenerateRecoveryCodes" => {
                json!({"otp": id("$first-otp")})
            }
            "confirmPasskey" => ground.world.passkeys.first_made.clone(),
            "signInWithPasskey" => ground.world.passkeys.signed.clone(),
            "confirmTotp" => json!({"code": id("$first-code")}),
            "updateSecondFactor" => json!({"id": id("$factor"), "name": "New"}),
            "removeSecondFactor" => json!({"id": id("$factor")}),
            "createWebhook" => json!({"url": "https://hooks.example.com/", "events": ["user."]}),
            "updateWebhook" => json!({"id": id("$webhook"), "events": ["user."]}),
            "rotateWebhookSecret" | "deleteWebhook" => json!({"id": id("$webhook")}),
            "redeliver" => json!({"id": id("$delivery")}),
            other => panic!("there is no request to vary for the mutation {other}"),
        },
        _ => return json!({}),
    };
    json!({ "input": input })
}

/// A value of an input type that is right.
pub fn sample(input: &str, ground: &Ground) -> Value {
    match input {
        "BudgetInput" | "DefaultBudgetInput" => {
            json!({"name": "monthly", "maxUsd": "10", "softUsd": "8"})
        }
        "BudgetIncreaseInput" => json!({"maxUsd": "20", "until": "2031-01-01T00:00:00Z"}),
        "BudgetWindowEveryInput" => json!({"unit": "MONTH", "anchor": "2030-01-01T00:00:00Z"}),
        "LimitIncreaseInput" => json!({"maxParallel": 20, "until": "2031-01-01T00:00:00Z"}),
        "LimitedMemberInput" => {
            json!({"team": ground.id("$team"), "user": ground.id("$teammember")})
        }
        "MembershipInput" => json!({"team": ground.id("$team")}),
        "TeamMemberInput" => json!({"user": ground.id("$user")}),
        "KeyPermissionInput" => json!({"path": "/models", "role": "USE"}),
        "RoleAtInput" => json!({"path": "/models", "role": "USE"}),
        "RoleGrantInput" => json!({"role": "USE"}),
        "UsageEventInput" => {
            json!({"id": "1", "apiKey": ground.id("$key"), "usd": "0.5", "tags": ["chat"]})
        }
        "UserOrder" => json!({"field": "USERNAME"}),
        "TeamOrder" => json!({"field": "SLUG"}),
        "ApiKeyOrder" => json!({"field": "NAME"}),
        _ => json!({}),
    }
}

/// The arguments with a value at a place, or without any; what the way leads through is made where it is missing.
pub fn varied(mut arguments: Value, place: &Place, value: Option<Value>, ground: &Ground) -> Value {
    let mut at = &mut arguments;
    let (last, way) = place.path.split_last().unwrap();
    for (n, step) in way.iter().enumerate() {
        at = enter(at, step);
        // What the next step goes into.
        match &place.inputs[n] {
            // Of a choice only the one on the way is made.
            Some(input) if input.ends_with("By") => *at = json!({}),
            Some(input) if place.one_of && n + 1 == way.len() => {
                panic!("{input} is a choice; those are called …By")
            }
            Some(input) if !at.is_object() => *at = sample(input, ground),
            None if at.as_array().is_none_or(Vec::is_empty) => *at = json!([null]),
            _ => {}
        }
    }
    match (value, last) {
        (Some(value), step) => *enter(at, step) = value,
        (None, Step::Name(name)) => {
            at.as_object_mut().unwrap().remove(name);
        }
        (None, Step::First) => *at = json!([]),
    }
    arguments
}

fn enter<'v>(at: &'v mut Value, step: &Step) -> &'v mut Value {
    match step {
        Step::Name(name) => at
            .as_object_mut()
            .unwrap()
            .entry(name.clone())
            .or_insert(Value::Null),
        Step::First => &mut at[0],
    }
}

/// A document that takes every argument of the field from a variable of its name.
pub fn document(schema: &Schema, asked: &Asked, ground: &Ground) -> String {
    let kind = match asked.parent.as_str() {
        "Mutation" => "mutation",
        "Subscription" => "subscription",
        _ => "query",
    };
    let declared: Vec<String> = asked
        .arguments
        .iter()
        .map(|(name, ty)| format!("${name}: {ty}"))
        .collect();
    let given: Vec<String> = asked
        .arguments
        .iter()
        .map(|(name, _)| format!("{name}: ${name}"))
        .collect();
    let result = asked.result.inner_named_type();
    let below = match schema.types.get(result) {
        _ if result.ends_with("Connection") => " { totalCount edges { cursor } }",
        Some(ExtendedType::Object(_) | ExtendedType::Interface(_) | ExtendedType::Union(_)) => {
            " { __typename }"
        }
        _ => "",
    };
    let call = format!("{}({}){below}", asked.field, given.join(", "));
    let base = match asked.parent.as_str() {
        "Mutation" | "Subscription" => "{ FIELD }".to_owned(),
        parent => {
            let base = BASES.iter().find(|(kind, _, _)| *kind == parent);
            ground.world.fill(base.unwrap().1)
        }
    };
    format!(
        "{kind}({}) {}",
        declared.join(", "),
        base.replace("FIELD", &call)
    )
}
