//! The command line, run as people run it.

mod config;
mod containers;
mod doctor;
mod help;
mod seed;
mod serve;
mod server;
mod tls;
mod traces;

use std::path::{Path, PathBuf};
use std::process::Command;

/// What a run of the binary gave.
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// The binary in `dir`, without the settings of whoever runs the tests.
pub fn keystead(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keystead"));
    command
        .args(arguments)
        .current_dir(dir)
        .env_remove("DATABASE_URL");
    for (name, _) in std::env::vars_os() {
        let name_bytes = name.as_encoded_bytes();
        if name_bytes.starts_with(b"KEYSTEAD_") || name_bytes.starts_with(b"OTEL_") {
            command.env_remove(name);
        }
    }
    command
}

pub fn run(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder for one test, removed afterwards.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("keystead-cli-{}-{name}", std::process::id()));
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
