//! What the operator has set for HTTP.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::v1::{Reporters, Rules};

/// The settings of the HTTP server.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Bytes of a request's body at most. Default: 1 MiB.
    pub body_limit: usize,
    /// Bytes of a body of usage events at most. Default: 16 MiB.
    pub usage_body_limit: usize,
    /// Origins of web pages that may call this server, such as `https://app.example.com`; `*` is any. Default: none.
    pub cors_origins: Vec<String>,
    /// Networks of the proxies in front, whose `X-Forwarded-For` is believed. Default: none.
    pub trusted_proxies: Vec<IpNet>,
    /// Whether `/` is GraphiQL. Default: yes.
    pub graphiql: bool,
    /// Whether `/metrics` answers. Default: yes.
    pub metrics: bool,
    /// How long the head of a request may take to arrive; also how long a connection may idle. Default: 60 seconds.
    pub head_timeout: Duration,
    /// How long the body of a request may take to arrive. Default: 20 seconds.
    pub body_timeout: Duration,
    /// How long a write may wait for a client that does not read. Default: 60 seconds.
    pub write_timeout: Duration,
    /// How long requests under way may still take after the signal to stop. Default: 25 seconds.
    pub stop_timeout: Duration,
    /// Connections at most; more wait to be accepted. Default: 10,000.
    pub max_connections: usize,
    /// How long a WebSocket may wait with `connection_init`. Default: 3 seconds.
    pub init_timeout: Duration,
    /// How often an idle WebSocket is pinged and an idle event stream gets a comment, and how often the credential behind
    /// them is looked at again. Default: 15 seconds.
    pub heartbeat: Duration,
    /// Operations under way on one WebSocket at most. Default: 20.
    pub max_operations: usize,
    /// Keys that one service may have verified a minute; 0: as many as it likes. Default: 0.
    pub checks_per_actor: u32,
    /// What requests through proxies need. Default: no rules.
    pub authorize: Rules,
    /// Those who may report leaked keys. Default: nobody.
    pub leak_reporters: Reporters,
    /// TLS, if the server itself speaks it.
    pub tls: Option<TlsFiles>,
}

/// Where certificate and key are, both PEM.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, followed by those between it and the root.
    pub certificate: PathBuf,
    /// Its private key (PKCS #8, PKCS #1 or SEC 1).
    pub key: PathBuf,
}

impl Settings {
    /// What a URL of this server begins with.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            body_limit: 1024 * 1024,
            usage_body_limit: 16 * 1024 * 1024,
            cors_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            graphiql: true,
            metrics: true,
            head_timeout: Duration::from_secs(60),
            body_timeout: Duration::from_secs(20),
            write_timeout: Duration::from_secs(60),
            stop_timeout: Duration::from_secs(25),
            max_connections: 10_000,
            init_timeout: Duration::from_secs(3),
            heartbeat: Duration::from_secs(15),
            max_operations: 20,
            checks_per_actor: 0,
            authorize: Rules::default(),
            leak_reporters: Reporters::default(),
            tls: None,
        }
    }
}
