//! Documents that have passed the guard, with their syntax trees: a repeated one is neither checked nor parsed again.

use std::sync::Arc;

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use moka::sync::Cache;
use serde_json::{Map, Value};

use super::error::Refused;
use super::guard::{Checked, Guard, Operation};
use crate::error::{Code, Error};

/// A syntax tree takes about so many times the bytes of its text.
const TREE: usize = 12;

/// The guard, and what it let through.
pub struct Documents {
    guard: Guard,
    known: Cache<Arc<str>, Known>,
}

/// A document that may run.
#[derive(Clone)]
pub struct Known {
    checked: Arc<Checked>,
    /// Its syntax tree.
    pub tree: Arc<ExecutableDocument>,
}

impl Documents {
    /// With that guard.
    pub fn new(guard: Guard) -> Self {
        Documents {
            known: Cache::builder()
                .max_capacity(guard.limits().cache_bytes)
                .weigher(|text: &Arc<str>, _| {
                    u32::try_from(text.len() * (TREE + 1) + 200).unwrap_or(u32::MAX)
                })
                .build(),
            guard,
        }
    }

    /// Checks a document and parses it, unless both were done before. Nothing else may hand text to the engine's parser.
    ///
    /// # Errors
    /// What the guard says.
    pub fn check(&self, text: &str) -> Result<Known, Refused> {
        if let Some(known) = self.known.get(text) {
            return Ok(known);
        }
        let checked = self.guard.check(text)?;
        let tree = parse_query(text).map_err(|error| {
            Error::new(Code::ParseFailed, "The document cannot be parsed.")
                .because(error.to_string())
        })?;
        let known = Known {
            checked,
            tree: Arc::new(tree),
        };
        self.known.insert(text.into(), known.clone());
        Ok(known)
    }
}

impl Known {
    /// Chooses the operation and prices it with these variables.
    ///
    /// # Errors
    /// What the guard says.
    pub fn operation(
        &self,
        name: Option<&str>,
        variables: &Map<String, Value>,
    ) -> Result<Operation, Refused> {
        Ok(self.checked.operation(name, variables)?)
    }
}
