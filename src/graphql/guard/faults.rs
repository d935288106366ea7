//! What validation has found so far, and how much work it may still do.

use super::limits::Cap;
use super::refusal::{Fault, Location, MAX_FAULTS, Refusal, RefusalCode};

/// The faults of one document: the first few, so that a document made of errors costs no more than another.
pub(super) struct Faults<'a> {
    text: &'a str,
    found: Vec<Fault>,
    /// Texts in the document that are no values of their scalars. They do not make it invalid: it cannot be run.
    misread: Vec<Fault>,
}

impl<'a> Faults<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            found: Vec::new(),
            misread: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Notes a fault at byte `at`. The message is made only if there is room for it.
    pub(super) fn push(&mut self, at: usize, message: impl FnOnce() -> String) {
        self.push_all(&[at], None, message);
    }

    /// The same of a value, whose path among the arguments is known.
    pub(super) fn push_value(&mut self, at: usize, path: String, message: impl FnOnce() -> String) {
        self.push_all(&[at], Some(path), message);
    }

    /// Notes a text that is no value of its scalar.
    pub(super) fn push_misread(&mut self, at: usize, path: String, message: String) {
        if self.misread.len() < MAX_FAULTS {
            self.misread.push(Fault {
                message,
                locations: vec![Location::of(self.text, at)],
                path: Some(path),
            });
        }
    }

    pub(super) fn push_all(
        &mut self,
        at: &[usize],
        path: Option<String>,
        message: impl FnOnce() -> String,
    ) {
        if self.found.len() < MAX_FAULTS {
            let mut message = message();
            // Names may be as long as the document.
            if message.len() > 500 {
                let cut = (0..=500).rev().find(|at| message.is_char_boundary(*at));
                message.truncate(cut.unwrap_or(0));
                message.push('…');
            }
            self.found.push(Fault {
                message,
                locations: at.iter().map(|at| Location::of(self.text, *at)).collect(),
                path,
            });
        }
    }

    /// What was misread, if nothing else is wrong.
    pub(super) fn into_result(self) -> Result<Vec<Fault>, Refusal> {
        if self.found.is_empty() {
            return Ok(self.misread);
        }
        Err(Refusal {
            code: RefusalCode::ValidationFailed,
            errors: self.found,
            limit: None,
        })
    }
}

/// A budget of steps for what is not linear in the document.
pub(super) struct Work {
    cap: Cap,
    done: u64,
}

impl Work {
    pub(super) fn new(cap: Cap) -> Self {
        Self { cap, done: 0 }
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Refusal> {
        self.done = self.done.saturating_add(steps as u64);
        if self.done > self.cap.limit {
            return Err(self.cap.refuse(self.done));
        }
        Ok(())
    }
}
