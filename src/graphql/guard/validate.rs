//! The second step: validation by the whole specification, with the verdicts of graphql-js (`validate` of `graphql`
//! 16 with its default rules), which a test compares on thousands of documents.
//!
//! The rules are our own. The library that reads the schema (apollo-compiler) also validates, but differs on 30 of the 246
//! documents with a name in our tests: it knows no `@oneOf` and no `isOneOf`, reads a shorter list literal as equal to a
//! longer one, lets a nullable variable into a list of non-null items and a null default stand for a value, does not look
//! into scalars for undefined variables or repeated keys, and refuses `subscription { a a }`. Nor can it be told to stop:
//! the time it takes to merge fields grows exponentially. Here every step that is not linear in the document draws on a
//! budget.

use std::collections::HashSet;

use super::ast::{Document, OperationKind};
use super::faults::{Faults, Work};
use super::fields::Walk;
use super::fragments::Fragments;
use super::merge::Merge;
use super::refusal::Refusal;
use super::types::Types;
use super::{special, variables};

/// Notes in `faults` what is wrong with `document`. `fragments` must be free of faults.
pub(super) fn validate(
    types: &Types,
    document: &Document<'_>,
    fragments: &Fragments<'_>,
    faults: &mut Faults<'_>,
    work: &mut Work,
) -> Result<(), Refusal> {
    operation_names(document, faults);
    let variable_types: Vec<_> = document
        .operations
        .iter()
        .map(|operation| variables::types_of(types, operation, faults))
        .collect();
    let mut walk = Walk::new(types, document, fragments, faults);
    let in_fragments: Vec<_> = document
        .fragments
        .iter()
        .map(|fragment| walk.fragment(fragment))
        .collect();
    for (operation, variable_types) in document.operations.iter().zip(&variable_types) {
        let own = walk.operation(operation, variable_types);
        variables::check(
            types,
            operation,
            variable_types,
            &own,
            fragments
                .reached(&operation.selections)
                .into_iter()
                .map(|number| in_fragments[number].as_slice()),
            walk.faults,
            work,
        )?;
    }
    // The rest relies on every name being known.
    if !faults.is_empty() {
        return Ok(());
    }
    for operation in &document.operations {
        if operation.kind == OperationKind::Subscription {
            special::one_subscription_field(types, document, fragments, operation, faults);
        }
    }
    special::introspection_depth(document, fragments, faults);
    Merge::new(types, document, fragments, faults, work).run()
}

fn operation_names(document: &Document<'_>, faults: &mut Faults<'_>) {
    let mut seen = HashSet::new();
    for operation in &document.operations {
        match operation.name {
            Some(name) if !seen.insert(name.text) => faults.push(name.at, || {
                format!("There can be only one operation named \"{}\".", name.text)
            }),
            None if document.operations.len() > 1 => faults.push(operation.at, || {
                "An operation without a name must be the only operation.".to_owned()
            }),
            _ => {}
        }
    }
}
