//! What is kept of a document that passed: enough to choose an operation and to price it with its variables.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::ast::{Document, Operation as Definition, OperationKind, Selection};
use super::coerce::{self, Declared};
use super::cost::{Points, Price, Pricing, Worth};
use super::fragments::Fragments;
use super::limits::Limits;
use super::refusal::{Fault, Refusal, RefusalCode};
use super::types::Types;

/// A document that passed. It may be run as often as one likes, but each run is priced by [`Checked::operation`].
#[derive(Debug)]
pub struct Checked {
    types: Arc<Types>,
    limits: Arc<Limits>,
    operations: Vec<Planned>,
    /// The prices of fragments, and an order in which each comes after those it spreads.
    fragments: Vec<Price>,
    order: Vec<usize>,
    /// The variables that prices depend on.
    names: Vec<Box<str>>,
    /// Texts that are no values of their scalars: with any of them nothing can be run.
    pub(super) misread: Vec<Fault>,
}

#[derive(Debug)]
struct Planned {
    kind: OperationKind,
    name: Option<Arc<str>>,
    root_fields: Arc<[String]>,
    introspects: bool,
    /// A response key that stands more than once at the root of a mutation.
    repeated: Option<String>,
    variables: Vec<Declared>,
    price: Price,
    /// For each of the names, what it is worth when it is not given.
    defaults: Vec<Worth>,
}

/// The operation that a request runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// What it does.
    pub kind: OperationKind,
    /// Its name, if it has one.
    pub name: Option<Arc<str>>,
    /// The names of its root fields, each once, fragments followed.
    pub root_fields: Arc<[String]>,
    /// Its cost in points; see the module `cost` for how it is counted.
    pub cost: u64,
    /// Whether it asks for `__schema` or `__type`.
    pub introspects: bool,
}

impl Checked {
    pub(super) fn new(
        types: &Arc<Types>,
        document: &Document<'_>,
        fragments: &Fragments<'_>,
        limits: &Arc<Limits>,
    ) -> Self {
        let mut pricing = Pricing {
            types,
            document,
            fragments,
            limits,
            names: Vec::new(),
            prices: Vec::new(),
        };
        pricing.fragments();
        let prices: Vec<Price> = document
            .operations
            .iter()
            .map(|operation| match types.root(operation.kind) {
                Some(root) => pricing.selections(root, &operation.selections),
                None => Price::default(),
            })
            .collect();
        let operations = document
            .operations
            .iter()
            .zip(prices)
            .map(|(operation, price)| Planned {
                variables: declared(types, operation),
                ..plan(document, fragments, operation, price, &pricing.names)
            })
            .collect();
        Self {
            types: Arc::clone(types),
            limits: Arc::clone(limits),
            operations,
            fragments: pricing.prices,
            order: fragments.order.clone(),
            names: pricing.names.iter().map(|name| Box::from(*name)).collect(),
            misread: Vec::new(),
        }
    }

    /// Chooses the operation `name`, or the only one, and prices it with `variables`.
    ///
    /// # Errors
    /// [`RefusalCode::OperationResolutionFailure`] if there is no such operation, or several and no name;
    /// [`RefusalCode::LimitExceeded`] if the variables are too large or nested too deeply, or the cost is too high;
    /// [`RefusalCode::BadUserInput`] if a variable is missing or does not fit its type, or a literal not its scalar.
    pub fn operation(
        &self,
        name: Option<&str>,
        variables: &Map<String, Json>,
    ) -> Result<Operation, Refusal> {
        let planned = self.choose(name)?;
        if let Some(key) = &planned.repeated {
            return Err(Refusal::one(
                RefusalCode::ValidationFailed,
                format!(
                    "This mutation asks for \"{key}\" more than once. Ask for it once, with all its fields, or give each its own alias."
                ),
                Vec::new(),
            ));
        }
        if !self.misread.is_empty() {
            return Err(Refusal {
                code: RefusalCode::BadUserInput,
                errors: self.misread.clone(),
                limit: None,
            });
        }
        hold_variables(variables, &self.limits)?;
        coerce::check(&self.types, &planned.variables, variables)?;
        let cost = self.price(planned, variables);
        self.limits.cost().hold(cost)?;
        Ok(Operation {
            kind: planned.kind,
            name: planned.name.clone(),
            root_fields: Arc::clone(&planned.root_fields),
            cost,
            introspects: planned.introspects,
        })
    }

    fn choose(&self, name: Option<&str>) -> Result<&Planned, Refusal> {
        let refuse = |message: String| {
            Refusal::one(RefusalCode::OperationResolutionFailure, message, Vec::new())
        };
        match (name, self.operations.as_slice()) {
            (None, [only]) => Ok(only),
            (None, []) => Err(refuse(
                "The document holds no operation, only fragments.".to_owned(),
            )),
            (None, _) => Err(refuse(
                "The document holds several operations: say by `operationName` which one to run."
                    .to_owned(),
            )),
            (Some(name), operations) => operations
                .iter()
                .find(|operation| operation.name.as_deref() == Some(name))
                .ok_or_else(|| {
                    let shown: String = name.chars().take(100).collect();
                    refuse(format!("Unknown operation named \"{shown}\"."))
                }),
        }
    }

    fn price(&self, planned: &Planned, variables: &Map<String, Json>) -> u64 {
        let limits = &*self.limits;
        if !planned.price.is_open() {
            return planned.price.points(&[], &[], limits).total().max(1);
        }
        let worths: Vec<Worth> = self
            .names
            .iter()
            .zip(&planned.defaults)
            .map(|(name, default)| Worth::of(name, *default, variables))
            .collect();
        let mut points = vec![Points::default(); self.fragments.len()];
        for number in &self.order {
            points[*number] = self.fragments[*number].points(&points, &worths, limits);
        }
        let total = planned.price.points(&points, &worths, limits).total();
        total.max(1)
    }

    /// Bytes on the heap, roughly.
    pub(super) fn weight(&self) -> usize {
        let operations: usize = self
            .operations
            .iter()
            .map(|operation| {
                let fields: usize = operation.root_fields.iter().map(|f| f.len() + 32).sum();
                fields
                    + operation.price.weight()
                    + 16 * operation.defaults.len()
                    + 96 * operation.variables.len()
                    + 192
            })
            .sum();
        let fragments: usize = self.fragments.iter().map(|price| price.weight() + 48).sum();
        let names: usize = self.names.iter().map(|name| name.len() + 16).sum();
        operations + fragments + names + 128
    }
}

fn declared(types: &Types, operation: &Definition<'_>) -> Vec<Declared> {
    let variables = operation.variables.iter();
    variables
        .filter_map(|variable| {
            Some(Declared {
                name: variable.name.text.into(),
                ty: types.resolve(&variable.ty)?,
                has_default: variable.default.is_some(),
            })
        })
        .collect()
}

fn plan(
    document: &Document<'_>,
    fragments: &Fragments<'_>,
    operation: &Definition<'_>,
    price: Price,
    names: &[&str],
) -> Planned {
    let mut root_fields: Vec<String> = Vec::new();
    let mut seen = vec![false; document.fragments.len()];
    let mut todo: Vec<&Selection<'_>> = operation.selections.iter().rev().collect();
    while let Some(selection) = todo.pop() {
        match selection {
            Selection::Field(field) => {
                if !root_fields.iter().any(|known| known == field.name.text) {
                    root_fields.push(field.name.text.to_owned());
                }
            }
            Selection::Inline(inline) => todo.extend(inline.selections.iter().rev()),
            Selection::Spread(spread) => {
                if let Some(number) = fragments.number(spread.name.text)
                    && !std::mem::replace(&mut seen[number], true)
                {
                    todo.extend(document.fragments[number].selections.iter().rev());
                }
            }
        }
    }
    let default_of = |name: &&str| {
        let variable = operation.variables.iter().find(|v| v.name.text == *name);
        variable.map(Worth::of_default).unwrap_or_default()
    };
    let repeated = match operation.kind {
        OperationKind::Mutation => repeated_key(document, fragments, operation),
        _ => None,
    };
    Planned {
        repeated,
        kind: operation.kind,
        name: operation.name.map(|name| Arc::from(name.text)),
        introspects: root_fields
            .iter()
            .any(|field| matches!(field.as_str(), "__schema" | "__type")),
        root_fields: root_fields.into(),
        variables: Vec::new(),
        price,
        defaults: names.iter().map(default_of).collect(),
    }
}

/// The response key that a mutation's root has twice. The specification merges such fields, the engine runs them twice: what is to
/// happen once must not be asked for twice.
fn repeated_key(
    document: &Document<'_>,
    fragments: &Fragments<'_>,
    operation: &Definition<'_>,
) -> Option<String> {
    let mut keys: Vec<&str> = Vec::new();
    let mut todo: Vec<&Selection<'_>> = operation.selections.iter().rev().collect();
    // The caps on root fields and spreads have held: this ends.
    while let Some(selection) = todo.pop() {
        match selection {
            Selection::Field(field) => {
                let key = field.key();
                if keys.contains(&key) {
                    return Some(key.to_owned());
                }
                keys.push(key);
            }
            Selection::Inline(inline) => todo.extend(inline.selections.iter().rev()),
            Selection::Spread(spread) => {
                if let Some(number) = fragments.number(spread.name.text) {
                    todo.extend(document.fragments[number].selections.iter().rev());
                }
            }
        }
    }
    None
}

/// Variables have passed serde_json, which stops at 128 levels; what follows (coercion, JSON columns) recurses too.
fn hold_variables(variables: &Map<String, Json>, limits: &Limits) -> Result<(), Refusal> {
    let mut values: u64 = 0;
    let mut bytes: u64 = 0;
    let mut todo: Vec<(&Json, u64)> = Vec::new();
    for (name, value) in variables {
        bytes += name.len() as u64;
        todo.push((value, 0));
    }
    while let Some((value, depth)) = todo.pop() {
        values += 1;
        let depth = match value {
            Json::Array(_) | Json::Object(_) => depth + 1,
            _ => depth,
        };
        limits.variables_nesting().hold(depth)?;
        limits.variables_values().hold(values)?;
        match value {
            Json::String(text) => bytes += text.len() as u64,
            Json::Array(items) => todo.extend(items.iter().map(|item| (item, depth))),
            Json::Object(fields) => {
                for (name, value) in fields {
                    bytes += name.len() as u64;
                    todo.push((value, depth));
                }
            }
            _ => {}
        }
        limits.variables_bytes().hold(bytes)?;
    }
    Ok(())
}
