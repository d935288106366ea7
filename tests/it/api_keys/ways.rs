//! Mutations as ways to a key: `limits::every_way` and `policy::every_way` try each of them.

use serde_json::{Value, json};

use crate::support::Client;

/// Those that make no key, change none, and set no limits.
pub const KEYLESS: [&str; 45] = [
    "acceptInvitation",
    "addTeamMember",
    "changePassword",
    "confirmPasskey",
    "confirmTotp",
    "createInvitation",
    "createRole",
    "createTeam",
    "createWebhook",
    "deleteApiKey",
    "deletePermission",
    "deleteRole",
    "deleteTeam",
    "deleteUser",
    "deleteWebhook",
    "enrolPasskey",
    "enrolTotp",
    "recordUsage",
    "redeliver",
    "regenerateRecoveryCodes",
    "removeSecondFactor",
    "removeTeamMember",
    "requestAccess",
    "requestMagicLink",
    "resendInvitation",
    "reviewAccessRequest",
    "revokeInvitation",
    "revokeOtherSessions",
    "revokeSession",
    "rotateWebhookSecret",
    "setPassword",
    "signIn",
    "signInWithMagicLink",
    "signInWithPasskey",
    "signOut",
    "updateLimitPolicy",
    "updatePermission",
    "updatePolicy",
    "updateRole",
    "updateSecondFactor",
    "updateTeam",
    "updateTeamMember",
    "updateUser",
    "updateWebhook",
    "withdrawAccessRequest",
];

/// What the mutation of that name answers to this input.
pub async fn ask(client: &Client, name: &str, input: &Value) -> Value {
    let mut kind = name.to_owned();
    kind[..1].make_ascii_uppercase();
    let document =
        format!("mutation($input: {kind}Input!) {{ {name}(input: $input) {{ __typename }} }}");
    client.gql(&document, json!({ "input": input })).await
}
