//! An invitation from the request over HTTP to the mail over SMTP and back, with a mail server that fails.

use serde_json::{Value, json};

use super::{ACCEPT, CREATE, PASSWORD, SHOW, token_of, told};
use crate::mail::{app, counts, deliver, pass};
use crate::support::{Call, Mood, Routes, SmtpServer, TestApp};

const RESEND: &str =
    "mutation($id: ID!) { resendInvitation(input: {id: $id}) { link mailed invitation { id } } }";

struct World {
    server: SmtpServer,
    app: TestApp,
    http: Routes,
}

impl World {
    async fn new() -> World {
        let server = SmtpServer::start().await;
        let app = app(&server).await;
        World {
            http: Routes::of(&app).await,
            server,
            app,
        }
    }

    async fn ask(&self, key: Option<&str>, document: &str, variables: Value) -> Value {
        let mut call = Call::new("POST", "/graphql");
        if let Some(key) = key {
            call = call.header("authorization", &format!("Bearer {key}"));
        }
        let body = json!({"query": document, "variables": variables});
        self.http.send(call.json(&body)).await.json()
    }

    async fn admin(&self, document: &str, variables: Value) -> Value {
        let mut answer = self
            .ask(Some(&self.app.admin_key), document, variables)
            .await;
        assert!(answer["errors"].is_null(), "{answer}");
        answer["data"].take()
    }

    /// An invitation for that address: its id and its token.
    async fn invite(&self, email: &str) -> (String, String) {
        let input = json!({"input": {"email": email}});
        let made = self.admin(CREATE, input).await["createInvitation"].take();
        assert_eq!(made["mailed"], true);
        let id = made["invitation"]["id"].as_str().unwrap();
        (id.to_owned(), token_of(made["link"].as_str().unwrap()))
    }

    /// The tokens of the mails that have arrived, in their order.
    fn mailed(&self) -> Vec<String> {
        let received = self.server.received();
        received
            .iter()
            .map(|mail| {
                // Quoted-printable: a soft line break may stand anywhere, and = is written as =3D.
                let text = mail.text.replace("=\n", "").replace("=3D", "=");
                let (_, rest) = text.split_once("/join?token=").unwrap();
                rest[..41].to_owned()
            })
            .collect()
    }

    async fn accept(&self, token: &str) -> Value {
        let input = json!({"input": {"token": token, "password": PASSWORD}});
        self.ask(None, ACCEPT, input).await
    }
}

#[tokio::test]
async fn a_mail_server_that_dies_in_the_middle_of_the_mail_gets_it_again() {
    let world = World::new().await;
    world.server.feel(Mood::Breaking);
    let (_, token) = world.invite("ada@example.com").await;
    assert_eq!(deliver(&world.app).await, 1);
    assert_eq!(
        (world.mailed().len(), counts(&world.app).await),
        (0, (1, 0))
    );
    world.server.feel(Mood::Well);
    pass(&world.app, 6);
    assert_eq!(deliver(&world.app).await, 1);
    assert_eq!(world.mailed(), [token], "the same link");
    assert_eq!(counts(&world.app).await, (0, 0));
    // What came by mail lets its receiver in, once.
    let token = &world.mailed()[0];
    let came = world.accept(token).await;
    assert_eq!(
        came["data"]["acceptInvitation"]["user"]["email"], "ada@example.com",
        "{came}"
    );
    assert!(told(&world.accept(token).await).starts_with("NOT_FOUND"));
}

#[tokio::test]
async fn a_mail_server_that_is_busy_gets_the_mail_later() {
    let world = World::new().await;
    world.server.feel(Mood::Refusing(450));
    let (_, token) = world.invite("ada@example.com").await;
    deliver(&world.app).await;
    pass(&world.app, 6);
    deliver(&world.app).await;
    assert_eq!(
        (world.mailed().len(), counts(&world.app).await),
        (0, (1, 0))
    );
    // The link works all the same: it is in the answer as well.
    let shown = world.ask(None, SHOW, json!({ "token": token })).await;
    assert_eq!(shown["data"]["invitation"]["email"], "ada@example.com");
    world.server.feel(Mood::Well);
    assert_eq!(deliver(&world.app).await, 0, "not at once");
    pass(&world.app, 34);
    assert_eq!(deliver(&world.app).await, 1);
    assert_eq!(world.mailed(), [token]);
    assert_eq!(counts(&world.app).await, (0, 0));
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_gets_another_link_when_it_is_sent_again() {
    let world = World::new().await;
    world.server.feel(Mood::Refusing(550));
    let (id, first) = world.invite("ada@example.com").await;
    deliver(&world.app).await;
    pass(&world.app, 86_400);
    assert_eq!(deliver(&world.app).await, 0, "it is tried once");
    assert_eq!(
        (world.mailed().len(), counts(&world.app).await),
        (0, (0, 1))
    );
    world.server.feel(Mood::Well);
    let again = world.admin(RESEND, json!({ "id": id })).await;
    let second = token_of(again["resendInvitation"]["link"].as_str().unwrap());
    assert_eq!(again["resendInvitation"]["mailed"], true);
    assert_eq!(deliver(&world.app).await, 1);
    assert_eq!(world.mailed(), std::slice::from_ref(&second));
    assert!(told(&world.accept(&first).await).starts_with("NOT_FOUND"));
    let came = world.accept(&second).await;
    assert!(came["errors"].is_null(), "{came}");
}
