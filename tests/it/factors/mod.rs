//! Second factors: apps that make codes, recovery codes, and what signing in asks of who has them.

mod faults;
pub mod passkeys;
mod recovery;
mod remove;
mod required;
mod sign_in;
mod throttle;
mod tokens;
mod totp;
mod ways;

use chrono::TimeDelta;
use keystead::permissions::model::InstanceRole;
use ring::hmac;
use serde_json::{Value, json};

pub use crate::sessions::{PASSWORD, signed_in, sql, user};
pub use crate::support::told;
use crate::support::{Client, TestApp};

pub const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) {
    secret mustEnrolSecondFactor session { id } user { username } } }";
pub const ENROL: &str = "mutation($input: EnrolTotpInput!) { enrolTotp(input: $input) { uri secret qrCode expiresAt } }";
pub const CONFIRM: &str = "mutation($input: ConfirmTotpInput!) { confirmTotp(input: $input) {
    recoveryCodes secondFactor { id kind name createdAt lastUsedAt user { username } } } }";
pub const REGENERATE: &str = "mutation($input: RegenerateRecoveryCodesInput!) { regenerateRecoveryCodes(input: $input) { recoveryCodes } }";
pub const REMOVE: &str = "mutation($input: RemoveSecondFactorInput!) { removeSecondFactor(input: $input) { removedSecondFactorId } }";
pub const MINE: &str = "{ viewer { user { username recoveryCodesLeft secondFactors { id kind name createdAt lastUsedAt } } } }";

/// An app that makes codes, as it is on somebody's phone.
pub struct Phone(Vec<u8>);

impl Phone {
    /// It has read the secret in base32.
    pub fn reading(secret: &str) -> Phone {
        let mut bits = 0u64;
        let (mut have, mut bytes) = (0, Vec::new());
        for c in secret.bytes() {
            let value = match c {
                b'A'..=b'Z' => c - b'A',
                b'2'..=b'7' => c - b'2' + 26,
                other => panic!("{} is not in base32", char::from(other)),
            };
            bits = bits << 5 | u64::from(value);
            have += 5;
            if have >= 8 {
                have -= 8;
                bytes.push((bits >> have & 0xff) as u8);
            }
        }
        assert_eq!(bytes.len(), 20, "160 bits, as RFC 4226 recommends");
        Phone(bytes)
    }

    /// The code of the step that is so many after the present one (RFC 6238, RFC 4226 section 5.3), by another hand than the server's.
    pub fn code(&self, app: &TestApp, steps: i64) -> String {
        let counter = app.app.clock.now().timestamp() / 30 + steps;
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &counter.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] & 0xf);
        let word = u32::from_be_bytes(tag[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", word % 1_000_000)
    }

    /// A code that is not good now.
    pub fn wrong(&self, app: &TestApp) -> String {
        let good = [-1, 0, 1].map(|steps| self.code(app, steps));
        let mut all = (0..).map(|number| format!("{number:06}"));
        all.find(|code| !good.contains(code)).unwrap()
    }
}

/// Somebody who has a second factor, and is signed in.
pub struct Somebody {
    pub client: Client,
    pub phone: Phone,
    pub codes: Vec<String>,
    pub factor: String,
}

/// A user of that name and role who has set up an app. The next step of its codes has begun.
pub async fn somebody(app: &TestApp, name: &str, role: InstanceRole) -> Somebody {
    user(app, name, role).await;
    let (_, client) = signed_in(app, name).await;
    let (phone, confirmed) = set_up(app, &client, json!({})).await;
    let codes = &confirmed["recoveryCodes"];
    Somebody {
        client,
        phone,
        codes: texts(codes),
        factor: text(&confirmed["secondFactor"]["id"]),
    }
}

/// Sets up an app: it, and what `confirmTotp` answers. Then the next step of its codes begins.
pub async fn set_up(app: &TestApp, client: &Client, input: Value) -> (Phone, Value) {
    let begun = client.data(ENROL, json!({ "input": input })).await;
    let phone = Phone::reading(begun["enrolTotp"]["secret"].as_str().unwrap());
    let code = json!({"input": {"code": phone.code(app, 0)}});
    let confirmed = client.data(CONFIRM, code).await["confirmTotp"].clone();
    next_step(app);
    (phone, confirmed)
}

pub fn next_step(app: &TestApp) {
    app.app.clock.advance(TimeDelta::seconds(30));
}

/// Lets a session be old enough to prove nothing by itself.
pub fn later(app: &TestApp) {
    app.app.clock.advance(TimeDelta::minutes(10));
}

/// Signs in with the right password: what is told.
pub async fn sign_in(app: &TestApp, name: &str, otp: Option<&str>) -> Value {
    let input = json!({"input": {"login": name, "password": PASSWORD, "otp": otp}});
    app.anonymous().gql(SIGN_IN, input).await
}

/// A client with the session that was begun.
pub fn client(app: &TestApp, answer: &Value) -> Client {
    let secret = answer["data"]["signIn"]["secret"].as_str();
    app.with_key(secret.unwrap_or_else(|| panic!("{answer:#}")))
}

/// The code and field of a refusal; `ok` if it is none.
pub fn code(answer: &Value) -> String {
    let error = &answer["errors"][0]["extensions"];
    match error["code"].as_str() {
        Some(code) => format!("{code} {}", error["field"].as_str().unwrap_or("-")),
        None => "ok".into(),
    }
}

pub async fn ask(client: &Client, document: &str, input: Value) -> Value {
    client.gql(document, json!({ "input": input })).await
}

pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

pub fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(text).collect()
}
