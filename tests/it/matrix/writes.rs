//! What can be changed. Each mutation runs in a world of its own for each actor.

use std::collections::BTreeMap;

use serde_json::json;

use super::world::World;
use super::{cell, fields, table};

/// A mutation on what belongs to somebody else, which succeeds for an administrator.
pub fn input(name: &str) -> &'static str {
    match name {
        "createUser" => "{username: \"new\"}",
        "updateUser" => "{id: \"$user\", name: \"New\"}",
        "deleteUser" => "{id: \"$user\"}",
        "generateApiKey" => "{owner: \"$user\"}",
        "updateApiKey" => "{id: \"$key\", enabled: false}",
        "rotateApiKey" => "{id: \"$key\"}",
        "deleteApiKey" => "{id: \"$key\"}",
        "createTeam" => "{slug: \"new\"}",
        "updateTeam" => "{id: \"$team\", description: \"New\"}",
        "deleteTeam" => "{id: \"$team\"}",
        "addTeamMember" => "{team: \"$team\", user: \"$outsider\"}",
        "updateTeamMember" => "{team: \"$team\", user: \"$teammember\", role: ADMIN}",
        "removeTeamMember" => "{team: \"$team\", user: \"$teammember\"}",
        "createRole" => "{name: \"NEW\", privileges: [\"model.read\"]}",
        "updateRole" => "{id: \"$role\", description: \"New\"}",
        "deleteRole" => "{id: \"$role\"}",
        "updatePermission" => {
            "{principal: \"$user\", path: \"/models/x\", roles: [{role: \"READ\"}]}"
        }
        "deletePermission" => "{id: \"$permission\"}",
        "updateLimits" => "{subject: {user: \"$user\"}, requestsPerMinute: 5}",
        "updateLimitPolicy" => "{apiKeyDefaults: {maxParallel: 5}}",
        "updatePolicy" => "{apiKeys: {maxPerUser: 5}}",
        "createInvitation" => "{email: \"new@example.com\", memberships: [{team: \"$team\"}]}",
        "resendInvitation" | "revokeInvitation" => "{id: \"$invitation\"}",
        "requestMagicLink" => "{email: \"the-target@example.com\"}",
        "signInWithMagicLink" => "{token: \"$magic\"}",
        "signInWithPasskey" => "$signed",
        "requestAccess" => {
            "{permissions: [{path: \"/models\", role: \"USE\"}], justification: \"x\"}"
        }
        "reviewAccessRequest" => "{id: \"$request\", decision: APPROVE}",
        "withdrawAccessRequest" => "{id: \"$asked\"}",
        "acceptInvitation" => "{token: \"$token\"}",
        "recordUsage" => "{events: [{id: \"1\", user: \"$user\"}]}",
        "signIn" => "{login: \"the-target\", password: \"a password of the matrix\"}",
        "changePassword" => {
            "{password: \"a password of the matrix\", newPassword: \"another of the matrix\"}"
        }
        "setPassword" => "{user: \"$user\", password: \"another of the matrix\"}",
        "signOut" => "{everywhere: true}",
        "revokeSession" => "{id: \"$session\"}",
        "revokeOtherSessions" => "{user: \"$user\"}",
        "enrolTotp" | "enrolPasskey" | "regenerateRecoveryCodes" => "{otp: \"$otp\"}",
        "confirmTotp" => "{code: \"$code\"}",
        "confirmPasskey" => "$made",
        "updateSecondFactor" => "{id: \"$factor\", name: \"New\"}",
        "removeSecondFactor" => "{id: \"$factor\"}",
        "createWebhook" => "{url: \"https://hooks.example.com/\"}",
        "updateWebhook" => "{id: \"$webhook\", description: \"New\"}",
        "rotateWebhookSecret" | "deleteWebhook" => "{id: \"$webhook\"}",
        "redeliver" => "{id: \"$delivery\"}",
        other => panic!("the matrix does not know the mutation {other}"),
    }
}

#[tokio::test]
async fn every_mutation_is_done_by_whom_it_may_be_done() {
    let world = World::new().await;
    let mutations: Vec<String> = fields(&world.app)
        .await
        .into_iter()
        .filter(|field| field.parent == "Mutation")
        .map(|field| field.name)
        .collect();
    let mut rows = BTreeMap::new();
    for name in mutations {
        let document = world.fill(&format!(
            "mutation {{ {name}(input: {}) {{ __typename }} }}",
            input(&name)
        ));
        let mut cells = Vec::new();
        for place in 0..super::ACTORS.len() {
            let copy = world.app.copy().await;
            let client = world.clients(&copy).swap_remove(place);
            let answer = client.gql(&document, json!({})).await;
            cells.push(cell(&answer, "/data", &format!("/data/{name}")));
        }
        assert_eq!(
            cells.last().map(String::as_str),
            Some("ok"),
            "{name} fails for an administrator: the row would say nothing"
        );
        rows.insert(name, cells);
    }
    insta::assert_snapshot!(table(&rows));
}
