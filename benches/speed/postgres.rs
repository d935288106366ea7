//! The database beside: its data, and pgbench with the same statements.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How many ids the statements and requests choose from.
pub const SAMPLE: usize = 2_000;

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

/// `(ARRAY['…', …]::uuid[])[:n]` over a sample of ids: a random id without a look-up.
pub fn any_of(ids: &[String]) -> String {
    let list: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
    format!("(ARRAY[{}]::uuid[])[:n]", list.join(","))
}

/// The statements that the server sends, with `$ID` for the user.
pub const USER: &str = "SELECT id, username, email, name, given_name, family_name, kind, role, enabled, expires_at, comment,
    metadata, password_hash, created_at, updated_at, last_used_at FROM users WHERE id = ANY(ARRAY[$ID]);";
pub const KEYS: &str = "SELECT o.id AS parent, k.* FROM unnest(ARRAY[$ID]) o (id) CROSS JOIN LATERAL (SELECT k.id, k.owner_id,
    k.team_id, k.name, k.description, k.prefix, k.enabled, k.restricted, k.allowed_cidrs, k.expires_at, k.last_used_at,
    k.last_used_from, k.rotated_at, k.previous_secret_expires_at, k.metadata, k.created_by, k.created_at, k.updated_at
    FROM api_keys k WHERE k.owner_id = o.id ORDER BY k.created_at, k.id LIMIT $LIMIT) k;";
pub const TEAMS: &str = "SELECT o.id AS parent, t.* FROM unnest(ARRAY[$ID]) o (id) CROSS JOIN LATERAL (SELECT t.id, t.slug, t.name,
    t.description, t.parent_id, t.enabled, t.metadata, t.created_at, t.updated_at FROM team_memberships m
    JOIN teams t ON t.id = m.team_id WHERE m.user_id = o.id ORDER BY t.created_at, t.id LIMIT $LIMIT) t;";

/// A page of 50 users from a sampled one on, then the keys and teams of all of them. Each page is the ids of its users.
pub fn page_script(pages: &[Vec<String>]) -> String {
    let literals: Vec<String> = pages
        .iter()
        .map(|ids| format!("'{{{}}}'", ids.join(",")))
        .collect();
    let ids = format!("((ARRAY[{}]::text[])[:n])::uuid[]", literals.join(","));
    let firsts: Vec<String> = pages.iter().map(|ids| ids[0].clone()).collect();
    let list: Vec<String> = firsts.iter().map(|id| format!("'{id}'")).collect();
    let first = format!("(ARRAY[{}]::uuid[])[:n]", list.join(","));
    let users = format!(
        "SELECT id, username, email, name, given_name, family_name, kind, role, enabled, expires_at, comment, metadata,
         password_hash, created_at, updated_at, last_used_at FROM users
         WHERE (created_at, id) > ((SELECT created_at FROM users WHERE id = {first}), {first})
         ORDER BY created_at, id LIMIT 51;"
    );
    let below = |statement: &str| statement.replace("ARRAY[$ID]", &ids).replace("$LIMIT", "6");
    let text = format!("{users}\n{}\n{}", below(KEYS), below(TEAMS));
    let lines: Vec<String> = text
        .split(";\n")
        .map(|line| line.replace('\n', " "))
        .collect();
    format!(
        "\\set n random(1, {})\n{}\n",
        pages.len(),
        lines.join(";\n")
    )
}

pub fn script(statements: &[&str], ids: &str) -> String {
    let mut text = format!("\\set n random(1, {SAMPLE})\n");
    for statement in statements {
        text.push_str(
            &statement
                .replace("$ID", ids)
                .replace("$LIMIT", "21")
                .replace('\n', " "),
        );
        text.push('\n');
    }
    text
}
