//! Invitations: links by which people come in.

mod accept;
mod faults;
mod mailed;
mod manage;
mod page;
mod tokens;
mod work;

use serde_json::{Value, json};

pub use crate::support::told;
use crate::support::{Client, TestApp};

const CREATE: &str = "mutation($input: CreateInvitationInput!) { createInvitation(input: $input) { link mailed invitation { id status
    email role user { username } invitedBy { username } expiresAt memberships { role team { slug } } } } }";
const ACCEPT: &str = "mutation($input: AcceptInvitationInput!) { acceptInvitation(input: $input) { secret
    user { username email name role memberships { nodes { role team { slug } } } } joined { slug } session { id } } }";
const SHOW: &str = "query($token: String!) { invitation(token: $token) { inviter email username role teams { name role } expiresAt } }";
const PASSWORD: &str = "correct horse battery staple";

/// An invitation: its id and its token.
async fn invite(client: &Client, input: Value) -> (String, String) {
    let data = client.data(CREATE, json!({ "input": input })).await;
    let made = &data["createInvitation"];
    let token = token_of(made["link"].as_str().unwrap());
    (made["invitation"]["id"].as_str().unwrap().to_owned(), token)
}

/// The token of a link.
fn token_of(link: &str) -> String {
    let (page, token) = link.split_once("?token=").unwrap();
    assert_eq!(page, "http://localhost:4000/join");
    assert!(token.starts_with("ksi_") && token.len() == 41, "{token}");
    token.to_owned()
}

/// What accepting answers.
async fn accept(client: &Client, input: Value) -> Value {
    client.gql(ACCEPT, json!({ "input": input })).await
}

async fn refusal(client: &Client, document: &str, input: Value) -> String {
    told(&client.gql(document, json!({ "input": input })).await)
}

/// A team of that slug with these members; its id.
async fn team(app: &TestApp, slug: &str, members: Value) -> String {
    let create = "mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }";
    let input = json!({"input": {"slug": slug, "name": slug, "members": members}});
    let data = app.admin().data(create, input).await;
    data["createTeam"]["team"]["id"]
        .as_str()
        .unwrap()
        .to_owned()
}
