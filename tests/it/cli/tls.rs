//! Certificates as the operator meets them: wrong ones are named, and new ones are taken without a restart.

use super::server::Server;
use super::{Folder, keystead, run};
use crate::support::Authority;
use nix::sys::signal::{Signal, kill};
use rustls::pki_types::CertificateDer;
use std::fs;
use std::time::{Duration, Instant};

#[test]
fn files_that_cannot_be_used_are_named_with_what_is_wrong() {
    let folder = Folder::new("tls-files");
    let dir = folder.path();
    let authority = Authority::new();
    authority.write(dir, &["localhost"]);
    fs::create_dir(dir.join("other")).unwrap();
    authority.write(&dir.join("other"), &["localhost"]);
    fs::write(dir.join("empty.pem"), "").unwrap();
    fs::write(
        dir.join("broken.pem"),
        "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n",
    )
    .unwrap();
    let no_certificate = "it holds no certificate in PEM (-----BEGIN CERTIFICATE-----)";
    let no_key = "it holds no private key in PEM (PKCS #8, PKCS #1 or SEC 1, not encrypted)";
    for (certificate, key, part) in [
        ("server.pem", "", "is not set, and TLS needs it beside tls_certificate".to_owned()),
        ("", "server.key", "is not set, and TLS needs it beside tls_key".to_owned()),
        ("none.pem", "server.key", "tls_certificate (KEYSTEAD_TLS_CERTIFICATE in the environment) is none.pem: it cannot be read: No such file".to_owned()),
        ("server.pem", "none.key", "tls_key (KEYSTEAD_TLS_KEY in the environment) is none.key: it cannot be read: No such file".to_owned()),
        ("empty.pem", "server.key", format!("is empty.pem: {no_certificate}")),
        ("server.key", "server.key", format!("is server.key: {no_certificate}")),
        ("server.pem", "server.pem", format!("is server.pem: {no_key}")),
        ("server.pem", "broken.pem", "is broken.pem: it is no valid PEM".to_owned()),
        ("server.pem", "other/server.key", "is other/server.key: it is not the key of the certificate in server.pem".to_owned()),
    ] {
        for command in ["config", "doctor", "serve"] {
            let ran = run(keystead(dir, &[command])
                .env("KEYSTEAD_TLS_CERTIFICATE", certificate)
                .env("KEYSTEAD_TLS_KEY", key));
            assert_eq!(ran.code, Some(1), "{certificate} {key}: {}", ran.out);
            assert!(ran.err.contains(&part), "{part:?} is missing: {}", ran.err);
            assert!(!ran.err.contains("c2VjcmV0"), "{}", ran.err);
        }
    }
    let right = run(keystead(dir, &["config"])
        .env("KEYSTEAD_TLS_CERTIFICATE", "server.pem")
        .env("KEYSTEAD_TLS_KEY", "server.key"));
    assert_eq!(right.code, Some(0), "{}", right.err);
}

/// The certificate that the server shows.
async fn shown(authority: &Authority, server: &Server) -> CertificateDer<'static> {
    let stream = authority
        .connect(&server.address, "http/1.1")
        .await
        .unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0]
        .clone()
        .into_owned()
}

async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !done().await {
        assert!(began.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_hangup_takes_a_new_certificate_and_keeps_the_old_before_a_bad_one() {
    let folder = Folder::new("tls-reload");
    let dir = folder.path();
    let authority = Authority::new();
    let first = authority.write(dir, &["localhost"]);
    let server = Server::start_with(dir, |command| {
        command.args(["--tls-certificate", "server.pem", "--tls-key", "server.key"]);
    });
    assert!(
        server.banner.contains(" is ready: https://127.0.0.1:"),
        "{}",
        server.banner
    );
    assert_eq!(shown(&authority, &server).await, first.der);

    let second = authority.write(dir, &["localhost"]);
    assert_eq!(
        shown(&authority, &server).await,
        first.der,
        "before the signal"
    );
    kill(server.pid(), Signal::SIGHUP).unwrap();
    until("the new certificate is not taken", async || {
        shown(&authority, &server).await == second.der
    })
    .await;

    for (bad, reason) in [
        ("nonsense", "it holds no certificate in PEM"),
        ("", "it holds no certificate in PEM"),
    ] {
        fs::write(dir.join("server.pem"), bad).unwrap();
        let before = Server::log(dir).matches(reason).count();
        kill(server.pid(), Signal::SIGHUP).unwrap();
        until("nothing is said of a bad certificate", async || {
            Server::log(dir).matches(reason).count() > before
        })
        .await;
        assert_eq!(shown(&authority, &server).await, second.der);
    }
    let third = authority.write(dir, &["localhost"]);
    kill(server.pid(), Signal::SIGHUP).unwrap();
    until("the third certificate is not taken", async || {
        shown(&authority, &server).await == third.der
    })
    .await;
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn doctor_looks_at_the_dates_of_the_certificate() {
    let folder = Folder::new("tls-dates");
    let dir = folder.path();
    let authority = Authority::new();
    let now = keystead::ctx::Clock::system().now();
    // Half a day more than so many days from now, or less.
    for (begins, ends, code, part) in [
        (-1, 90, 0, "ok    certificate    server.pem valid until "),
        (-1, 31, 0, "ok    certificate    server.pem valid until "),
        (-1, 29, 0, "warn  certificate    server.pem expires on "),
        (-1, 29, 0, ", in 29 days\n"),
        (
            -90,
            -1,
            1,
            "FAIL  certificate    server.pem has expired on ",
        ),
        (
            1,
            90,
            1,
            "FAIL  certificate    server.pem is not valid before ",
        ),
    ] {
        let at = |days: i64| {
            let moment = now + chrono::TimeDelta::days(days) + chrono::TimeDelta::hours(12);
            let seconds = moment.timestamp().unsigned_abs();
            rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds)
        };
        authority.write_with(dir, &["localhost"], |params| {
            (params.not_before, params.not_after) = (at(begins), at(ends));
        });
        let ran = run(keystead(dir, &["doctor"])
            .env("KEYSTEAD_TLS_CERTIFICATE", "server.pem")
            .env("KEYSTEAD_TLS_KEY", "server.key"));
        assert!(ran.out.contains(part), "{part:?} is missing: {}", ran.out);
        assert_eq!(ran.code, Some(code), "{}", ran.out);
        let advised = ran.out.contains("-> replace it and its key");
        assert_eq!(advised, !part.starts_with("ok"), "{}", ran.out);
    }
}
