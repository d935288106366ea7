//! Which fragment spreads which: names resolved, cycles found, and an order in which each comes after those it spreads,
//! so that nothing after this has to recurse from fragment to fragment, or visit one twice.

use std::collections::HashMap;

use super::ast::{Document, Selection};
use super::faults::Faults;

/// The fragments of a document by number, which is their place in it.
pub(super) struct Fragments<'a> {
    by_name: HashMap<&'a str, usize>,
    /// For each fragment, those it spreads itself, each once.
    spreads: Vec<Vec<usize>>,
    /// Each after all it spreads. Empty if there is a cycle or an unknown name.
    pub order: Vec<usize>,
}

impl<'a> Fragments<'a> {
    /// Resolves the fragments of `document`; unknown, repeated, unused and circular ones go to `faults`.
    pub(super) fn new(document: &Document<'a>, faults: &mut Faults<'_>) -> Self {
        let mut by_name = HashMap::with_capacity(document.fragments.len());
        for (number, fragment) in document.fragments.iter().enumerate() {
            let name = fragment.name;
            if by_name.insert(name.text, number).is_some() {
                faults.push(name.at, || {
                    format!("There can be only one fragment named \"{}\".", name.text)
                });
            }
        }
        let mut this = Self {
            by_name,
            spreads: Vec::new(),
            order: Vec::new(),
        };
        for fragment in &document.fragments {
            let spreads = this.spread_by(&fragment.selections, faults);
            this.spreads.push(spreads);
        }
        let mut used = vec![false; document.fragments.len()];
        for operation in &document.operations {
            for number in this.spread_by(&operation.selections, faults) {
                this.mark(number, &mut used);
            }
        }
        for (fragment, used) in document.fragments.iter().zip(used) {
            if !used {
                faults.push(fragment.name.at, || {
                    format!("Fragment \"{}\" is never used.", fragment.name.text)
                });
            }
        }
        if faults.is_empty() {
            this.sort(document, faults);
        }
        this
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    /// The fragments that `selections` reach, directly or through others.
    pub(super) fn reached(&self, selections: &[Selection<'_>]) -> Vec<usize> {
        let mut direct = Vec::new();
        self.collect(selections, &mut direct, &mut |_| {});
        let mut seen = vec![false; self.spreads.len()];
        for number in direct {
            self.mark(number, &mut seen);
        }
        (0..seen.len()).filter(|number| seen[*number]).collect()
    }

    fn mark(&self, number: usize, seen: &mut [bool]) {
        let mut todo = vec![number];
        while let Some(number) = todo.pop() {
            if !seen[number] {
                seen[number] = true;
                todo.extend(&self.spreads[number]);
            }
        }
    }

    fn spread_by(&self, selections: &[Selection<'a>], faults: &mut Faults<'_>) -> Vec<usize> {
        let mut numbers = Vec::new();
        self.collect(selections, &mut numbers, &mut |spread| {
            faults.push(spread.name.at, || {
                format!("Unknown fragment \"{}\".", spread.name.text)
            });
        });
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    fn collect(
        &self,
        selections: &[Selection<'_>],
        numbers: &mut Vec<usize>,
        unknown: &mut dyn FnMut(&super::ast::Spread<'_>),
    ) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    self.collect(field.selections.as_deref().unwrap_or(&[]), numbers, unknown);
                }
                Selection::Inline(inline) => self.collect(&inline.selections, numbers, unknown),
                Selection::Spread(spread) => match self.number(spread.name.text) {
                    Some(number) => numbers.push(number),
                    None => unknown(spread),
                },
            }
        }
    }

    /// Depth first without recursion: a fragment is put in order when all it spreads have been.
    fn sort(&mut self, document: &Document<'_>, faults: &mut Faults<'_>) {
        #[derive(Clone, Copy, PartialEq)]
        enum State {
            New,
            Open,
            Done,
        }
        let mut states = vec![State::New; self.spreads.len()];
        let mut order = Vec::with_capacity(self.spreads.len());
        for start in 0..self.spreads.len() {
            if states[start] != State::New {
                continue;
            }
            states[start] = State::Open;
            let mut path = vec![(start, 0)];
            while let Some((number, next)) = path.last_mut() {
                let Some(child) = self.spreads[*number].get(*next).copied() else {
                    states[*number] = State::Done;
                    order.push(*number);
                    path.pop();
                    continue;
                };
                *next += 1;
                match states[child] {
                    State::Done => {}
                    State::New => {
                        states[child] = State::Open;
                        path.push((child, 0));
                    }
                    State::Open => {
                        let name = document.fragments[child].name;
                        faults.push(name.at, || {
                            format!("Cannot spread fragment \"{}\" within itself.", name.text)
                        });
                        return;
                    }
                }
            }
        }
        self.order = order;
    }
}
