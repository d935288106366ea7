//! The rule that fields of one response key must be mergeable.
//!
//! Fields are gathered into sets as the executor would merge them, and a set that was seen is not looked at again. The
//! number of sets can still grow exponentially with the document, so every field looked at draws on the budget.

use std::collections::{HashMap, HashSet};
use std::slice::Iter;

use super::ast::{Argument, Document, Field, Literal, Selection};
use super::faults::{Faults, Work};
use super::fragments::Fragments;
use super::lexer::{block_string_value, string_value};
use super::refusal::Refusal;
use super::types::{FieldDef, Ty, TypeId, Types};

/// Selection sets that an executor would merge, each with its type.
type Sets<'w, 'a> = Vec<(TypeId, &'w [Selection<'a>])>;

#[derive(Clone, Copy)]
struct Found<'w, 'a> {
    parent: TypeId,
    field: &'w Field<'a>,
    def: &'w FieldDef,
}

pub(super) struct Merge<'w, 'a, 'f> {
    types: &'w Types,
    document: &'w Document<'a>,
    fragments: &'w Fragments<'a>,
    faults: &'w mut Faults<'f>,
    work: &'w mut Work,
    /// Sets, by the addresses of their selections, whose fields have been compared in shape.
    shapes: HashSet<Vec<usize>>,
    /// Sets whose fields have been compared in name and arguments.
    compared: HashSet<Vec<usize>>,
}

impl<'w, 'a, 'f> Merge<'w, 'a, 'f> {
    pub(super) fn new(
        types: &'w Types,
        document: &'w Document<'a>,
        fragments: &'w Fragments<'a>,
        faults: &'w mut Faults<'f>,
        work: &'w mut Work,
    ) -> Self {
        Self {
            types,
            document,
            fragments,
            faults,
            work,
            shapes: HashSet::new(),
            compared: HashSet::new(),
        }
    }

    pub(super) fn run(mut self) -> Result<(), Refusal> {
        for operation in &self.document.operations {
            if let Some(root) = self.types.root(operation.kind) {
                let sets: Sets<'_, '_> = vec![(root, &operation.selections)];
                self.same_fields(&sets)?;
                self.same_shapes(&sets)?;
            }
        }
        Ok(())
    }

    /// All fields that answer to one key have the same leaf type and the same lists, whatever the object is.
    fn same_shapes(&mut self, sets: &Sets<'w, 'a>) -> Result<(), Refusal> {
        if !self.shapes.insert(identity(sets)) {
            return Ok(());
        }
        let types = self.types;
        for group in self.by_key(sets)? {
            // As in graphql-js, `__typename` conflicts with nothing by its type.
            let mut typed = group
                .iter()
                .filter(|found| found.field.name.text != "__typename");
            let first = typed.next();
            for other in typed {
                let Some(first) = first else { continue };
                if !same_shape(types, &first.def.ty, &other.def.ty) {
                    self.conflict(*first, *other, || {
                        format!(
                            "they return conflicting types \"{}\" and \"{}\"",
                            types.show(&first.def.ty),
                            types.show(&other.def.ty)
                        )
                    });
                }
            }
            let below = below(&group);
            if !below.is_empty() {
                self.same_shapes(&below)?;
            }
        }
        Ok(())
    }

    /// Fields that answer to one key for one object are the same field with the same arguments.
    fn same_fields(&mut self, sets: &Sets<'w, 'a>) -> Result<(), Refusal> {
        if !self.compared.insert(identity(sets)) {
            return Ok(());
        }
        for group in self.by_key(sets)? {
            for overlapping in self.by_object(group)? {
                for other in &overlapping[1..] {
                    self.same_field(overlapping[0], *other)?;
                }
                let below = below(&overlapping);
                if !below.is_empty() {
                    self.same_fields(&below)?;
                }
            }
        }
        Ok(())
    }

    fn same_field(&mut self, a: Found<'w, 'a>, b: Found<'w, 'a>) -> Result<(), Refusal> {
        if a.field.name.text != b.field.name.text {
            self.conflict(a, b, || {
                format!(
                    "\"{}\" and \"{}\" are different fields",
                    a.field.name.text, b.field.name.text
                )
            });
            return Ok(());
        }
        let mut steps = 0;
        if !same_arguments(&a.field.arguments, &b.field.arguments, &mut steps) {
            self.conflict(a, b, || "they have differing arguments".to_owned());
        }
        self.work.spend(steps)
    }

    fn conflict(&mut self, a: Found<'w, 'a>, b: Found<'w, 'a>, reason: impl FnOnce() -> String) {
        let places = [a, b].map(|found| found.field.alias.unwrap_or(found.field.name).at);
        self.faults.push_all(&places, None, || {
            format!(
                "Fields \"{}\" conflict because {}. Use different aliases on the fields to fetch both if this was intentional.",
                a.field.key(),
                reason()
            )
        });
    }

    /// All fields in `sets`, fragments followed, by response key, in the order of the document.
    fn by_key(&mut self, sets: &Sets<'w, 'a>) -> Result<Vec<Vec<Found<'w, 'a>>>, Refusal> {
        let mut seen = vec![false; self.document.fragments.len()];
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut groups: Vec<Vec<Found<'w, 'a>>> = Vec::new();
        for (parent, selections) in sets {
            let mut open: Vec<(TypeId, Iter<'w, Selection<'a>>)> =
                vec![(*parent, selections.iter())];
            while let Some((parent, rest)) = open.last_mut() {
                let parent = *parent;
                let Some(selection) = rest.next() else {
                    open.pop();
                    continue;
                };
                self.work.spend(1)?;
                match selection {
                    Selection::Field(field) => {
                        let Some(def) = self.types.field(parent, field.name.text) else {
                            continue;
                        };
                        let place = *places.entry(field.key()).or_insert_with(|| {
                            groups.push(Vec::new());
                            groups.len() - 1
                        });
                        groups[place].push(Found { parent, field, def });
                    }
                    Selection::Inline(inline) => {
                        let on = inline.on.and_then(|on| self.types.id(on.text));
                        open.push((on.unwrap_or(parent), inline.selections.iter()));
                    }
                    Selection::Spread(spread) => {
                        if let Some(number) = self.fragments.number(spread.name.text)
                            && !std::mem::replace(&mut seen[number], true)
                        {
                            let fragment = &self.document.fragments[number];
                            let on = self.types.id(fragment.on.text).unwrap_or(parent);
                            open.push((on, fragment.selections.iter()));
                        }
                    }
                }
            }
        }
        Ok(groups)
    }

    /// Those of `group` that one object could answer: for each object type its own and those of abstract types.
    fn by_object(&mut self, group: Vec<Found<'w, 'a>>) -> Result<Vec<Vec<Found<'w, 'a>>>, Refusal> {
        if group.len() == 1 {
            return Ok(vec![group]);
        }
        let mut objects: Vec<(TypeId, Vec<Found<'w, 'a>>)> = Vec::new();
        let mut places: HashMap<TypeId, usize> = HashMap::new();
        let (concrete, anywhere): (Vec<_>, Vec<_>) = group
            .into_iter()
            .partition(|found| self.types.def(found.parent).is_object());
        for found in concrete {
            let place = *places.entry(found.parent).or_insert_with(|| {
                objects.push((found.parent, Vec::new()));
                objects.len() - 1
            });
            objects[place].1.push(found);
        }
        if objects.is_empty() {
            return Ok(vec![anywhere]);
        }
        let mut sets = Vec::with_capacity(objects.len());
        for (_, mut set) in objects {
            self.work.spend(anywhere.len())?;
            set.extend(&anywhere);
            sets.push(set);
        }
        Ok(sets)
    }
}

fn below<'w, 'a>(group: &[Found<'w, 'a>]) -> Sets<'w, 'a> {
    group
        .iter()
        .filter_map(|found| Some((found.def.ty.named(), found.field.selections.as_deref()?)))
        .collect()
}

/// A selection set stands at one place of the document, so its address says which it is; its type follows from it.
fn identity(sets: &Sets<'_, '_>) -> Vec<usize> {
    let mut addresses: Vec<usize> = sets
        .iter()
        .map(|(_, selections)| selections.as_ptr() as usize)
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses
}

fn same_shape(types: &Types, a: &Ty, b: &Ty) -> bool {
    match (a, b) {
        (Ty::NonNull(a), Ty::NonNull(b)) | (Ty::List(a), Ty::List(b)) => same_shape(types, a, b),
        (Ty::Named(a), Ty::Named(b)) => {
            a == b || (!types.def(*a).is_leaf() && !types.def(*b).is_leaf())
        }
        _ => false,
    }
}

/// Both without repeated names. Counts what it looks at.
fn same_arguments(a: &[Argument<'_>], b: &[Argument<'_>], steps: &mut usize) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let by_name: HashMap<&str, &Literal<'_>> = b
        .iter()
        .map(|argument| (argument.name.text, &argument.value.body))
        .collect();
    a.iter().all(|argument| {
        by_name
            .get(argument.name.text)
            .is_some_and(|other| same_value(other, &argument.value.body, steps))
    })
}

fn same_value(a: &Literal<'_>, b: &Literal<'_>, steps: &mut usize) -> bool {
    *steps += 1;
    match (a, b) {
        (Literal::Variable(a), Literal::Variable(b))
        | (Literal::Int(a), Literal::Int(b))
        | (Literal::Float(a), Literal::Float(b))
        | (Literal::Enum(a), Literal::Enum(b)) => a == b,
        (Literal::String(a), Literal::String(b)) => {
            *steps += a.len() / 64;
            a == b || string_value(a) == string_value(b)
        }
        (Literal::BlockString(a), Literal::BlockString(b)) => {
            *steps += a.len() / 64;
            a == b || block_string_value(a) == block_string_value(b)
        }
        (Literal::Boolean(a), Literal::Boolean(b)) => a == b,
        (Literal::Null, Literal::Null) => true,
        (Literal::List(a), Literal::List(b)) => {
            a.len() == b.len()
                && a.iter()
                    .zip(b)
                    .all(|(a, b)| same_value(&a.body, &b.body, steps))
        }
        (Literal::Object(a), Literal::Object(b)) => same_arguments(a, b, steps),
        _ => false,
    }
}
