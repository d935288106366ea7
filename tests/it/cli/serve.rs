//! The server as it is run: the first start, the second, two at once, every way to stop it, and commands beside it.

use super::server::Server;
use super::{Folder, keystead, run};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

fn postmaster(folder: &Path) -> Option<Pid> {
    let text = fs::read_to_string(folder.join(".keystead/postgres/data/postmaster.pid")).ok()?;
    text.lines().next()?.parse().ok().map(Pid::from_raw)
}

fn gone(pid: Pid) {
    let begin = Instant::now();
    while kill(pid, None).is_ok() {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "Postgres still runs"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

const ADMIN: &str = r#""admin" "ADMIN""#;

#[test]
fn the_first_start_prints_a_key_that_the_second_still_takes() {
    let folder = Folder::new("serve");
    let first = Server::start(folder.path());
    let file = folder.path().join(".keystead/admin.key");
    let key = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(first.ask(&key, "admin"), ADMIN);
    let postgres = postmaster(folder.path()).unwrap();
    kill(first.pid(), Signal::SIGTERM).unwrap();
    let (code, rest) = first.end();
    assert_eq!(code, Some(0));
    assert!(rest.contains(&key), "the key was not printed: {rest}");
    assert!(
        kill(postgres, None).is_err(),
        "Postgres outlives its server"
    );

    let second = Server::start(folder.path());
    assert_eq!(second.ask(&key, "admin"), ADMIN);
    assert!(!second.banner.contains("ks_"), "{}", second.banner);
    // Ctrl-C in a terminal goes to every process of the group.
    killpg(second.pid(), Signal::SIGINT).unwrap();
    let (code, rest) = second.end();
    assert_eq!(code, Some(0));
    assert!(!rest.contains("ks_"), "a key is printed once: {rest}");
    assert_eq!(
        postmaster(folder.path()),
        None,
        "Postgres was not shut down"
    );
}

#[test]
fn after_a_kill_it_starts_again_and_postgres_is_never_left() {
    let folder = Folder::new("serve-kill");
    let first = Server::start(folder.path());
    let key = fs::read_to_string(folder.path().join(".keystead/admin.key")).unwrap();
    let postgres = postmaster(folder.path()).unwrap();
    kill(first.pid(), Signal::SIGKILL).unwrap();
    first.end();
    let second = Server::start(folder.path());
    assert_eq!(second.ask(key.trim(), "admin"), ADMIN);
    gone(postgres);
    let postgres = postmaster(folder.path()).unwrap();
    kill(second.pid(), Signal::SIGKILL).unwrap();
    second.end();
    gone(postgres);

    let third = Server::start(folder.path());
    let killed = postmaster(folder.path()).unwrap();
    kill(killed, Signal::SIGKILL).unwrap();
    let begin = Instant::now();
    while postmaster(folder.path()).is_none_or(|pid| pid == killed) || !third.is_ready() {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "its Postgres is not started again"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(third.ask(key.trim(), "admin"), ADMIN);
    kill(third.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(third.end().0, Some(0));
}

#[test]
fn beside_a_server_others_are_refused_and_commands_work() {
    let folder = Folder::new("serve-beside");
    let server = Server::start(folder.path());
    let second = run(&mut keystead(
        folder.path(),
        &["serve", "--listen", "127.0.0.1:0"],
    ));
    assert_eq!(second.code, Some(1));
    assert!(
        second.err.contains("another Keystead is running in"),
        "{}",
        second.err
    );

    let made = run(&mut keystead(
        folder.path(),
        &[
            "admin",
            "create",
            "--username",
            "grace",
            "--email",
            "grace@example.com",
        ],
    ));
    assert_eq!(made.code, Some(0), "{}", made.err);
    assert_eq!(made.out.trim().len(), 40, "the key alone: {}", made.out);
    let grace = r#""grace" "ADMIN""#;
    assert_eq!(server.ask(made.out.trim(), "grace"), grace);
    let another = run(&mut keystead(
        folder.path(),
        &["admin", "key", "--username", "Grace"],
    ));
    assert_eq!(
        server.ask(another.out.trim(), "grace"),
        grace,
        "{}",
        another.err
    );
    let again = run(&mut keystead(
        folder.path(),
        &["admin", "create", "--username", "GRACE"],
    ));
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("GRACE"), "{}", again.err);
    let nobody = run(&mut keystead(
        folder.path(),
        &["admin", "key", "--username", "nobody"],
    ));
    assert_eq!(
        (nobody.code, nobody.err.as_str()),
        (Some(1), "keystead: there is no user `nobody`\n")
    );

    let doctor = run(&mut keystead(folder.path(), &["doctor"]));
    assert!(
        doctor.out.contains("ok    administrators 2 enabled"),
        "{}{}",
        doctor.out,
        doctor.err
    );
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn a_private_postgres_that_is_killed_is_started_again() {
    let folder = Folder::new("serve-revive");
    let server = Server::start(folder.path());
    let key = fs::read_to_string(folder.path().join(".keystead/admin.key")).unwrap();
    assert_eq!(server.ask(key.trim(), "admin"), ADMIN);
    let first = postmaster(folder.path()).unwrap();
    kill(first, Signal::SIGKILL).unwrap();
    let begin = Instant::now();
    while postmaster(folder.path()).is_none_or(|now| now == first) || !server.is_ready() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it is not back");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(server.ask(key.trim(), "admin"), ADMIN);
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.end().0, Some(0));
    assert_eq!(postmaster(folder.path()), None, "Postgres was left running");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let folder = Folder::new("serve-port");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = run(&mut keystead(folder.path(), &["--listen", &address]));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err
            .contains(&format!("{address} cannot be listened on")),
        "{}",
        ran.err
    );
    assert!(
        !folder.path().join(".keystead").exists(),
        "a folder was made in vain"
    );
}

#[test]
fn a_hangup_without_tls_ends_nothing() {
    let folder = Folder::new("serve-hangup");
    let server = Server::start(folder.path());
    kill(server.pid(), Signal::SIGHUP).unwrap();
    let begin = Instant::now();
    while !Server::log(folder.path()).contains("there is nothing to read again") {
        assert!(begin.elapsed() < Duration::from_secs(10), "nothing is said");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(server.is_ready());
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.end().0, Some(0));
}
