//! `keystead doctor`: what it finds, and its exit code.

use super::{Folder, keystead, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_new_database_lacks_its_migrations_and_an_old_one_is_in_order() {
    let folder = Folder::new("doctor");
    let new = run(&mut keystead(folder.path(), &["doctor"]));
    assert_eq!(new.code, Some(0), "{}{}", new.out, new.err);
    for part in [
        "ok    configuration  ",
        "ok    passkeys       none: browsers make them for https:// addresses with a domain name",
        "ok    database       private, PostgreSQL ",
        "warn  migrations     ",
        "-> `keystead migrate`",
        "ok    clock ",
        "ok    connections    a pool of 16; the database takes ",
    ] {
        assert!(new.out.contains(part), "{part:?} is missing: {}", new.out);
    }
    let migrated = run(&mut keystead(folder.path(), &["migrate"]));
    assert!(
        migrated
            .out
            .starts_with("Ran:\n  2026-11-21-000000_foundation\n"),
        "{}{}",
        migrated.out,
        migrated.err
    );
    let again = run(&mut keystead(folder.path(), &["migrate", "--check"]));
    assert_eq!(again.code, Some(0), "{}{}", again.out, again.err);
    let old = run(&mut keystead(folder.path(), &["doctor"]));
    assert!(
        old.out.contains("ok    migrations     all have run"),
        "{}",
        old.out
    );
    assert!(
        old.out.contains("warn  administrators there is none"),
        "{}",
        old.out
    );
    assert!(
        old.out
            .contains("ok    leases         can be held; no server holds one now"),
        "{}",
        old.out
    );
    let usage = "ok    usage          events have tables for this month and the next two";
    assert!(old.out.contains(usage), "{}", old.out);
    let deliveries = "ok    deliveries     0 wait, none was given up";
    assert!(old.out.contains(deliveries), "{}", old.out);
}

#[test]
fn what_must_be_mended_is_said_and_makes_the_exit_code_1() {
    let folder = Folder::new("doctor-bad");
    fs::create_dir(folder.path().join(".keystead")).unwrap();
    let key = folder.path().join(".keystead/admin.key");
    fs::write(&key, "ks_").unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = run(&mut keystead(
        folder.path(),
        &["doctor", "--pool-size", "500", "--listen", "0.0.0.0:4000"],
    ));
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    for part in [
        "FAIL  admin.key      others may read .keystead/admin.key\n                     -> chmod 600 .keystead/admin.key",
        "FAIL  connections    a pool of 500; the database takes ",
        "-> set pool_size to at most ",
        "warn  encryption     listens on 0.0.0.0:4000 without TLS",
        "2 to mend.",
    ] {
        assert!(ran.out.contains(part), "{part:?} is missing: {}", ran.out);
    }
}

#[test]
fn a_server_that_is_not_there_is_said_with_the_setting_to_look_at() {
    let folder = Folder::new("doctor-none");
    let url = "postgresql://nobody:hunter2@127.0.0.1:9/none";
    let ran = run(keystead(folder.path(), &["doctor"]).env("DATABASE_URL", url));
    assert_eq!(ran.code, Some(1), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("FAIL  database "), "{}", ran.out);
    assert!(ran.out.contains("DATABASE_URL names it"), "{}", ran.out);
    assert!(!ran.out.contains("hunter2"), "{}", ran.out);
}
