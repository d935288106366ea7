//! Templates: each can be written, and an operator's own replaces it.

use keystead::mail::model::{Settings, Template};
use keystead::mail::templates::Templates;
use serde_json::{Map, json};

use super::{deliver, invitation, put};
use crate::cli::Folder;
use crate::support::{Setup, SmtpServer, TestApp};

#[test]
fn every_template_says_all_its_values_and_escapes_them_in_html() {
    let templates = Templates::load(None).unwrap();
    for template in Template::ALL {
        let mut values = Map::new();
        for name in template.values() {
            values.insert((*name).into(), json!(format!("<{name}&>")));
        }
        values.insert("to".into(), json!("ada@example.com"));
        values.insert("name".into(), json!(null));
        values.insert("public_url".into(), json!("https://keystead.example.com"));
        let written = templates.write(*template, &values).unwrap();
        for name in template.values() {
            let (plain, escaped) = (format!("<{name}&>"), format!("&lt;{name}&amp;&gt;"));
            assert!(written.text.contains(&plain), "{template:?}: {name}");
            assert!(written.html.contains(&escaped), "{template:?}: {name}");
            assert!(!written.html.contains(&plain), "{template:?}: {name}");
        }
        assert!(!written.subject.contains('\n') && !written.subject.is_empty());
    }
}

#[tokio::test]
async fn a_file_of_the_operators_replaces_a_template() {
    let folder = Folder::new("mail-templates");
    std::fs::write(
        folder.path().join("invitation.txt"),
        "Subject: {{ name }}, komm zu uns: {{ purpose }}\n\n{{ link }}\n",
    )
    .unwrap();
    let server = SmtpServer::start().await;
    let app = TestApp::with(Setup {
        mail: Settings {
            templates: Some(folder.path().to_path_buf()),
            ..server.settings(None)
        },
        ..Setup::default()
    })
    .await;
    let values = json!({"purpose": "Grüße\r\nBcc: eve@example.com"});
    put(&app.app, invitation("ada@example.com", values)).await;
    deliver(&app).await;
    let received = server.received();
    assert_eq!(received.len(), 1);
    assert_eq!(received[0].header("bcc"), Vec::<&str>::new());
    let subject = received[0].header("subject");
    assert!(
        subject[0].starts_with("Ada Lovelace, komm zu uns: =?utf-8?b?"),
        "{subject:?}"
    );
    assert!(
        received[0].text.contains("<p>Hello Ada Lovelace,</p>"),
        "the page is still the embedded one: {}",
        received[0].text
    );
}
