//! `Dockerfile` and `compose.yaml` as far as they can be read: what they name is there.

use keystead::config::SETTINGS;
use keystead::db::Endpoint;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use super::sources::rust;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// What the Dockerfile takes out of the repository.
fn copied(dockerfile: &str) -> Vec<String> {
    let copies = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("COPY "));
    let ours = copies.filter(|copy| !copy.starts_with("--from"));
    ours.flat_map(|copy| {
        let mut paths: Vec<String> = copy.split_whitespace().map(str::to_owned).collect();
        paths.pop();
        paths
    })
    .collect()
}

#[test]
fn what_the_image_is_built_of_is_there_and_is_all_it_needs() {
    let copied = copied(&read("Dockerfile"));
    assert!(copied.len() > 5, "{copied:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = read(".dockerignore");
    for path in &copied {
        assert!(root.join(path).exists(), "there is no {path}");
        assert!(
            !ignored.lines().any(|line| path.starts_with(line)),
            "{path} is ignored"
        );
    }
    let mut needed: BTreeSet<String> = BTreeSet::from(["Cargo.lock".into(), "migrations".into()]);
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let targets = manifest.values().flat_map(|value| match value {
        toml::Value::Array(tables) => tables.iter().collect(),
        table => vec![table],
    });
    // Cargo wants every target's file to be there, whichever is built.
    needed.extend(targets.filter_map(|table| Some(table.get("path")?.as_str()?.to_owned())));
    for source in rust(&["src"]) {
        let folder = Path::new(&source.path).parent().unwrap();
        for (before, line) in source
            .text
            .lines()
            .filter_map(|line| line.split_once("include_"))
        {
            let Some(path) = line
                .split('"')
                .find(|part| part.contains("../"))
                .filter(|_| !before.contains("//"))
            else {
                continue;
            };
            let mut place = folder.to_owned();
            for part in path.split('/').filter(|part| !part.is_empty()) {
                if part == ".." {
                    place.pop();
                } else {
                    place.push(part);
                }
            }
            needed.insert(place.to_str().unwrap().to_owned());
        }
    }
    assert!(
        needed.contains("assets/graphiql/dist") && needed.contains("tests/it/main.rs"),
        "{needed:?}"
    );
    for path in needed {
        let has = copied
            .iter()
            .any(|copy| path == *copy || path.starts_with(&format!("{copy}/")));
        assert!(has, "the Dockerfile does not copy {path}");
    }
}

#[test]
fn the_image_is_built_by_the_compiler_that_the_manifest_asks_for() {
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let wanted = manifest["package"]["rust-version"].as_str().unwrap();
    assert!(read("Dockerfile").contains(&format!("\nFROM rust:{wanted}-")));
    assert!(read("Dockerfile").contains("cargo build --release --bin keystead\n"));
}

#[test]
fn containers_set_what_can_be_set() {
    let (dockerfile, compose) = (read("Dockerfile"), read("compose.yaml"));
    let set = |text: &str, separator: char| -> Vec<(String, String)> {
        let lines = text
            .lines()
            .map(|line| line.trim().trim_start_matches("ENV "));
        let pairs = lines.filter_map(|line| line.split_once(separator));
        let ours =
            pairs.filter(|(name, _)| name.starts_with("KEYSTEAD_") || *name == "DATABASE_URL");
        ours.map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
            .collect()
    };
    let both = [set(&dockerfile, '='), set(&compose, ':')].concat();
    assert_eq!(both.len(), 3, "{both:?}");
    let mut port = None;
    for (name, value) in both {
        if name == "DATABASE_URL" {
            assert_eq!(Endpoint::check(&value), Ok(()));
            continue;
        }
        let setting = name.trim_start_matches("KEYSTEAD_").to_ascii_lowercase();
        assert!(
            SETTINGS.iter().any(|known| known.name == setting),
            "{name} sets nothing"
        );
        if setting == "listen" {
            let listen: SocketAddr = value.parse().unwrap();
            assert!(listen.ip().is_unspecified(), "others cannot reach {listen}");
            port = Some(listen.port());
        }
    }
    let port = port.unwrap();
    assert!(dockerfile.contains(&format!("\nEXPOSE {port}\n")));
    assert!(
        compose.contains(&format!(":{port}\"\n")),
        "no port leads to {port}"
    );
    let mut user = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("USER "));
    let last = user.next_back().unwrap();
    let uid: u32 = last.split(':').next().unwrap().parse().unwrap();
    assert!(uid >= 1_000, "it runs as {last}");
}
