//! A server as it is run, in a process of its own.

use super::keystead;
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

const LOG: &str = "server.log";

/// A server that runs, on a port of the system's choice.
pub struct Server {
    child: Child,
    out: BufReader<ChildStdout>,
    pub address: String,
    /// What it printed up to its address.
    pub banner: String,
}

impl Server {
    pub fn start(folder: &Path) -> Server {
        Server::start_with(folder, |_| {})
    }

    /// With whatever else its command shall have. Its log is in the folder.
    pub fn start_with(folder: &Path, more: impl FnOnce(&mut Command)) -> Server {
        let mut command = keystead(
            folder,
            &["--listen", "127.0.0.1:0", "--shutdown-timeout", "5s"],
        );
        let log = File::options()
            .create(true)
            .append(true)
            .open(folder.join(LOG))
            .unwrap();
        command.stdout(Stdio::piped()).stderr(log).process_group(0);
        more(&mut command);
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        while !banner.contains("/graphql\n") {
            assert_ne!(out.read_line(&mut banner).unwrap(), 0, "it ended: {banner}");
        }
        let url = banner
            .split_once(" is ready: ")
            .unwrap()
            .1
            .lines()
            .next()
            .unwrap();
        let address = url.split_once("://").unwrap().1.to_owned();
        Server {
            child,
            out,
            address,
            banner,
        }
    }

    pub fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().cast_signed())
    }

    /// Whether it says that it is ready.
    pub fn is_ready(&self) -> bool {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "GET /readyz HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
            self.address
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.starts_with("HTTP/1.1 200 ")
    }

    /// What it has logged so far, in whichever folder it was started.
    pub fn log(folder: &Path) -> String {
        std::fs::read_to_string(folder.join(LOG)).unwrap()
    }

    /// The answer to one request, as JSON.
    pub fn post(&self, headers: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let body = body.to_string();
        write!(
            stream,
            "POST /graphql HTTP/1.1\r\nHost: {}\r\n{headers}Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        let json = &body[body.find('{').unwrap()..=body.rfind('}').unwrap()];
        serde_json::from_str(json).unwrap()
    }

    /// The name and role of that user, as the holder of `key` sees them.
    pub fn ask(&self, key: &str, username: &str) -> String {
        let query = format!("{{ user(by: {{username: \"{username}\"}}) {{ username role }} }}");
        let bearer = format!("Authorization: Bearer {key}\r\n");
        let answer = self.post(&bearer, &json!({"query": query}));
        let user = &answer["data"]["user"];
        assert!(user.is_object(), "{answer}");
        format!("{} {}", user["username"], user["role"])
    }

    /// Waits for its end; returns its exit code and what it printed after its address.
    pub fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Of a test that has failed; one that has ended already is no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
