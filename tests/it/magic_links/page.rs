//! The page behind the link.

use keystead::permissions::model::InstanceRole;

use super::{app, link, on, sign_in, viewer};
use crate::support::SmtpServer;

#[tokio::test]
async fn looking_at_the_page_uses_no_link_up() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    app.user("ada", InstanceRole::Member).await;
    let token = link(&app, &server, "ada@example.com").await;
    let anonymous = app.anonymous();
    // As those do who look whether a mail is safe.
    for method in ["GET", "HEAD", "GET"] {
        let path = format!("/sign-in?token={token}");
        let answer = anonymous.send(anonymous.request(method, &path)).await;
        assert_eq!(answer.status, 200, "{method}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(!answer.text().contains(&token));
    }
    let mutation = "mutation{signInWithMagicLink(input:{token:\"TOKEN\"}){secret}}";
    let encoded = mutation.replace("TOKEN", &token);
    let encoded = encoded
        .replace('{', "%7B")
        .replace('}', "%7D")
        .replace('"', "%22");
    let path = format!("/graphql?query={encoded}");
    let answer = anonymous.send(anonymous.request("GET", &path)).await;
    assert_ne!(answer.status, 200, "GET changes nothing: {}", answer.text());
    assert_eq!(
        viewer(&app, &sign_in(&anonymous, &token).await).await,
        "ada"
    );
}

#[tokio::test]
async fn the_page_takes_nothing_from_elsewhere() {
    let server = SmtpServer::start().await;
    let app = app(&server, on()).await;
    let anonymous = app.anonymous();
    for (path, kind) in [
        ("/sign-in", "text/html"),
        ("/pages/sign-in.js", "text/javascript"),
    ] {
        let answer = anonymous.send(anonymous.request("GET", path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("content-type").starts_with(kind), "{path}");
        let policy = answer.header("content-security-policy").to_owned();
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
            "{policy}"
        );
        let text = answer.text();
        assert!(!text.contains("://"), "{path}");
        assert!(
            !text.contains("style=") && !text.contains("onclick"),
            "{path}"
        );
    }
}
