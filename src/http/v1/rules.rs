//! Which request through a proxy needs which privilege where: the `authorize` rules of the configuration.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::target::{Target, segments};
use crate::permissions::path::Path;
use crate::permissions::privilege::Privilege;

/// One rule, as it is written. The first that matches decides; a request that none matches is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The methods it is about, such as `["GET", "HEAD"]`; none: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The host it is about, without a port; none: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// It is about URIs whose path is this or lies below it. `{name}` stands for one segment, `{*name}` at the end for all that follow.
    pub prefix: String,
    /// What the key's holder needs; none: the key only has to be good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub privilege: Option<String>,
    /// Where, with the segments that the prefix names: `/models/{name}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// As how many requests it counts against the limits of the key, at most 1,000,000; 0: limits are not asked. 1 unless told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<u32>,
}

/// As how many one request counts at most.
pub(super) const MAX_REQUESTS: i64 = 1_000_000;

/// A rule that means nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The rule's place, from 0.
    pub index: usize,
    /// What is wrong.
    pub message: String,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "has in rule {}: {}", self.index + 1, self.message)
    }
}

impl std::error::Error for RuleError {}

/// Rules that have been read. Cheap to compare requests with.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Compiled>);

#[derive(Debug, Clone)]
struct Compiled {
    methods: Vec<String>,
    host: Option<String>,
    prefix: Vec<Part>,
    asked: Option<(Privilege, Vec<Part>)>,
    requests: i64,
}

/// One segment of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// This one, decoded.
    Fixed(String),
    /// Any one.
    One(String),
    /// All that follow.
    Rest(String),
}

/// What a rule found in a URI, by name.
type Found<'a> = Vec<(&'a str, &'a [String])>;

/// What a request needs: a privilege at a path, or only a good key.
pub type Needed = Option<(Privilege, Path)>;

impl Rules {
    /// Reads the rules.
    ///
    /// # Errors
    /// The first rule that means nothing, and what is wrong with it.
    pub fn new(rules: &[Rule]) -> Result<Rules, RuleError> {
        let read = |(index, rule): (usize, &Rule)| {
            Compiled::new(rule).map_err(|message| RuleError { index, message })
        };
        rules
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Rules)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the first matching rule asks for, and as how many requests it counts.
    ///
    /// # Errors
    /// A sentence, when no rule matches or the URI's segments make no path.
    pub(super) fn needed(&self, target: &Target) -> Result<(Needed, i64), String> {
        let hit = self
            .0
            .iter()
            .find_map(|rule| Some((rule, rule.matches(target)?)));
        let Some((rule, found)) = hit else {
            return Err("No rule matches this request.".into());
        };
        let Some((privilege, template)) = &rule.asked else {
            return Ok((None, rule.requests));
        };
        let path = fill(template, &found).map_err(|why| format!("The rule's path: {why}."))?;
        Ok((Some((privilege.clone(), path)), rule.requests))
    }
}

impl Compiled {
    fn new(rule: &Rule) -> Result<Self, String> {
        for method in &rule.methods {
            if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(format!("`{method}` is no method; write GET, POST …"));
            }
        }
        if let Some(host) = &rule.host {
            let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_[:]".contains(&byte);
            let port = host
                .rsplit_once(':')
                .is_some_and(|(name, _)| !name.contains(':'));
            if host.is_empty() || port || !host.bytes().all(plain) {
                return Err(format!(
                    "`{host}` is no host; write models.example.com, without a port"
                ));
            }
        }
        let prefix = template(&rule.prefix)?;
        let names: Vec<&Part> = prefix.iter().filter(|part| part.is_name()).collect();
        if names.iter().enumerate().any(|(place, part)| {
            names[..place]
                .iter()
                .any(|earlier| earlier.name() == part.name())
        }) {
            return Err(format!("`{}` has a name twice", rule.prefix));
        }
        let requests = i64::from(rule.requests.unwrap_or(1));
        if requests > MAX_REQUESTS {
            return Err(format!(
                "`requests` is {requests}; one request counts as at most {MAX_REQUESTS}"
            ));
        }
        let asked = match (&rule.privilege, &rule.path) {
            (None, None) => None,
            (Some(privilege), Some(path)) => {
                let privilege = Privilege::parse(privilege).map_err(|error| error.to_string())?;
                let path = template(path)?;
                if let Some(unknown) = path
                    .iter()
                    .find(|part| part.is_name() && !names.contains(part))
                {
                    return Err(format!(
                        "the path names `{}`, which is not in `{}` in the same form",
                        unknown.name(),
                        rule.prefix
                    ));
                }
                Some((privilege, path))
            }
            _ => return Err("a privilege is held at a path; give both, or neither".into()),
        };
        Ok(Compiled {
            methods: rule.methods.clone(),
            host: rule.host.as_ref().map(|host| host.to_ascii_lowercase()),
            prefix,
            asked,
            requests,
        })
    }

    fn matches<'a>(&'a self, target: &'a Target) -> Option<Found<'a>> {
        // A rule about methods never speaks of a request whose method nobody told.
        let method = |method: &String| self.methods.contains(method);
        if !self.methods.is_empty() && !target.method.as_ref().is_some_and(method) {
            return None;
        }
        if self.host.is_some() && self.host != target.host {
            return None;
        }
        let mut found = Vec::new();
        let mut rest = target.segments.as_slice();
        for part in &self.prefix {
            if let Part::Rest(name) = part {
                found.push((name.as_str(), rest));
                return Some(found);
            }
            let (first, after) = rest.split_first()?;
            match part {
                Part::Fixed(text) if text == first => {}
                Part::One(name) => found.push((name.as_str(), std::slice::from_ref(first))),
                _ => return None,
            }
            rest = after;
        }
        Some(found)
    }
}

impl Part {
    fn is_name(&self) -> bool {
        !matches!(self, Part::Fixed(_))
    }

    fn name(&self) -> &str {
        let (Part::Fixed(name) | Part::One(name) | Part::Rest(name)) = self;
        name
    }
}

/// A template in parts: `/v1/models/{model}`.
fn template(text: &str) -> Result<Vec<Part>, String> {
    let Some(inner) = text.strip_prefix('/') else {
        return Err(format!("`{text}` must begin with /"));
    };
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let mut parts = Vec::new();
    for segment in inner.split('/').filter(|_| !inner.is_empty()) {
        if matches!(parts.last(), Some(Part::Rest(_))) {
            return Err(format!(
                "`{text}` goes on after a part that takes all the rest"
            ));
        }
        let name = segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'));
        parts.push(match name {
            Some(name) => {
                let (rest, name) = match name.strip_prefix('*') {
                    Some(name) => (true, name),
                    None => (false, name),
                };
                let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                if name.is_empty() || !name.bytes().all(word) {
                    return Err(format!(
                        "`{segment}` is no name; write {{model}} or {{*rest}}"
                    ));
                }
                if rest {
                    Part::Rest(name.into())
                } else {
                    Part::One(name.into())
                }
            }
            None if segment.contains(['{', '}']) => {
                return Err(format!("`{segment}`: a name takes a whole segment"));
            }
            None => {
                let mut read =
                    segments(&format!("/{segment}")).map_err(|why| format!("`{text}` {why}"))?;
                match (read.pop(), read.pop()) {
                    (Some(one), None) => Part::Fixed(one),
                    _ => return Err(format!("`{text}` has an empty segment")),
                }
            }
        });
    }
    Ok(parts)
}

/// The path of a template with what was found put in.
fn fill(template: &[Part], found: &Found<'_>) -> Result<Path, String> {
    let mut path = Path::root();
    for part in template {
        let fixed;
        let put: &[String] = match part {
            Part::Fixed(text) => {
                fixed = [text.clone()];
                &fixed
            }
            Part::One(name) | Part::Rest(name) => found
                .iter()
                .find(|(found, _)| found == name)
                .map_or(&[], |(_, segments)| segments),
        };
        for segment in put {
            path = path.join(segment).map_err(|error| error.to_string())?;
        }
    }
    Ok(path)
}
