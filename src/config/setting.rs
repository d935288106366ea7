//! What is known of a setting beside its value.

use super::{Config, SETTINGS};

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its name in the file.
    pub name: &'static str,
    /// The heading it stands under.
    pub group: &'static str,
    /// What it means, for people.
    pub description: &'static str,
    /// Whether its value must not be shown.
    pub secret: bool,
    /// The type of its value, as the table has it.
    pub(super) kind: &'static str,
}

impl Setting {
    /// What its value is, in a word or in all there are: what `--help` has in place of it.
    #[must_use]
    pub fn value_name(&self) -> &'static str {
        match self.kind {
            "SocketAddr" => "ADDRESS:PORT",
            "Span" => "DURATION",
            "Size" => "SIZE",
            "Switch" => "true|false|auto",
            "LogFormat" => "auto|json|pretty",
            "bool" => "true|false",
            "u32" | "u64" | "usize" | "f64" => "NUMBER",
            "PathBuf" => "FOLDER",
            "Option<PathBuf>" => "FILE",
            "Hidden" => "URL",
            kind if kind.starts_with("Vec<") => "LIST",
            _ if self.name.ends_with("_url") || self.name.ends_with("_endpoint") => "URL",
            _ => "TEXT",
        }
    }
}

/// Every setting with its default as one would write it on the command line; the empty text where it is not set.
#[must_use]
pub fn defaults() -> Vec<(&'static Setting, String)> {
    let values = toml::Table::try_from(Config::default()).unwrap_or_default();
    let written = |setting: &Setting| match values.get(setting.name) {
        None => String::new(),
        Some(toml::Value::String(text)) => text.clone(),
        Some(toml::Value::Array(items)) if items.is_empty() => String::new(),
        Some(value) => value.to_string(),
    };
    SETTINGS
        .iter()
        .map(|setting| (setting, written(setting)))
        .collect()
}
