//! The database beside: its data, and pgbench with the same statements.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::data::Page;
use super::statements::Statement;

/// Transactions per second of a pgbench script.
pub fn pgbench(
    scratch: &Path,
    url: &str,
    name: &str,
    clients: usize,
    seconds: u64,
    script: &str,
) -> f64 {
    let file = scratch.join(format!("{name}.sql"));
    std::fs::File::create(&file)
        .and_then(|mut file| file.write_all(script.as_bytes()))
        .expect("the scratch folder can be written");
    let output = Command::new(program())
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-c",
            &clients.to_string(),
            "-T",
            &seconds.to_string(),
            "-f",
        ])
        .arg(&file)
        .arg(url)
        .output()
        .expect("pgbench runs: it comes with Postgres");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .find_map(|line| line.strip_prefix("tps = "))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|number| number.parse().ok())
        .unwrap_or_else(|| {
            panic!(
                "pgbench failed: {text}{}",
                String::from_utf8_lossy(&output.stderr)
            )
        })
}

fn program() -> PathBuf {
    let newest = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .max();
    match newest.map(|folder| folder.join("bin/pgbench")) {
        Some(path) if path.exists() => path,
        _ => PathBuf::from("pgbench"),
    }
}

/// `(ARRAY['…', …]::type[])[:n]` over a sample: a random one of them without a look-up.
pub fn any_of(values: &[String], kind: &str) -> String {
    let list: Vec<String> = values.iter().map(|value| format!("'{value}'")).collect();
    format!("(ARRAY[{}]::{kind}[])[:n]", list.join(","))
}

/// A read's script: its statements with `value` for each parameter type, `n` being a random number up to `choices`.
pub fn read_script(
    statements: &[Statement],
    choices: usize,
    value: impl Fn(usize, &str) -> String,
) -> String {
    let mut script = format!("\\set n random(1, {choices})\n");
    for (number, statement) in statements.iter().enumerate() {
        script.push_str(&statement.by_type(|kind| value(number, kind)));
    }
    script
}

/// The script of a read of one user by id, with the lists below it in pages of 20.
pub fn by_id(statements: &[Statement], users: &[String]) -> String {
    let id = any_of(users, "uuid");
    read_script(statements, users.len(), |_, kind| match kind {
        "uuid[]" => format!("ARRAY[{id}]"),
        "bigint" => "21".into(),
        other => panic!("a parameter of type {other}"),
    })
}

/// The script of a page of 50 users from a sampled place on, with the first five of each list below them.
pub fn page(statements: &[Statement], pages: &[Page]) -> String {
    let of = |kind: &str, text: fn(&Page) -> String| {
        let values: Vec<String> = pages.iter().map(text).collect();
        any_of(&values, kind)
    };
    let ids = format!(
        "({})::uuid[]",
        of("text", |page| format!("{{{}}}", page.users.join(",")))
    );
    let (after, after_id) = (
        of("timestamptz", |page| page.after.clone()),
        of("uuid", |page| page.after_id.clone()),
    );
    read_script(statements, pages.len(), |number, kind| match kind {
        "uuid[]" => ids.clone(),
        "timestamp with time zone" => after.clone(),
        "uuid" => after_id.clone(),
        "bigint" if number == 0 => "51".into(),
        "bigint" => "6".into(),
        other => panic!("a parameter of type {other}"),
    })
}

/// The script of the transaction that makes a key for that user.
pub fn generate(statements: &[Statement], owner: &str) -> String {
    let mut script = "\\set n random(1, 2000000000)\nBEGIN;\n".to_owned();
    // The policy for limits is read where nothing may be remembered, but the server remembers it.
    let changes = statements
        .iter()
        .filter(|one| one.text.starts_with("INSERT"));
    for statement in changes {
        let is_event = statement.text.contains("audit_events");
        script.push_str(&statement.by_column(|column| match column {
            "id" => "gen_random_uuid()".into(),
            "owner_id" | "created_by" | "actor_id" => format!("'{owner}'"),
            "name" => "'bench ' || :n || ' ' || clock_timestamp()".into(),
            "digest" => "sha256((:n || clock_timestamp()::text)::bytea)".into(),
            "prefix" => "'ks_Ab3d…'".into(),
            "enabled" => "true".into(),
            "restricted" => "false".into(),
            "allowed_cidrs" => "'{}'".into(),
            "metadata" => "'{}'".into(),
            "expires_at" => "now() + interval '1 day'".into(),
            "created_at" | "updated_at" | "at" => "now()".into(),
            "actor_name" => "'admin'".into(),
            "action" => "'apiKey.create'".into(),
            "target" => "'key_00000000000000000000000000'".into(),
            "paths" => "'{/users}'".into(),
            "within" => "'{/,/users}'".into(),
            "after" => {
                "'{\"name\": \"bench\", \"enabled\": true, \"prefix\": \"ks_Ab3d…\"}'".into()
            }
            "request_id" => "'0123456789abcdef0123456789abcdef'".into(),
            _ if is_event || column.ends_with("_at") => "NULL".into(),
            "team_id" | "description" | "disabled_reason" | "last_used_from"
            | "previous_digest" => "NULL".into(),
            other => panic!("{other}: give the new column a value here"),
        }));
    }
    script + "COMMIT;\n"
}
