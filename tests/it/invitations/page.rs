//! The page behind the link.

use crate::support::TestApp;

#[tokio::test]
async fn the_page_is_there_and_takes_nothing_from_elsewhere() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    for (path, kind) in [
        ("/join?token=ksi_secret", "text/html"),
        ("/pages/join.js", "text/javascript"),
        ("/pages/pages.css", "text/css"),
    ] {
        let answer = anonymous.send(anonymous.request("GET", path)).await;
        assert_eq!(answer.status, 200, "{path}");
        let header = |name: &str| answer.header(name).to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("x-content-type-options"), "nosniff");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none';") && !policy.contains("unsafe"),
            "{policy}"
        );
        let text = answer.text();
        assert!(!text.contains("://") && !text.contains("ksi_"), "{path}");
        assert!(
            !text.contains("style=") && !text.contains("onclick"),
            "{path}"
        );
        if kind == "text/html" {
            for part in ["/pages/join.js", "/pages/pages.css"] {
                assert!(text.contains(part));
            }
        }
    }
    let missing = anonymous
        .send(anonymous.request("GET", "/pages/other.js"))
        .await;
    assert_eq!(missing.status, 404);
}
