//! Mails over real SMTP on loopback.

use keystead::mail::model::{Security, Settings, Smtp, Way};
use serde_json::json;

use super::{app, counts, deliver, invitation, pass, put};
use crate::support::{Authority, Mood, Setup, SmtpServer, TestApp};

#[tokio::test]
async fn a_mail_arrives_with_all_its_parts() {
    let server = SmtpServer::start().await;
    let app = app(&server).await;
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    assert_eq!(
        server.received().len(),
        0,
        "nothing is sent by the request itself"
    );
    assert_eq!(deliver(&app).await, 1);
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].from, "MAIL FROM:<keystead@example.com>");
    assert_eq!(received[0].to, ["RCPT TO:<ada@example.com>"]);
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r#"boundary="[^"]+""#, r#"boundary="…""#);
    settings.add_filter(r"--[A-Za-z0-9]{20,}", "--…");
    settings.add_filter(r"<[0-9a-f]{32}@", "<…@");
    settings.bind(|| insta::assert_snapshot!(received[0].text));
    assert_eq!(counts(&app).await, (0, 0), "what was delivered is gone");
    assert_eq!(deliver(&app).await, 0);
}

#[tokio::test]
async fn no_value_adds_a_header_or_a_recipient() {
    let server = SmtpServer::start().await;
    let app = app(&server).await;
    let evil = "Eve\r\nBcc: eve@example.com\r\n\r\n<script>alert(1)</script>";
    let mut mail = invitation(
        "ada@example.com",
        json!({"inviter": evil, "purpose": evil, "link": evil}),
    );
    mail.name = Some(evil.into());
    put(&app.app, mail).await;
    for address in [
        "ada@example.com\r\nRCPT TO:<eve@example.com>",
        "ada@example.com>\r\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "Ada <ada@example.com>",
        "",
    ] {
        put(&app.app, invitation(address, json!({}))).await;
    }
    deliver(&app).await;
    let received = server.received();
    assert_eq!(received.len(), 1, "{received:#?}");
    assert_eq!(received[0].to, ["RCPT TO:<ada@example.com>"]);
    assert_eq!(received[0].header("bcc"), Vec::<&str>::new());
    assert_eq!(
        received[0].header("subject"),
        ["You are invited to Keystead"]
    );
    let (_, page) = received[0].text.split_once("<html").unwrap();
    assert!(!page.contains("<script>"), "{page}");
    assert_eq!(counts(&app).await, (0, 5), "what is no address is given up");
}

#[tokio::test]
async fn a_server_that_breaks_off_in_the_middle_gets_the_mail_again() {
    let server = SmtpServer::start().await;
    let app = app(&server).await;
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    server.feel(Mood::Breaking);
    assert_eq!(deliver(&app).await, 1);
    assert_eq!((server.received().len(), counts(&app).await), (0, (1, 0)));
    assert_eq!(deliver(&app).await, 0, "not at once");
    // It has the mail, but did not say so: one that is lost would be worse than one that comes twice.
    server.feel(Mood::Forgetful);
    pass(&app, 6);
    assert_eq!(deliver(&app).await, 1);
    server.feel(Mood::Well);
    pass(&app, 34);
    assert_eq!(deliver(&app).await, 1);
    let received = server.received();
    assert_eq!(received.len(), 2);
    assert_eq!(
        received[0].header("message-id"),
        received[1].header("message-id"),
        "the same mail"
    );
    assert_eq!(counts(&app).await, (0, 0));
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_for_a_day_and_then_no_more() {
    let server = SmtpServer::start().await;
    let app = app(&server).await;
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    server.feel(Mood::Refusing(451));
    let (mut attempts, mut seconds) = (0, 0);
    while counts(&app).await.0 == 1 {
        attempts += deliver(&app).await;
        pass(&app, 60);
        seconds += 60;
        assert!(seconds < 200_000, "it goes on for ever");
    }
    assert_eq!(attempts, 11);
    assert!((80_000..100_000).contains(&seconds), "{seconds} s");
    assert_eq!(counts(&app).await, (0, 1), "a dead letter");
    assert_eq!(
        keystead::outbox::ops::tidy(&app.app.db, app.app.clock.now())
            .await
            .unwrap(),
        0
    );
    pass(&app, 31 * 86_400);
    assert_eq!(
        keystead::outbox::ops::tidy(&app.app.db, app.app.clock.now())
            .await
            .unwrap(),
        1
    );
    assert_eq!(counts(&app).await, (0, 0));
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_is_tried_once() {
    let server = SmtpServer::start().await;
    let app = app(&server).await;
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    server.feel(Mood::Refusing(550));
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(counts(&app).await, (0, 1));
}

/// An app that sends to that server with those changes.
async fn with(
    server: &SmtpServer,
    roots: &std::path::Path,
    change: impl FnOnce(&mut Smtp),
) -> TestApp {
    let mut settings: Settings = server.settings(Some(roots));
    if let Way::Smtp(smtp) = &mut settings.way {
        change(smtp);
    }
    TestApp::with(Setup {
        mail: settings,
        ..Setup::default()
    })
    .await
}

#[tokio::test]
async fn mails_go_by_starttls_and_by_tls_to_whom_the_certificate_names() {
    let folder = std::env::temp_dir().join(format!("keystead-mail-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (authority, other) = (Authority::new(), Authority::new());
    let pair = authority.write(&folder, &["localhost"]);
    let (roots, wrong) = (folder.join("roots.pem"), folder.join("wrong.pem"));
    std::fs::write(&roots, authority.pem()).unwrap();
    std::fs::write(&wrong, other.pem()).unwrap();
    for security in [Security::Starttls, Security::Tls] {
        let server = SmtpServer::with(security, Some(&pair)).await;
        let login = |password: &str| Some(("keystead".to_owned(), password.to_owned()));
        let app = with(&server, &roots, |smtp| smtp.login = login("right")).await;
        put(&app.app, invitation("ada@example.com", json!({}))).await;
        deliver(&app).await;
        let received = server.received();
        assert_eq!(received.len(), 1, "{security:?}");
        assert!(received[0].encrypted);
        assert_eq!(received[0].login.as_deref(), Some("keystead:right"));

        // Neither a certificate nor a password that is wrong is the mail's fault: it waits.
        for app in [
            with(&server, &wrong, |_| {}).await,
            with(&server, &roots, |smtp| smtp.host = "127.0.0.1".into()).await,
            with(&server, &roots, |smtp| smtp.login = login("wrong")).await,
        ] {
            put(&app.app, invitation("ada@example.com", json!({}))).await;
            assert_eq!(deliver(&app).await, 1);
            assert_eq!(counts(&app).await, (1, 0), "{security:?}");
        }
        assert_eq!(server.received().len(), 1);
    }
    // A server that offers no TLS gets nothing.
    let server = SmtpServer::start().await;
    let app = with(&server, &roots, |smtp| smtp.security = Security::Starttls).await;
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    deliver(&app).await;
    assert_eq!((server.received().len(), counts(&app).await), (0, (1, 0)));
    std::fs::remove_dir_all(&folder).unwrap();
}
