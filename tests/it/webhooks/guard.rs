//! Where nothing is sent, and receivers that would do harm.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use ipnet::IpNet;
use keystead::ctx::Policy;
use keystead::webhooks::address::is_allowed;
use keystead::webhooks::model::Settings;
use serde_json::json;

use super::{app, create, deliver, deliveries, event};
use crate::cli::Folder;
use crate::support::{Authority, HttpAnswer, Receiver, Setup, TestApp};

#[test]
fn addresses_that_are_not_public_are_refused_unless_they_are_named() {
    let refused = [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2001:10::1",
        "2002:7f00:1::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "5f00::1",
    ];
    let allowed = [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "169.253.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.3.1",
        "192.167.0.1",
        "198.17.0.1",
        "198.20.0.1",
        "223.255.255.255",
        "::ffff:1.1.1.1",
        "2001:200::1",
        "2606:4700:4700::1111",
        "2a00:1450::1",
        "3ffe::1",
    ];
    let may =
        |text: &str, networks: &[IpNet]| is_allowed(text.parse::<IpAddr>().unwrap(), networks);
    for text in refused {
        assert!(!may(text, &[]), "{text}");
    }
    for text in allowed {
        assert!(may(text, &[]), "{text}");
    }
    let networks = ["10.1.0.0/16".parse().unwrap(), "fd00::/8".parse().unwrap()];
    for (text, expected) in [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("10.2.0.1", false),
        ("fd00:ec2::254", true),
        ("fe80::1", false),
        ("8.8.8.8", true),
    ] {
        assert_eq!(may(text, &networks), expected, "{text}");
    }
}

#[tokio::test]
async fn an_address_that_can_be_seen_to_be_wrong_is_refused_when_the_webhook_is_made() {
    let app = TestApp::new().await;
    let make =
        "mutation($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }";
    let mut answers = Vec::new();
    for url in [
        "https://127.0.0.1/",
        "https://[::1]:8443/",
        "https://[::ffff:10.0.0.1]/",
        "https://169.254.169.254/latest/meta-data",
        "http://hooks.example.com/",
        "http://1.1.1.1/",
        "ftp://hooks.example.com/",
        "hooks.example.com",
        "https://",
        "https:///path",
        "https://ada:secret@hooks.example.com/",
        "https://hooks.example.com/#fragment",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:99999/",
        "https://hooks example.com/",
        "https://grüße.example/",
        "",
        "https://hooks.example.com/\r\nX: y",
    ] {
        let (code, field, message) = app
            .admin()
            .error(make, json!({"input": {"url": url}}))
            .await;
        assert_eq!(
            (code.as_str(), field.as_str()),
            ("BAD_USER_INPUT", "input.url"),
            "{url}"
        );
        answers.push(message);
    }
    let long = format!("https://hooks.example.com/{}", "x".repeat(2_048));
    let (_, _, message) = app
        .admin()
        .error(make, json!({"input": {"url": long}}))
        .await;
    answers.push(message);
    insta::assert_json_snapshot!(answers);
}

#[tokio::test]
async fn a_name_that_leads_to_this_machine_is_not_connected_to() {
    let receiver = Receiver::start().await;
    let app = TestApp::new().await;
    // Names and forms that are no address before they are resolved.
    for host in [
        "localhost",
        "127.1",
        "0177.0.0.1",
        "2130706433",
        "0x7f000001",
    ] {
        let url = format!("https://{host}:{}/", receiver.address.port());
        let make = "mutation($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }";
        app.admin()
            .data(
                make,
                json!({"input": {"url": url, "events": ["role.create"]}}),
            )
            .await;
    }
    event(&app.admin(), "tester").await;
    deliver(&app).await;
    assert_eq!(receiver.connections(), 0);
    let made = deliveries(&app.admin(), json!({})).await;
    assert_eq!(made.len(), 5);
    for delivery in made {
        let error = delivery["error"].as_str().unwrap();
        assert!(
            error.contains("not public") || error == "the host's name was not found",
            "{delivery}"
        );
    }
}

#[tokio::test]
async fn a_receiver_that_redirects_floods_or_talks_nonsense_harms_nothing() {
    let (app, receiver, elsewhere) = (
        app().await,
        Receiver::start().await,
        Receiver::start().await,
    );
    create(&app.admin(), &receiver, &["role.create"]).await;
    for (number, (answer, expected)) in [
        (
            HttpAnswer::Redirect(elsewhere.url()),
            "redirects are not followed (307)",
        ),
        (HttpAnswer::Large, ""),
        (HttpAnswer::Endless, ""),
        (
            HttpAnswer::EndlessHead,
            "the head of the answer is too large",
        ),
        (HttpAnswer::Nonsense, "the answer is not HTTP"),
        (
            HttpAnswer::Status(199),
            "the connection broke before there was an answer",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        receiver.answer(answer.clone());
        event(&app.admin(), &format!("role{number}")).await;
        let began = Instant::now();
        deliver(&app).await;
        assert!(began.elapsed() < Duration::from_secs(5), "{answer:?}");
        let made = deliveries(&app.admin(), json!({})).await;
        let (status, error) = (
            &made[0]["status"],
            made[0]["error"].as_str().unwrap_or_default(),
        );
        assert_eq!(error, expected, "{answer:?}");
        assert_eq!(
            status,
            if expected.is_empty() {
                "DELIVERED"
            } else {
                "PENDING"
            },
            "{answer:?}"
        );
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_receiver_that_never_answers_keeps_no_other_waiting() {
    let (app, slow, quick) = (
        app().await,
        Receiver::start().await,
        Receiver::start().await,
    );
    slow.answer(HttpAnswer::Nothing);
    create(&app.admin(), &slow, &["role.create"]).await;
    create(&app.admin(), &quick, &["role.create"]).await;
    for number in 0..40 {
        event(&app.admin(), &format!("role{number}")).await;
    }
    let (stop, stopping) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(
        app.app
            .clone()
            .keep_delivering(stopping, Duration::from_millis(100)),
    );
    let arrived = tokio::time::timeout(Duration::from_secs(10), quick.wait(40)).await;
    assert_eq!(arrived.expect("the slow one holds all workers").len(), 40);
    assert!(slow.arrived().len() <= 4, "{}", slow.arrived().len());
    stop.send_replace(true);
    running.await.unwrap();
}

#[tokio::test]
async fn a_receiver_is_asked_by_tls_under_its_own_name() {
    let folder = Folder::new("webhook-tls");
    let authority = Authority::new();
    let pair = authority.write(folder.path(), &["localhost"]);
    let roots = folder.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    let receiver = Receiver::with(Some(&pair)).await;
    let app = TestApp::with(Setup {
        policy: Policy {
            webhooks: Settings {
                networks: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
                roots: Some(roots),
            },
            ..Setup::default().policy
        },
        ..Setup::default()
    })
    .await;
    let make =
        "mutation($input: CreateWebhookInput!) { createWebhook(input: $input) { webhook { id } } }";
    for host in ["localhost", "127.0.0.1"] {
        let url = format!("https://{host}:{}/", receiver.address.port());
        app.admin()
            .data(
                make,
                json!({"input": {"url": url, "events": ["role.create"]}}),
            )
            .await;
    }
    event(&app.admin(), "tester").await;
    deliver(&app).await;
    assert_eq!(receiver.arrived().len(), 1);
    assert_eq!(
        receiver.arrived()[0].headers["host"],
        format!("localhost:{}", receiver.address.port())
    );
    let refused = deliveries(&app.admin(), json!({"status": "PENDING"})).await;
    assert_eq!(
        refused.len(),
        1,
        "the certificate does not name the address"
    );
    assert!(
        refused[0]["error"]
            .as_str()
            .unwrap()
            .starts_with("no TLS: "),
        "{refused:?}"
    );
}
