//! Two rules that follow fragments from where they are spread: one field in a subscription, and no endless
//! introspection. Fragments are free of cycles and every name is known when they run.

use std::collections::HashSet;

use super::ast::{Directive, Document, Literal, Operation, Selection};
use super::faults::Faults;
use super::fragments::Fragments;
use super::types::Types;

/// A subscription selects one field at its root, and none of introspection.
pub(super) fn one_subscription_field(
    types: &Types,
    document: &Document<'_>,
    fragments: &Fragments<'_>,
    operation: &Operation<'_>,
    faults: &mut Faults<'_>,
) {
    let Some(root) = types.root(operation.kind) else {
        return;
    };
    let applies = |on: &str| types.id(on).is_some_and(|on| types.overlap(root, on));
    let mut seen = vec![false; document.fragments.len()];
    let mut keys = HashSet::new();
    let mut todo: Vec<&Selection<'_>> = operation.selections.iter().rev().collect();
    while let Some(selection) = todo.pop() {
        let directives = match selection {
            Selection::Field(field) => &field.directives,
            Selection::Spread(spread) => &spread.directives,
            Selection::Inline(inline) => &inline.directives,
        };
        match asked_for(directives) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(at) => faults.push(at, || {
                "The root field of a subscription cannot depend on a variable.".to_owned()
            }),
        }
        match selection {
            Selection::Field(field) => {
                keys.insert(field.key());
                if field.name.text.starts_with("__") {
                    faults.push(field.name.at, || {
                        "A subscription must not select an introspection top level field."
                            .to_owned()
                    });
                } else if keys.len() > 1 {
                    faults.push(field.name.at, || {
                        "A subscription must select only one top level field.".to_owned()
                    });
                }
            }
            Selection::Inline(inline) => {
                if inline.on.is_none_or(|on| applies(on.text)) {
                    todo.extend(inline.selections.iter().rev());
                }
            }
            Selection::Spread(spread) => {
                if let Some(number) = fragments.number(spread.name.text)
                    && !std::mem::replace(&mut seen[number], true)
                    && applies(document.fragments[number].on.text)
                {
                    todo.extend(document.fragments[number].selections.iter().rev());
                }
            }
        }
    }
}

/// Whether `@skip` and `@include` let a selection stand; the place of a directive whose answer is a variable.
fn asked_for(directives: &[Directive<'_>]) -> Result<bool, usize> {
    for (name, excludes) in [("skip", true), ("include", false)] {
        for directive in directives.iter().filter(|d| d.name.text == name) {
            match directive
                .arguments
                .first()
                .map(|argument| &argument.value.body)
            {
                Some(Literal::Boolean(value)) if *value == excludes => return Ok(false),
                Some(Literal::Boolean(_)) => {}
                _ => return Err(directive.name.at),
            }
        }
    }
    Ok(true)
}

/// The lists of introspection (fields, interfaces, possible types, input fields) may not be nested three deep: each
/// level multiplies the answer by the size of the schema.
pub(super) fn introspection_depth(
    document: &Document<'_>,
    fragments: &Fragments<'_>,
    faults: &mut Faults<'_>,
) {
    let mut checker = Introspection {
        fragments,
        lists_in: vec![0; document.fragments.len()],
    };
    for number in &fragments.order {
        checker.lists_in[*number] = checker.lists(&document.fragments[*number].selections);
    }
    let definitions = document.operations.iter().map(|o| &o.selections);
    let mut todo: Vec<&Selection<'_>> = definitions
        .chain(document.fragments.iter().map(|f| &f.selections))
        .flatten()
        .collect();
    while let Some(selection) = todo.pop() {
        match selection {
            Selection::Field(field) => {
                let below = field.selections.as_deref().unwrap_or(&[]);
                let starts = matches!(field.name.text, "__schema" | "__type");
                if starts && checker.lists(below) >= 3 {
                    faults.push(field.name.at, || {
                        "Maximum introspection depth exceeded".to_owned()
                    });
                }
                todo.extend(below);
            }
            Selection::Inline(inline) => todo.extend(&inline.selections),
            Selection::Spread(_) => {}
        }
    }
}

struct Introspection<'w, 'a> {
    fragments: &'w Fragments<'a>,
    /// For each fragment, how many lists are nested in it at most.
    lists_in: Vec<usize>,
}

impl Introspection<'_, '_> {
    fn lists(&self, selections: &[Selection<'_>]) -> usize {
        let of = |selection: &Selection<'_>| match selection {
            Selection::Field(field) => {
                let own = matches!(
                    field.name.text,
                    "fields" | "interfaces" | "possibleTypes" | "inputFields"
                );
                usize::from(own) + self.lists(field.selections.as_deref().unwrap_or(&[]))
            }
            Selection::Inline(inline) => self.lists(&inline.selections),
            Selection::Spread(spread) => self
                .fragments
                .number(spread.name.text)
                .map_or(0, |number| self.lists_in[number]),
        };
        selections.iter().map(of).max().unwrap_or(0)
    }
}
