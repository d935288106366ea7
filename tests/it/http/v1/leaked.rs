//! `POST /v1/leaked`: reports of keys that were found in public.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use keystead::ctx::Random;
use keystead::http::{Reporters, Settings};
use keystead::permissions::model::InstanceRole;
use keystead::secrets::Secret;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::openapi::described;
use crate::support::{Answer, Call, TestApp};

/// The key of the sample in GitHub's documentation.
pub const SAMPLE_KEY: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEsz9ugWDj5jK5ELBK42ynytbo38gP\nHzZFI03Exwz8Lh/tCfL3YxwMdLjB+bMznsanlhK0RwcGP3IDb34kQDIo3Q==\n-----END PUBLIC KEY-----\n";

/// Somebody who may report, with a key pair of its own.
struct Reporter {
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Reporter {
    fn new() -> Reporter {
        let random = SystemRandom::new();
        let kind = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref(), &random).unwrap();
        Reporter { pair, random }
    }

    fn pem(&self) -> String {
        let mut der = STANDARD
            .decode("MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=")
            .unwrap();
        der.extend_from_slice(self.pair.public_key().as_ref());
        let text = STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }

    fn sign(&self, body: &[u8]) -> String {
        STANDARD.encode(self.pair.sign(&self.random, body).unwrap())
    }

    /// The document that GitHub serves its keys in.
    fn document(&self, identifier: &str) -> String {
        json!({"public_keys": [{"key_identifier": identifier, "key": self.pem(), "is_current": true}]}).to_string()
    }
}

async fn app(keys: &str) -> TestApp {
    let settings = Settings {
        leak_reporters: Reporters::parse(keys).unwrap(),
        ..Settings::default()
    };
    TestApp::with_settings(Default::default(), settings).await
}

async fn post(app: &TestApp, body: &str, identifier: &str, signature: &str) -> Answer {
    let call = Call::new("POST", "/v1/leaked")
        .header("x-request-id", "test-request")
        .header("content-type", "application/json")
        .header("github-public-key-identifier", identifier)
        .header("github-public-key-signature", signature)
        .body(body.to_owned());
    let answer = app.anonymous().send(call).await;
    described("post", "/v1/leaked", &answer);
    answer
}

fn hash(token: &str) -> String {
    let digest = keystead::secrets::Digest::of(token.as_bytes());
    digest
        .as_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

const KEY: &str = "query($by: ApiKeyBy!) { apiKey(by: $by) { id enabled status disabledReason } }";
const TRAIL: &str = "query($id: ID!) { auditEvents(first: 5, filter: {target: $id, action: \"apiKey.update\"}) { nodes { actorId requestId before after } } }";

#[tokio::test]
async fn a_reported_key_is_disabled_at_once_and_it_is_said_why() {
    let reporter = Reporter::new();
    let app = app(&reporter.document("first")).await;
    let (ada, leaked) = app.user_with_key("ada", InstanceRole::Member).await;
    let (_, other) = app.restricted(&ada, &[]).await;
    let unknown = Secret::generate_api_key(&Random::seeded(99));
    let body = json!([
        {"token": leaked, "type": "keystead_api_key", "url": format!("https://github.com/o/r/blob/1/{leaked}.txt"), "source": "content", "new": [1]},
        {"token": unknown.expose(), "type": "keystead_api_key", "url": "", "source": "commit"},
        {"token": "ks_cut", "type": "keystead_api_key", "url": "https://github.com/o/r"},
        {"token": leaked, "type": "keystead_api_key", "url": "https://gist.github.com/1", "source": "gist_content"},
    ])
    .to_string();
    let answer = post(&app, &body, "first", &reporter.sign(body.as_bytes())).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let feedback = |token: &str, label: &str| json!({"token_hash": hash(token), "token_type": "keystead_api_key", "label": label});
    assert_eq!(
        answer.json(),
        json!([
            feedback(&leaked, "true_positive"),
            feedback(unknown.expose(), "false_positive"),
            feedback("ks_cut", "false_positive"),
            feedback(&leaked, "true_positive"),
        ])
    );
    assert!(!answer.text().contains(&leaked[3..20]));
    let error = app
        .with_key(&leaked)
        .error("{ users { totalCount } }", json!({}))
        .await;
    assert_eq!(error.2, "This API key is disabled.");
    // Her other keys work.
    other
        .data("{ viewer { user { username } } }", json!({}))
        .await;
    let found = app
        .admin()
        .data(KEY, json!({"by": {"secret": leaked}}))
        .await;
    let id = json!({"id": found["apiKey"]["id"]});
    let trail = app.admin().data(TRAIL, id.clone()).await;
    let told = json!([
        super::redacted(&found["apiKey"]),
        super::redacted(&trail["auditEvents"]["nodes"])
    ]);
    insta::assert_json_snapshot!(told);
    assert!(!told.to_string().contains(&leaked[7..20]));
    // Switched on again it has no reason any more.
    let on = "mutation($id: ID!) { updateApiKey(input: {id: $id, enabled: true}) { apiKey { enabled disabledReason } } }";
    let found = app.admin().data(on, id).await;
    assert_eq!(
        found["updateApiKey"]["apiKey"],
        json!({"enabled": true, "disabledReason": null})
    );
}

#[tokio::test]
async fn a_secret_that_was_replaced_is_known_but_disables_nothing() {
    let reporter = Reporter::new();
    let app = app(&reporter.pem()).await;
    let (ada, _) = app.user_with_key("ada", InstanceRole::Member).await;
    let (key, client) = app.restricted(&ada, &[]).await;
    let rotated = app
        .admin()
        .data(
            "mutation($id: ID!) { rotateApiKey(input: {id: $id, overlap: \"PT1H\"}) { secret } }",
            json!({"id": key.typed_id().to_string()}),
        )
        .await;
    let new = app.with_key(rotated["rotateApiKey"]["secret"].as_str().unwrap());
    let old = client.key().unwrap().to_owned();
    let report = async || {
        let body = json!([{"token": old, "type": "k", "url": "https://example.com"}]).to_string();
        let answer = post(&app, &body, "", &reporter.sign(body.as_bytes())).await;
        answer.json()[0]["label"].as_str().unwrap().to_owned()
    };
    app.app.clock.advance(chrono::TimeDelta::hours(1));
    assert_eq!(report().await, "true_positive");
    new.data("{ viewer { user { username } } }", json!({}))
        .await;
    app.app.clock.advance(-chrono::TimeDelta::minutes(1));
    assert_eq!(report().await, "true_positive");
    assert_eq!(
        new.error("{ users { totalCount } }", json!({})).await.0,
        "UNAUTHENTICATED"
    );
}

#[tokio::test]
async fn only_a_right_signature_by_a_configured_key_counts() {
    let (reporter, stranger) = (Reporter::new(), Reporter::new());
    let app = app(&reporter.document("first")).await;
    let (_, key) = app.user_with_key("ada", InstanceRole::Member).await;
    let body = json!([{"token": key, "type": "k", "url": "u"}]).to_string();
    let right = reporter.sign(body.as_bytes());
    let other = format!("{body} ");
    for (body, identifier, signature) in [
        (&body, "first", String::new()),
        (&body, "first", "not base64".into()),
        (&body, "first", STANDARD.encode("no signature")),
        (&body, "first", stranger.sign(body.as_bytes())),
        (&body, "second", right.clone()),
        (&body, "", right.clone()),
        (&other, "first", right.clone()),
    ] {
        let answer = post(&app, body, identifier, &signature).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "UNAUTHENTICATED"),
            "{identifier} {signature}"
        );
    }
    let bare = Call::new("POST", "/v1/leaked").body(body.clone());
    assert_eq!(app.anonymous().send(bare).await.status, 401);
    // An administrator's key is no signature.
    let call = app.admin().request("POST", "/v1/leaked").json(&json!([]));
    assert_eq!(app.admin().send(call).await.status, 401);
    app.with_key(&key)
        .data("{ viewer { user { username } } }", json!({}))
        .await;
    assert_eq!(post(&app, &body, "first", &right).await.status, 200);
    let answer = app
        .with_key(&key)
        .post(&json!({"query": "{ viewer { user { username } } }"}))
        .await;
    assert_eq!(answer.status, 401);
    // Where nobody is configured, nobody may report.
    let closed = TestApp::new().await;
    let answer = post(&closed, &body, "first", &right).await;
    assert_eq!((answer.status, answer.code().as_str()), (404, "NOT_FOUND"));
}

#[tokio::test]
async fn what_is_signed_but_no_report_is_refused() {
    let reporter = Reporter::new();
    let app = app(&reporter.pem()).await;
    let many: Vec<Value> = vec![json!({"token": "a", "type": "k"}); 10_001];
    let mut said = Vec::new();
    for body in [
        String::new(),
        "{".into(),
        "{}".into(),
        "[]".into(),
        "[1]".into(),
        "[{}]".into(),
        "[{\"token\": \"a\", \"type\": \"b\"}, {\"token\": \"a\"}]".into(),
        "[{\"token\": 1, \"type\": \"b\"}]".into(),
        "[{\"token\": \"a\", \"token\": \"b\", \"type\": \"b\"}]".into(),
        json!(many).to_string(),
    ] {
        let answer = post(&app, &body, "", &reporter.sign(body.as_bytes())).await;
        assert_eq!(answer.status, 400, "{body}");
        let error = answer.json()["errors"][0].take();
        said.push(json!([
            body.chars().take(60).collect::<String>(),
            error["extensions"]["field"],
            error["message"]
        ]));
    }
    insta::assert_json_snapshot!(said);
    let long = " ".repeat(2_000_000);
    assert_eq!(
        post(&app, &long, "", &reporter.sign(long.as_bytes()))
            .await
            .status,
        413
    );
    let answer = app.anonymous().send(Call::new("GET", "/v1/leaked")).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
}

#[test]
fn files_of_keys_are_read_or_refused_with_the_reason() {
    let reporter = Reporter::new();
    let both = reporter.pem() + &Reporter::new().pem();
    for right in [reporter.pem(), both.clone(), reporter.document("a")] {
        assert!(!Reporters::parse(&right).unwrap().is_empty());
    }
    let rsa = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
    let two = json!({"public_keys": [{"key_identifier": "a", "key": both}]}).to_string();
    for (wrong, why) in [
        ("", "it has no public key"),
        ("nothing", "it has no public key"),
        ("{}", "it is no document of public keys"),
        ("{\"public_keys\": []}", "it has no public key"),
        (two.as_str(), "an entry has not exactly one key"),
        (rsa, "a key in it is not of the curve P-256"),
        (
            "-----BEGIN PUBLIC KEY-----\n%\n-----END PUBLIC KEY-----\n",
            "it is no PEM",
        ),
    ] {
        let said = Reporters::parse(wrong).unwrap_err();
        assert!(said.starts_with(why), "{said}");
    }
}

/// The sample of GitHub's documentation of the programme, with the key that belongs to it.
#[test]
fn the_documented_sample_is_right() {
    let identifier = "f9525bf080f75b3506ca1ead061add62b8633a346606dc5fe544e29231c6ee0d";
    let signature = "MEUCIFLZzeK++IhS+y276SRk2Pe5LfDrfvTXu6iwKKcFGCrvAiEAhHN2kDOhy2I6eGkOFmxNkOJ+L2y8oQ9A2T9GGJo6WJY=";
    let body =
        br#"[{"token":"some_token","type":"some_type","url":"some_url","source":"some_source"}]"#;
    let reporters = Reporters::parse(SAMPLE_KEY).unwrap();
    assert!(reporters.have_signed(identifier, signature, body));
    assert!(!reporters.have_signed(identifier, signature, &body[1..]));
}
