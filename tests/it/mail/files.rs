//! Mails where no SMTP server is configured.

use std::os::unix::fs::PermissionsExt;

use keystead::mail::model::{Settings, Way};
use serde_json::json;

use super::{counts, deliver, invitation, put};
use crate::cli::{Folder, keystead, run};
use crate::support::{Setup, TestApp};

#[tokio::test]
async fn without_a_server_a_mail_is_a_file_that_nobody_else_reads() {
    let folder = Folder::new("mail-files");
    let mails = folder.path().join("mail");
    let app = TestApp::with(Setup {
        mail: Settings {
            way: Way::Folder(mails.clone()),
            ..Settings::default()
        },
        ..Setup::default()
    })
    .await;
    put(&app.app, invitation("ada@example.com", json!({}))).await;
    assert_eq!(deliver(&app).await, 1);
    assert_eq!(counts(&app).await, (0, 0));
    let files: Vec<_> = std::fs::read_dir(&mails)
        .unwrap()
        .map(|file| file.unwrap())
        .collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().into_string().unwrap();
    assert!(
        name.starts_with("20300101T120000Z-") && name.ends_with(".eml"),
        "{name}"
    );
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&files[0].path()), mode(&mails)), (0o600, 0o700));
    let text = std::fs::read_to_string(files[0].path()).unwrap();
    assert!(
        text.contains("To: \"Ada Lovelace\" <ada@example.com>\r\n"),
        "{text}"
    );
    assert!(
        text.contains("Subject: You are invited to Keystead\r\n"),
        "{text}"
    );
    assert!(
        text.contains("https://keystead.example.com/join?token"),
        "{text}"
    );
}

#[test]
fn settings_of_mails_that_cannot_be_are_refused_by_name() {
    let folder = Folder::new("mail-settings");
    std::fs::create_dir(folder.path().join("templates")).unwrap();
    std::fs::write(
        folder.path().join("templates/invitation.txt"),
        "Subject: {{ lnik }}\n",
    )
    .unwrap();
    let refused = |flags: &[&str]| {
        let arguments: Vec<&str> = ["config"].iter().chain(flags).copied().collect();
        let ran = run(&mut keystead(folder.path(), &arguments));
        assert_eq!(ran.code, Some(1), "{flags:?}: {}", ran.out);
        ran.err.lines().skip(1).collect::<Vec<_>>().join("\n")
    };
    let answers: Vec<String> = [
        &["--smtp-host", "mail.example.com"][..],
        &[
            "--smtp-host",
            "mail.example.com",
            "--mail-from",
            "k@example.com",
            "--smtp-security",
            "none",
        ],
        &[
            "--smtp-host",
            "mail.example.com",
            "--mail-from",
            "no address",
        ],
        &[
            "--smtp-host",
            "mail.example.com",
            "--mail-from",
            "k@example.com",
            "--smtp-security",
            "ssl",
        ],
        &["--smtp-user", "keystead"],
        &[
            "--smtp-host",
            "localhost",
            "--mail-from",
            "k@example.com",
            "--smtp-roots",
            "missing.pem",
        ],
        &["--mail-templates", "missing"],
        &["--mail-templates", "templates"],
        &["--sealing-key", "short"],
    ]
    .into_iter()
    .map(refused)
    .collect();
    insta::assert_debug_snapshot!(answers);
    let ran = run(&mut keystead(
        folder.path(),
        &[
            "config",
            "--smtp-host",
            "::1",
            "--mail-from",
            "k@example.com",
            "--smtp-security",
            "none",
        ],
    ));
    assert_eq!(ran.code, Some(0), "{}", ran.err);
}
