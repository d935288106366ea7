//! Mails, and how they are sent.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use super::templates::Template;

/// A mail to be sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Mail {
    /// The address, as `ada@example.com`.
    pub to: String,
    /// The name of whom it goes to.
    pub name: Option<String>,
    /// What it says.
    pub template: Template,
    /// What stands in the template, by [`Template::values`]: texts, numbers, or null for what is not to be said.
    pub values: Map<String, Value>,
}

impl Mail {
    /// A mail to that address; `values` is an object.
    pub fn new(to: String, name: Option<String>, template: Template, values: Value) -> Mail {
        let values = match values {
            Value::Object(values) => values,
            _ => Map::new(),
        };
        Mail {
            to,
            name,
            template,
            values,
        }
    }
}

/// A moment as mails write it.
pub fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// How mails are sent.
#[derive(Clone)]
pub struct Settings {
    /// From whom, as `Keystead <keystead@example.com>`.
    pub from: String,
    /// The address of this server, without a slash at its end.
    pub public_url: String,
    /// The folder with templates that replace the embedded ones.
    pub templates: Option<PathBuf>,
    /// Where they go.
    pub way: Way,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            from: "Keystead <keystead@localhost>".into(),
            public_url: "http://127.0.0.1:4000".into(),
            templates: None,
            way: Way::Folder(std::env::temp_dir().join("keystead-mail")),
        }
    }
}

/// Where mails go.
#[derive(Clone)]
pub enum Way {
    /// Into files of that folder.
    Folder(PathBuf),
    /// To an SMTP server.
    Smtp(Smtp),
}

/// An SMTP server.
#[derive(Clone)]
pub struct Smtp {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub security: Security,
    /// User name and password.
    pub login: Option<(String, String)>,
    /// A file with the certificates (PEM) that the server's is checked against, in place of the system's.
    pub roots: Option<PathBuf>,
}

/// How the connection to an SMTP server is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// Begins without and must change to TLS (RFC 3207), usually at port 587.
    Starttls,
    /// TLS from the start (RFC 8314), usually at port 465.
    Tls,
    /// Not at all: for servers on the same machine.
    None,
}
