//! Reading the settings from where they are: defaults, file, environment, flags.

use super::check::problems;
use super::{Config, SETTINGS};
use figment::providers::{Env, Format, Serialized, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// The file that is read if nothing else is said, and only if it exists.
const FILE: &str = "keystead.toml";

/// What the caller says beyond the environment.
#[derive(Debug, Default)]
pub struct Sources {
    /// Another file than `keystead.toml`; it must exist.
    pub file: Option<PathBuf>,
    /// Settings from the command line: names as in the file, and what was written.
    pub flags: Vec<(&'static str, String)>,
}

/// The settings, and where they come from.
#[derive(Debug)]
pub struct Loaded {
    /// The settings, checked.
    pub config: Config,
    /// Where each setting that is not the default was set, by name.
    pub origins: BTreeMap<&'static str, String>,
    /// What looks like a mistake and is none for certain.
    pub warnings: Vec<String>,
}

/// Why the settings cannot be used: one line for each fault.
#[derive(Debug)]
pub struct ConfigError(Vec<String>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration is not right:")?;
        for fault in &self.0 {
            write!(f, "\n  {fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads and checks all settings.
    ///
    /// # Errors
    /// [`ConfigError`] with every unknown name, unreadable value and value out of range, each with its place.
    pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = file_of(sources)? {
            let text = std::fs::read_to_string(&file)
                .map_err(|e| fault(format!("{} cannot be read: {e}", file.display())))?;
            check_names(&file, &text)?;
            figment = figment.merge(Named(file.display().to_string(), Toml::string(&text)));
        }
        let names: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        let figment = figment
            .merge(Env::raw().only(&["database_url"]))
            .merge(standard())
            .merge(Env::prefixed("KEYSTEAD_").only(&names))
            .merge(Flags(&sources.flags));
        let config: Config = figment
            .extract()
            .map_err(|errors| ConfigError(errors.into_iter().map(|e| describe(&e)).collect()))?;
        let origins: BTreeMap<&'static str, String> = SETTINGS
            .iter()
            .filter_map(|setting| {
                Some((
                    setting.name,
                    origin(figment.find_metadata(setting.name)?, setting.name)?,
                ))
            })
            .collect();
        let faults: Vec<String> = problems(&config)
            .into_iter()
            .map(|problem| {
                let place = origins
                    .get(problem.setting)
                    .map_or_else(String::new, |origin| format!(" ({origin})"));
                format!("{}{place} {}", problem.setting, problem.message)
            })
            .collect();
        if !faults.is_empty() {
            return Err(ConfigError(faults));
        }
        Ok(Loaded {
            config,
            origins,
            warnings: misspelt_variables(),
        })
    }
}

/// Variables that other programs read too, and what they set here.
const STANDARD: [(&str, &str); 2] = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "otlp_endpoint"),
    ("OTEL_SERVICE_NAME", "otlp_service_name"),
];

fn standard() -> Env {
    Env::raw().filter_map(|name| {
        let known = STANDARD.iter().find(|(variable, _)| name == *variable)?;
        Some(known.1.into())
    })
}

fn fault(line: String) -> ConfigError {
    ConfigError(vec![line])
}

fn file_of(sources: &Sources) -> Result<Option<PathBuf>, ConfigError> {
    if let Some(file) = &sources.file {
        if !file.exists() {
            return Err(fault(format!("there is no file {}", file.display())));
        }
        return Ok(Some(file.clone()));
    }
    Ok(Some(PathBuf::from(FILE)).filter(|file| file.exists()))
}

/// Every name in the file must be one of ours.
fn check_names(file: &Path, text: &str) -> Result<(), ConfigError> {
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
        fault(format!(
            "{} is no TOML: {}",
            file.display(),
            e.to_string().trim_end().replace('\n', "\n    ")
        ))
    })?;
    let faults: Vec<String> = table
        .keys()
        .filter(|key| SETTINGS.iter().all(|setting| setting.name != *key))
        .map(|key| {
            let advice = match nearest(key) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "`keystead config` prints all there are".to_owned(),
            };
            format!("{}: there is no setting `{key}`; {advice}", file.display())
        })
        .collect();
    if faults.is_empty() {
        Ok(())
    } else {
        Err(ConfigError(faults))
    }
}

/// Variables such as `KEYSTEAD_POOLSIZE`. Not an error: orchestrators put variables named after services into every process.
fn misspelt_variables() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| {
            let name = name.into_string().ok()?;
            let setting = name.strip_prefix("KEYSTEAD_")?.to_ascii_lowercase();
            if SETTINGS.iter().any(|known| known.name == setting) {
                return None;
            }
            let meant = nearest(&setting)?;
            Some(format!(
                "the variable {name} sets nothing; did you mean KEYSTEAD_{}?",
                meant.to_ascii_uppercase()
            ))
        })
        .collect()
}

/// The setting whose name is closest to `name`, if one is close at all.
fn nearest(name: &str) -> Option<&'static str> {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SETTINGS
        .iter()
        .map(|setting| (distance(&name, setting.name), setting.name))
        .min()
        .filter(|(distance, meant)| *distance <= meant.len() / 3)
        .map(|(_, meant)| meant)
}

/// How many letters must be put in, left out or changed to make `b` of `a` (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn describe(error: &figment::Error) -> String {
    let name = error.path.join(".");
    let place = error
        .metadata
        .as_ref()
        .and_then(|metadata| origin(metadata, &name))
        .map_or_else(String::new, |origin| format!(" ({origin})"));
    if SETTINGS
        .iter()
        .any(|setting| setting.secret && setting.name == name)
    {
        return format!("{name}{place}: expected a text");
    }
    let said = error.kind.to_string();
    if name == "listen" {
        return format!(
            "{name}{place} must be an IP address and a port, such as 127.0.0.1:4000, 0.0.0.0:4000 or [::1]:4000"
        );
    }
    format!("{name}{place}: {said}")
}

/// Where a setting was set; none for a default.
fn origin(metadata: &Metadata, name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    match &*metadata.name {
        source if source.starts_with("`KEYSTEAD_`") => {
            Some(format!("KEYSTEAD_{upper} in the environment"))
        }
        source if source.contains("environment variable") => {
            let standard = STANDARD.iter().find(|(_, setting)| *setting == name);
            let variable = standard.map_or(upper, |(variable, _)| (*variable).to_owned());
            Some(format!("{variable} in the environment"))
        }
        FLAGS => Some(format!("--{} on the command line", name.replace('_', "-"))),
        source
            if source.ends_with(".toml")
                || metadata.source.is_none() && source.starts_with(IN_FILE) =>
        {
            Some(source.trim_start_matches(IN_FILE).to_owned())
        }
        _ => None,
    }
}

const IN_FILE: &str = "file ";
const FLAGS: &str = "flags";

/// A provider under the name of its file.
struct Named<P>(String, P);

impl<P: Provider> Provider for Named<P> {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("{IN_FILE}{}", self.0))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        self.1.data()
    }
}

/// What the command line says, read as the environment is.
struct Flags<'a>(&'a [(&'static str, String)]);

impl Provider for Flags<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(FLAGS)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let dict = self
            .0
            .iter()
            .map(|(name, text)| {
                let Ok(value) = text.parse::<Value>();
                ((*name).to_owned(), value)
            })
            .collect();
        Ok(Profile::Default.collect(dict))
    }
}
