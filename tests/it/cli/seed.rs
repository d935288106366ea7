//! `keystead seed`, on a private Postgres.

use super::{Folder, keystead, run};
use keystead::db::embedded::{Durability, Embedded};
use keystead::secrets::Secret;
use std::fs;
use std::path::Path;

const CONTENT: &str = "
    SELECT md5(string_agg(row::text, '' ORDER BY row::text)) FROM (
        SELECT u::text AS row FROM users u UNION ALL SELECT t::text FROM teams t UNION ALL SELECT m::text FROM team_memberships m
        UNION ALL SELECT k::text FROM api_keys k UNION ALL SELECT p::text FROM permissions p) rows";

const INDEXES: &str = "
    SELECT string_agg(def, E'\\n' ORDER BY def) FROM (
        SELECT pg_get_indexdef(indexrelid) AS def FROM pg_index WHERE indrelid::regclass::text !~ 'pg_'
        UNION ALL SELECT conname || conrelid::regclass || pg_get_constraintdef(oid) FROM pg_constraint) defs";

async fn ask(data_dir: &Path, questions: &[&str]) -> Vec<String> {
    let embedded = Embedded::start(data_dir, Durability::None).await.unwrap();
    let (client, connection) =
        tokio_postgres::connect(&embedded.database_url("keystead"), tokio_postgres::NoTls)
            .await
            .unwrap();
    tokio::spawn(connection);
    let mut answers = Vec::new();
    for question in questions {
        let answer: Option<String> = client.query_one(*question, &[]).await.unwrap().get(0);
        answers.push(answer.unwrap_or_default());
    }
    embedded.stop().await.unwrap();
    answers
}

#[tokio::test]
async fn the_same_seed_makes_the_same_rows_and_leaves_every_index() {
    let folder = Folder::new("seed");
    let mut contents = Vec::new();
    for (name, seed) in [("a", "7"), ("b", "7"), ("c", "8")] {
        let data_dir = folder.path().join(name);
        let migrated = run(&mut keystead(
            folder.path(),
            &["migrate", "--data-dir", name],
        ));
        assert_eq!(migrated.code, Some(0), "{}", migrated.err);
        let before = ask(&data_dir, &[INDEXES]).await;
        let arguments = [
            "seed",
            "--users",
            "200",
            "--teams",
            "9",
            "--permissions",
            "700",
            "--data-dir",
            name,
            "--seed",
            seed,
        ];
        let ran = run(&mut keystead(folder.path(), &arguments));
        assert!(
            ran.out.starts_with("Made 200 users, 9 teams with "),
            "{}{}",
            ran.out,
            ran.err
        );
        assert!(
            ran.out
                .contains(" memberships, 600 keys, 700 permissions and 11200 usage events "),
            "{}",
            ran.out
        );
        assert!(ran.err.contains("`keystead admin create"), "{}", ran.err);
        let after = ask(&data_dir, &[INDEXES, CONTENT]).await;
        assert_eq!(before[0], after[0]);
        contents.push(after[1].clone());
    }
    assert_eq!(contents[0], contents[1]);
    assert_ne!(contents[0], contents[2]);
}

#[tokio::test]
async fn a_second_time_is_refused_and_changes_nothing() {
    let folder = Folder::new("seed-twice");
    let arguments = ["seed", "--users", "20", "--secrets", "keys.tsv"];
    let first = run(&mut keystead(folder.path(), &arguments));
    assert_eq!(first.code, Some(0), "{}", first.err);

    let secrets = fs::read_to_string(folder.path().join("keys.tsv")).unwrap();
    assert_eq!(secrets.lines().count(), 60);
    for line in secrets.lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        assert!(
            parts[0].starts_with("key_") && parts[1].starts_with("user_"),
            "{line}"
        );
        assert!(Secret::new(parts[2].to_owned()).is_api_key(), "{line}");
    }

    let data_dir = folder.path().join(".keystead");
    let before = ask(&data_dir, &[CONTENT]).await;
    let second = run(&mut keystead(folder.path(), &["seed", "--users", "20"]));
    assert_eq!(second.code, Some(1));
    assert!(
        second.err.contains("Some of these rows are there already"),
        "{}",
        second.err
    );
    assert_eq!(before, ask(&data_dir, &[CONTENT]).await);
}
