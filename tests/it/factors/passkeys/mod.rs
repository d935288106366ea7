//! Passkeys: made and used by an authenticator in software.

mod beside;
mod clones;
mod confirm;
mod setup;
mod sign_in;
mod tokens;

use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use super::{signed_in, text, user};
use crate::support::authenticator::Passkey;
use crate::support::{Client, TestApp};

/// The pages of every app under test.
pub const ORIGIN: &str = "http://localhost:4000";

pub const CHALLENGE: &str = "{ passkeyChallenge { challenge options expiresAt } }";
pub const ENROL: &str = "mutation($input: EnrolPasskeyInput!) { enrolPasskey(input: $input) { challenge options expiresAt } }";
pub const CONFIRM: &str = "mutation($input: ConfirmPasskeyInput!) { confirmPasskey(input: $input) {
    recoveryCodes secondFactor { id kind name createdAt lastUsedAt user { username } } } }";
pub const SIGN_IN: &str =
    "mutation($input: SignInWithPasskeyInput!) { signInWithPasskey(input: $input) {
    secret user { username } session { method device createdAt expiresAt } } }";

/// A passkey that is being set up: it, and the input of `confirmPasskey`.
pub async fn begin(client: &Client, input: Value) -> (Passkey, Value) {
    let begun = client.data(ENROL, json!({ "input": input })).await;
    let begun = &begun["enrolPasskey"];
    let passkey = Passkey::new(&begun["options"], ORIGIN);
    let credential = passkey.made(&begun["options"]);
    let confirm = json!({"challenge": begun["challenge"], "credential": credential});
    (passkey, confirm)
}

/// Sets up a passkey: it, and what `confirmPasskey` answers.
pub async fn set_up(client: &Client, input: Value) -> (Passkey, Value) {
    let (passkey, confirm) = begin(client, input).await;
    let confirmed = client.data(CONFIRM, json!({ "input": confirm })).await;
    (passkey, confirmed["confirmPasskey"].clone())
}

/// Somebody who has a passkey and nothing else, and is signed in.
pub struct Somebody {
    pub client: Client,
    pub passkey: Passkey,
    pub codes: Vec<String>,
    pub factor: String,
}

/// A user of that name and role who has set up a passkey.
pub async fn somebody(app: &TestApp, name: &str, role: InstanceRole) -> Somebody {
    user(app, name, role).await;
    let (_, client) = signed_in(app, name).await;
    let (passkey, confirmed) = set_up(&client, json!({})).await;
    Somebody {
        client,
        passkey,
        codes: super::texts(&confirmed["recoveryCodes"]),
        factor: text(&confirmed["secondFactor"]["id"]),
    }
}

/// A new challenge.
pub async fn challenge(app: &TestApp) -> Value {
    let data = app.anonymous().data(CHALLENGE, json!({})).await;
    data["passkeyChallenge"].clone()
}

/// A new challenge, signed.
pub async fn signed(app: &TestApp, passkey: &mut Passkey) -> Value {
    let challenge = challenge(app).await;
    json!({"challenge": challenge["challenge"], "credential": passkey.sign(&challenge["options"])})
}

/// Signs in with that and nothing else: the whole answer.
pub async fn sign_in(app: &TestApp, signed: &Value) -> Value {
    app.anonymous()
        .gql(SIGN_IN, json!({ "input": signed }))
        .await
}
