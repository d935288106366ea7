//! How much an operation asks for, with each fragment counted as often as it is spread: what an executor without
//! memory would do. Every fragment is walked once, so a bomb of 2^n fields costs n steps to count.

use super::ast::{Directive, Document, Operation, OperationKind, Selection};
use super::fragments::Fragments;
use super::limits::Limits;
use super::refusal::{Location, Refusal};

#[derive(Clone, Copy, Default)]
struct Tally {
    fields: u64,
    top: u64,
    aliases: u64,
    directives: u64,
    typename: u64,
    spreads: u64,
    depth: u64,
    nesting: u64,
}

impl Tally {
    /// Adds what `inner` holds; its fields are `top` fields here too if no field is between.
    fn add(&mut self, inner: Tally, same_level: bool) {
        let sum = |a: &mut u64, b: u64| *a = a.saturating_add(b);
        sum(&mut self.fields, inner.fields);
        sum(&mut self.aliases, inner.aliases);
        sum(&mut self.directives, inner.directives);
        sum(&mut self.typename, inner.typename);
        sum(&mut self.spreads, inner.spreads);
        let below = if same_level {
            sum(&mut self.top, inner.top);
            inner.depth
        } else {
            inner.depth.saturating_add(1)
        };
        self.depth = self.depth.max(below);
        self.nesting = self.nesting.max(inner.nesting.saturating_add(1));
    }

    fn note(&mut self, directives: &[Directive<'_>]) {
        self.directives = self.directives.saturating_add(directives.len() as u64);
    }
}

/// Holds every operation of `document` to the caps. `fragments` must be free of cycles.
pub(super) fn hold(
    text: &str,
    document: &Document<'_>,
    fragments: &Fragments<'_>,
    limits: &Limits,
) -> Result<(), Refusal> {
    let mut known = vec![Tally::default(); document.fragments.len()];
    for number in &fragments.order {
        let fragment = &document.fragments[*number];
        let mut tally = count(&fragment.selections, fragments, &known);
        tally.note(&fragment.directives);
        known[*number] = tally;
    }
    for operation in &document.operations {
        let mut tally = count(&operation.selections, fragments, &known);
        tally.note(&operation.directives);
        for variable in &operation.variables {
            tally.note(&variable.directives);
        }
        hold_one(operation, &tally, limits)
            .map_err(|refusal| refusal.at(Location::of(text, operation.at)))?;
    }
    Ok(())
}

fn hold_one(operation: &Operation<'_>, tally: &Tally, limits: &Limits) -> Result<(), Refusal> {
    limits.variables().hold(operation.variables.len() as u64)?;
    if operation.kind == OperationKind::Mutation {
        limits.mutation_root_fields().hold(tally.top)?;
    } else {
        limits.root_fields().hold(tally.top)?;
    }
    limits.depth().hold(tally.depth)?;
    limits.expanded_nesting().hold(tally.nesting)?;
    limits.aliases().hold(tally.aliases)?;
    limits.directives().hold(tally.directives)?;
    limits.typename().hold(tally.typename)?;
    limits.spreads().hold(tally.spreads)?;
    limits.fields().hold(tally.fields)
}

fn count(selections: &[Selection<'_>], fragments: &Fragments<'_>, known: &[Tally]) -> Tally {
    let mut tally = Tally::default();
    for selection in selections {
        match selection {
            Selection::Field(field) => {
                tally.note(&field.directives);
                tally.fields = tally.fields.saturating_add(1);
                tally.top = tally.top.saturating_add(1);
                tally.aliases += u64::from(field.alias.is_some());
                tally.typename += u64::from(field.name.text == "__typename");
                let below = field.selections.as_deref().unwrap_or(&[]);
                tally.add(count(below, fragments, known), false);
            }
            Selection::Inline(inline) => {
                tally.note(&inline.directives);
                tally.add(count(&inline.selections, fragments, known), true);
            }
            Selection::Spread(spread) => {
                tally.note(&spread.directives);
                tally.spreads = tally.spreads.saturating_add(1);
                if let Some(number) = fragments.number(spread.name.text) {
                    tally.add(known[number], true);
                }
            }
        }
    }
    tally
}
