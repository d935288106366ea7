//! What a container asks the server to know whether it is well.

use super::Folder;
use super::server::Server;
use nix::sys::signal::{Signal, kill};
use std::path::Path;
use std::process::Command;

#[test]
fn the_health_check_of_the_container_sees_a_server_and_none() {
    let compose =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("compose.yaml"))
            .unwrap();
    let check = compose.lines().find_map(|line| {
        line.trim()
            .strip_prefix("test: [\"CMD\", \"bash\", \"-c\", ")
    });
    let check: String = serde_json::from_str(check.unwrap().trim_end_matches(']')).unwrap();
    let folder = Folder::new("health");
    let server = Server::start(folder.path());
    let port = server.address.rsplit_once(':').unwrap().1;
    assert!(check.contains("/4000;"), "{check}");
    let check = check.replace("/4000;", &format!("/{port};"));
    let well = || {
        Command::new("bash")
            .args(["-c", &check])
            .output()
            .unwrap()
            .status
            .success()
    };
    assert!(well());
    // Another path is not found, which is not well.
    let other = check.replace("/readyz", "/nothing");
    assert!(
        !Command::new("bash")
            .args(["-c", &other])
            .output()
            .unwrap()
            .status
            .success()
    );
    kill(server.pid(), Signal::SIGTERM).unwrap();
    assert_eq!(server.end().0, Some(0));
    assert!(!well());
}
