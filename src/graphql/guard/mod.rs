//! The guard: what stands between a request and the GraphQL engine.
//!
//! The engine's parser recurses before any of its own limits is looked at: a list literal nested 1,600 deep, 3 kB of text,
//! overflows the stack of a worker and takes the process with it; and its validators follow fragments without memory, so
//! that 600 bytes can cost 2^N steps. So no text reaches it before it has passed here:
//!
//! 1. [`scan`]: one lexical pass over the raw text, linear and without recursion: bytes, tokens, open brackets.
//! 2. [`parser`], [`fragments`], [`tally`]: the document, its fragments in order, and the caps on what it asks for, with
//!    each fragment walked once and counted as often as it is spread.
//! 3. [`validate`]: the specification's rules, with graphql-js's verdicts.
//! 4. [`cost`] and [`coerce`]: its price, which may depend on variables, and whether they fit.
//!
//! A text is checked once: the verdict is kept under the text itself (no hash that could collide), within a bound on
//! bytes. What varies between requests, the operation's name and the variables, is looked at by [`Checked::operation`].
//!
//! Nothing here panics or recurses without bound on any input, whatever the limits: [`Limits::check`] refuses settings
//! that would allow it.

mod ast;
mod checked;
mod coerce;
mod cost;
mod faults;
mod fields;
mod fragments;
mod lexer;
mod limits;
mod merge;
mod parser;
mod refusal;
mod scan;
mod schema;
mod special;
mod tally;
mod types;
mod validate;
mod values;
mod variables;

use std::sync::Arc;

use moka::sync::Cache;

pub use ast::OperationKind;
pub use checked::{Checked, Operation};
pub use limits::Limits;
pub use refusal::{Fault, LimitHit, Location, MAX_FAULTS, Refusal, RefusalCode};
pub use types::Reader;

use faults::{Faults, Work};
use fragments::Fragments;
use types::{Body, Types};

/// The verdict on a text.
type Verdict = Result<Arc<Checked>, Refusal>;

/// A refused text longer than this is not kept: it is as cheap to refuse again.
const LONGEST_KEPT_REFUSAL: usize = 2_048;

/// Checks documents against one schema.
#[derive(Debug)]
pub struct Guard {
    types: Arc<Types>,
    limits: Arc<Limits>,
    verdicts: Cache<Arc<str>, Verdict>,
}

impl Guard {
    /// A guard for the schema `sdl`.
    ///
    /// # Errors
    /// A sentence, if the schema cannot be read or a limit is not safe.
    pub fn new(sdl: &str, limits: Limits) -> Result<Self, String> {
        Self::with_scalars(sdl, limits, &[])
    }

    /// The same where the texts of some scalars, named here, have a form: values that have it not are refused before anything runs.
    ///
    /// # Errors
    /// As [`Guard::new`].
    pub fn with_scalars(
        sdl: &str,
        limits: Limits,
        scalars: &[(&str, Reader)],
    ) -> Result<Self, String> {
        limits.check()?;
        let mut types = Types::new(sdl)?;
        for def in &mut types.defs {
            if let Body::Scalar(reader) = &mut def.body {
                let known = scalars.iter().find(|(name, _)| **name == *def.name);
                *reader = known.map(|(_, reader)| *reader);
            }
        }
        let verdicts = Cache::builder()
            .max_capacity(limits.cache_bytes)
            .weigher(|text: &Arc<str>, verdict: &Verdict| {
                let held = match verdict {
                    Ok(checked) => checked.weight(),
                    Err(refusal) => refusal.weight(),
                };
                // What the cache itself needs for an entry, roughly.
                u32::try_from(text.len() + held + 200).unwrap_or(u32::MAX)
            })
            .build();
        Ok(Self {
            types: Arc::new(types),
            limits: Arc::new(limits),
            verdicts,
        })
    }

    /// The limits it holds requests to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Everything that can be said about a document without its variables.
    ///
    /// # Errors
    /// [`RefusalCode::ParseFailed`], [`RefusalCode::ValidationFailed`] or [`RefusalCode::LimitExceeded`].
    pub fn check(&self, text: &str) -> Result<Arc<Checked>, Refusal> {
        // Beyond the cap on bytes not even its hash is worth computing.
        self.limits.bytes().hold(text.len() as u64)?;
        if let Some(verdict) = self.verdicts.get(text) {
            return verdict;
        }
        let verdict = self.check_afresh(text).map(Arc::new);
        if verdict.is_ok() || text.len() <= LONGEST_KEPT_REFUSAL {
            self.verdicts.insert(text.into(), verdict.clone());
        }
        verdict
    }

    /// As [`Guard::check`], but without memory: what the first check of a text costs.
    ///
    /// # Errors
    /// As [`Guard::check`].
    pub fn check_afresh(&self, text: &str) -> Result<Checked, Refusal> {
        let limits = &*self.limits;
        scan::scan(text, limits)?;
        let document = parser::parse(text)?;
        let definitions = document.operations.len() + document.fragments.len();
        limits.definitions().hold(definitions as u64)?;
        let mut faults = Faults::new(text);
        let fragments = Fragments::new(&document, &mut faults);
        faults.into_result()?;
        tally::hold(text, &document, &fragments, limits)?;
        let mut faults = Faults::new(text);
        let mut work = Work::new(limits.work());
        validate::validate(&self.types, &document, &fragments, &mut faults, &mut work)?;
        let misread = faults.into_result()?;
        let mut checked = Checked::new(&self.types, &document, &fragments, &self.limits);
        checked.misread = misread;
        Ok(checked)
    }
}
