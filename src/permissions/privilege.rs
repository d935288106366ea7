//! Privileges and sets of them.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The most bytes the name of a privilege may have.
pub const MAX_BYTES: usize = 64;

/// One thing one can do: `user.read`, `model.use`. An open vocabulary of `[A-Za-z][A-Za-z0-9_.]*`, in which case matters.
/// Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Privilege(Arc<str>);

impl Privilege {
    /// Reads the name of a privilege.
    ///
    /// # Errors
    /// When it is empty, longer than [`MAX_BYTES`], or holds a character outside the vocabulary.
    pub fn parse(text: &str) -> Result<Self, PrivilegeError> {
        let begins = text.starts_with(|first: char| first.is_ascii_alphabetic());
        let goes_on = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.');
        if begins && goes_on && text.len() <= MAX_BYTES {
            Ok(Self(Arc::from(text)))
        } else {
            Err(PrivilegeError {
                value: text.chars().take(MAX_BYTES + 1).collect(),
            })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What stands after the last dot, or the whole name where there is none: `read` of `user.read`.
    pub fn suffix(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or(&self.0)
    }
}

impl fmt::Display for Privilege {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for Privilege {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for Privilege {
    type Err = PrivilegeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl TryFrom<String> for Privilege {
    type Error = PrivilegeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<Privilege> for String {
    fn from(privilege: Privilege) -> Self {
        privilege.as_str().to_owned()
    }
}

/// A text that is not the name of a privilege.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivilegeError {
    value: String,
}

impl fmt::Display for PrivilegeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} is not a privilege: a letter, then letters, digits, \"_\" and \".\", at most {MAX_BYTES} in all, as in \"model.use\"",
            self.value
        )
    }
}

impl std::error::Error for PrivilegeError {}

/// A set of privileges: names, and the two patterns that only built-in roles use.
///
/// `*` stands for every privilege there is or will be, and `*.read` for each whose last segment is `read`. Since the
/// vocabulary is open, no number of names ever makes up a pattern, and no number of suffixes makes up `*`; that is why
/// [`missing`](Self::missing) is exact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PrivilegeSet {
    all: bool,
    suffixes: BTreeSet<Arc<str>>,
    names: BTreeSet<Privilege>,
}

impl PrivilegeSet {
    /// The set of every privilege, `*`.
    pub fn all() -> Self {
        Self {
            all: true,
            ..Self::default()
        }
    }

    /// Bytes that it takes in memory, about.
    pub(crate) fn weight(&self) -> usize {
        let names = self.names.iter().map(|name| name.as_str().len() + 64);
        let suffixes = self.suffixes.iter().map(|suffix| suffix.len() + 64);
        names.chain(suffixes).sum()
    }

    /// The set without any.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a set as it is stored with a role: names, `*`, and `*.suffix`.
    ///
    /// # Errors
    /// When an element is neither of the three.
    pub fn from_patterns<S: AsRef<str>>(
        patterns: impl IntoIterator<Item = S>,
    ) -> Result<Self, PrivilegeError> {
        let mut set = Self::none();
        for pattern in patterns {
            match pattern.as_ref() {
                "*" => set.all = true,
                text => match text.strip_prefix("*.") {
                    Some(suffix) if !suffix.contains('.') => {
                        Privilege::parse(suffix)?;
                        set.suffixes.insert(Arc::from(suffix));
                    }
                    _ => {
                        set.names.insert(Privilege::parse(text)?);
                    }
                },
            }
        }
        Ok(set)
    }

    /// The set as it is stored and shown: `*`, then suffixes, then names, each in order; names that a pattern covers are left out.
    pub fn to_patterns(&self) -> Vec<String> {
        if self.all {
            return vec!["*".to_owned()];
        }
        let suffixes = self.suffixes.iter().map(|suffix| format!("*.{suffix}"));
        let names = self
            .names
            .iter()
            .filter(|name| !self.suffixes.contains(name.suffix()));
        suffixes.chain(names.map(ToString::to_string)).collect()
    }

    /// Whether the set holds nothing.
    pub fn is_empty(&self) -> bool {
        !self.all && self.suffixes.is_empty() && self.names.is_empty()
    }

    /// Whether the privilege is in the set.
    pub fn contains(&self, privilege: &Privilege) -> bool {
        self.all || self.names.contains(privilege) || self.suffixes.contains(privilege.suffix())
    }

    /// Adds everything that is in the other set.
    pub fn extend(&mut self, other: &Self) {
        self.all |= other.all;
        self.suffixes.extend(other.suffixes.iter().cloned());
        self.names.extend(other.names.iter().cloned());
    }

    /// What is in either set.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.extend(other);
        self
    }

    /// What is in both sets.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        if self.all {
            return other.clone();
        }
        if other.all {
            return self.clone();
        }
        let names = self.names.iter().filter(|name| other.contains(name));
        let others = other.names.iter().filter(|name| self.contains(name));
        Self {
            all: false,
            suffixes: self
                .suffixes
                .intersection(&other.suffixes)
                .cloned()
                .collect(),
            names: names.chain(others).cloned().collect(),
        }
    }

    /// The names and patterns of this set that the other does not cover: what someone who holds `other` lacks of it.
    /// Empty exactly when `other` [is a superset](Self::is_superset).
    #[must_use]
    pub fn missing(&self, other: &Self) -> Self {
        if other.all {
            return Self::none();
        }
        let names = self.names.iter().filter(|name| !other.contains(name));
        Self {
            all: self.all,
            suffixes: self.suffixes.difference(&other.suffixes).cloned().collect(),
            names: names.cloned().collect(),
        }
    }

    /// Whether everything in the other set is in this one.
    pub fn is_superset(&self, other: &Self) -> bool {
        other.missing(self).is_empty()
    }
}

impl FromIterator<Privilege> for PrivilegeSet {
    fn from_iter<I: IntoIterator<Item = Privilege>>(names: I) -> Self {
        Self {
            names: names.into_iter().collect(),
            ..Self::default()
        }
    }
}
