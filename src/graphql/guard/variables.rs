//! The rules for variables: defined once, used, and only where their type fits.

use std::collections::HashMap;

use super::ast::{Literal, Operation};
use super::faults::{Faults, Work};
use super::refusal::Refusal;
use super::types::{Ty, TypeId, Types};

/// A variable where a value stands.
pub(super) struct Usage<'w, 'a> {
    pub name: &'a str,
    pub at: usize,
    /// The type of the place, if it is known.
    pub expected: Option<&'w Ty>,
    /// Whether the place has a default.
    pub has_default: bool,
    /// The `@oneOf` type the place is a field of.
    pub one_of: Option<TypeId>,
}

struct Defined<'w> {
    at: usize,
    ty: Option<&'w Ty>,
    /// Whether a default other than null stands in for an absent value.
    has_default: bool,
    used: bool,
}

/// The types of the variables of an operation, where they exist and a variable may have them.
pub(super) fn types_of(
    types: &Types,
    operation: &Operation<'_>,
    faults: &mut Faults<'_>,
) -> Vec<Option<Ty>> {
    let mut found = Vec::with_capacity(operation.variables.len());
    for variable in &operation.variables {
        let named = variable.ty.name();
        let ty = types.resolve(&variable.ty);
        match &ty {
            None => faults.push(named.at, || format!("Unknown type \"{}\".", named.text)),
            Some(ty) if !types.def(ty.named()).is_input() => faults.push(named.at, || {
                format!(
                    "Variable \"${}\" cannot be non-input type \"{}\".",
                    variable.name.text,
                    types.show(ty)
                )
            }),
            Some(_) => {}
        }
        found.push(ty.filter(|ty| types.def(ty.named()).is_input()));
    }
    found
}

/// Checks the variables of one operation: `own` usages, and those in the fragments it reaches.
pub(super) fn check<'w, 'a: 'w>(
    types: &Types,
    operation: &'w Operation<'a>,
    variable_types: &'w [Option<Ty>],
    own: &'w [Usage<'w, 'a>],
    in_fragments: impl Iterator<Item = &'w [Usage<'w, 'a>]>,
    faults: &mut Faults<'_>,
    work: &mut Work,
) -> Result<(), Refusal> {
    let mut defined: HashMap<&str, Defined<'_>> = HashMap::new();
    for (variable, ty) in operation.variables.iter().zip(variable_types) {
        let is_null = |value: &super::ast::Value<'_>| matches!(value.body, Literal::Null);
        let def = Defined {
            at: variable.name.at,
            ty: ty.as_ref(),
            has_default: variable
                .default
                .as_ref()
                .is_some_and(|value| !is_null(value)),
            used: false,
        };
        if defined.insert(variable.name.text, def).is_some() {
            faults.push(variable.name.at, || {
                format!(
                    "There can be only one variable named \"${}\".",
                    variable.name.text
                )
            });
        }
    }
    let of = || match operation.name {
        Some(name) => format!(" operation \"{}\"", name.text),
        None => " this operation".to_owned(),
    };
    for usages in std::iter::once(own).chain(in_fragments) {
        work.spend(usages.len())?;
        for usage in usages {
            match defined.get_mut(usage.name) {
                None => faults.push(usage.at, || {
                    format!("Variable \"${}\" is not defined by{}.", usage.name, of())
                }),
                Some(def) => {
                    def.used = true;
                    position(types, usage, def, faults);
                }
            }
        }
    }
    for variable in &operation.variables {
        if defined.get(variable.name.text).is_some_and(|def| !def.used) {
            faults.push(variable.name.at, || {
                format!(
                    "Variable \"${}\" is never used in{}.",
                    variable.name.text,
                    of()
                )
            });
        }
    }
    Ok(())
}

fn position(types: &Types, usage: &Usage<'_, '_>, def: &Defined<'_>, faults: &mut Faults<'_>) {
    let (Some(ty), Some(expected)) = (def.ty, usage.expected) else {
        return;
    };
    let fits = if expected.is_non_null() && !ty.is_non_null() {
        (def.has_default || usage.has_default) && ty.fits(expected.nullable())
    } else {
        ty.fits(expected)
    };
    if !fits {
        faults.push_all(&[def.at, usage.at], None, || {
            format!(
                "Variable \"${}\" of type \"{}\" used in position expecting type \"{}\".",
                usage.name,
                types.show(ty),
                types.show(expected)
            )
        });
    }
    if let Some(id) = usage.one_of.filter(|_| !ty.is_non_null()) {
        faults.push_all(&[def.at, usage.at], None, || {
            format!(
                "Variable \"${}\" is of type \"{}\" but must be non-nullable to be used for OneOf Input Object \"{}\".",
                usage.name,
                types.show(ty),
                types.def(id).name
            )
        });
    }
}
