//! Signing in, and what becomes of sessions.

mod answers;
mod basic;
mod cookie;
mod ending;
mod faults;
mod lifetimes;
mod listed;
mod passwords;
mod sign_in;
mod throttle;
mod tokens;
mod work;

use chrono::{DateTime, Utc};
use keystead::db::ids::Kind;
use keystead::permissions::model::InstanceRole;
use keystead::users::model::User;
use serde_json::{Value, json};

use crate::support::{Answer, Client, TestApp};

/// The password of everybody here.
pub const PASSWORD: &str = "a horse reads 12 maps";

const SIGN_IN: &str = "mutation($input: SignInInput!) { signIn(input: $input) {
    secret user { username } session { id method current device createdFrom lastUsedFrom createdAt lastUsedAt expiresAt } } }";

/// A user who has that password.
pub async fn user(app: &TestApp, name: &str, role: InstanceRole) -> User {
    let (user, _) = app.user_with_key(name, role).await;
    let hash =
        keystead::authn::password::hash(keystead::secrets::Secret::new(PASSWORD.to_owned()), 4);
    let set = format!(
        "UPDATE users SET password_hash = '{}' WHERE id = '{}'",
        hash.await.unwrap(),
        user.id
    );
    sql(app, &set).await;
    user
}

pub async fn sql(app: &TestApp, statement: &str) {
    let client = app.app.db.endpoint().client().await.unwrap();
    client.batch_execute(statement).await.unwrap();
}

/// Signs in; the whole answer.
pub async fn attempt(app: &TestApp, login: &str, password: &str) -> Value {
    let input = json!({"input": {"login": login, "password": password}});
    app.anonymous().gql(SIGN_IN, input).await
}

/// Signs in with the right password: the session's id, and a client with its secret.
pub async fn signed_in(app: &TestApp, login: &str) -> (String, Client) {
    let answer = attempt(app, login, PASSWORD).await;
    let made = &answer["data"]["signIn"];
    let text = |value: &Value| {
        value
            .as_str()
            .unwrap_or_else(|| panic!("{answer:#}"))
            .to_owned()
    };
    let secret = text(&made["secret"]);
    (text(&made["session"]["id"]), app.with_key(&secret))
}

/// The code and message of the answer to a question that everybody may ask who is somebody.
pub async fn refusal(client: &Client) -> (String, String) {
    let (code, _, message) = client.error("{ viewer { user { id } } }", json!({})).await;
    (code, message)
}

/// Whether the client is somebody.
pub async fn works(client: &Client) -> bool {
    let answer = client.gql("{ viewer { user { id } } }", json!({})).await;
    answer["data"]["viewer"]["user"]["id"].is_string()
}

/// What has been recorded of sessions, oldest first: action, who did it, and what is kept.
pub async fn recorded(app: &TestApp) -> Value {
    let ask = "{ auditEvents(first: 50, filter: {action: \"session.\"}, orderBy: {direction: ASC}) { nodes { action actorName before after } } }";
    let asked = app.admin().gql(ask, json!({})).await;
    asked["data"]["auditEvents"]["nodes"].clone()
}

pub fn id(user: &User) -> String {
    keystead::db::ids::Id::new(Kind::User, user.id).to_string()
}

pub fn moment(text: &Value) -> DateTime<Utc> {
    text.as_str().unwrap().parse().unwrap()
}

/// The `Set-Cookie` of an answer.
pub fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").to_owned()
}
