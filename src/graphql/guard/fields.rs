//! The rules for what is selected: fields, arguments, directives, fragments. Each definition is walked once.

use std::collections::HashSet;

use apollo_compiler::ast::DirectiveLocation;

use super::ast::{
    Argument, Directive, Document, Field, Fragment, Inline, Name, Operation, OperationKind,
    Selection, Spread,
};
use super::faults::Faults;
use super::fragments::Fragments;
use super::types::{Body, InputDef, Ty, TypeId, Types};
use super::variables::Usage;

pub(super) struct Walk<'w, 'a, 'f> {
    pub types: &'w Types,
    document: &'w Document<'a>,
    fragments: &'w Fragments<'a>,
    pub faults: &'w mut Faults<'f>,
    pub usages: Vec<Usage<'w, 'a>>,
    /// Where among the arguments the walk is: names and indexes.
    pub path: Vec<Step<'a>>,
}

/// A step into a value.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Name(&'a str),
    Item(usize),
}

impl<'w, 'a, 'f> Walk<'w, 'a, 'f> {
    pub(super) fn new(
        types: &'w Types,
        document: &'w Document<'a>,
        fragments: &'w Fragments<'a>,
        faults: &'w mut Faults<'f>,
    ) -> Self {
        Self {
            types,
            document,
            fragments,
            faults,
            usages: Vec::new(),
            path: Vec::new(),
        }
    }

    /// Checks a fragment, and returns the variables it uses.
    pub(super) fn fragment(&mut self, fragment: &'w Fragment<'a>) -> Vec<Usage<'w, 'a>> {
        let on = self.condition(fragment.on);
        self.directives(&fragment.directives, DirectiveLocation::FragmentDefinition);
        self.selections(on, &fragment.selections);
        std::mem::take(&mut self.usages)
    }

    /// Checks an operation, and returns the variables it uses outside of fragments.
    pub(super) fn operation(
        &mut self,
        operation: &'w Operation<'a>,
        variable_types: &'w [Option<Ty>],
    ) -> Vec<Usage<'w, 'a>> {
        let location = match operation.kind {
            OperationKind::Query => DirectiveLocation::Query,
            OperationKind::Mutation => DirectiveLocation::Mutation,
            OperationKind::Subscription => DirectiveLocation::Subscription,
        };
        let root = self.types.root(operation.kind);
        if root.is_none() {
            self.faults.push(operation.at, || {
                format!("The schema has no {:?} type.", operation.kind)
            });
        }
        for (variable, ty) in operation.variables.iter().zip(variable_types) {
            if let Some(default) = &variable.default {
                self.path.push(Step::Name(variable.name.text));
                self.value(default, ty.as_ref(), false, None);
                self.path.pop();
            }
            self.directives(&variable.directives, DirectiveLocation::VariableDefinition);
        }
        self.directives(&operation.directives, location);
        self.selections(root, &operation.selections);
        std::mem::take(&mut self.usages)
    }

    /// `parent` is `None` below a field or type that is not known: nothing can be said about fields there.
    fn selections(&mut self, parent: Option<TypeId>, selections: &'w [Selection<'a>]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.field(parent, field),
                Selection::Spread(spread) => self.spread(parent, spread),
                Selection::Inline(inline) => self.inline(parent, inline),
            }
        }
    }

    fn field(&mut self, parent: Option<TypeId>, field: &'w Field<'a>) {
        let types = self.types;
        let name = field.name;
        let def = parent.and_then(|parent| types.field(parent, name.text));
        if let (Some(parent), None) = (parent, def) {
            self.faults.push(name.at, || {
                let parent = &types.def(parent).name;
                format!("Cannot query field \"{}\" on type \"{parent}\".", name.text)
            });
        }
        let place = || match parent {
            Some(parent) => format!("field \"{}.{}\"", types.def(parent).name, name.text),
            None => format!("field \"{}\"", name.text),
        };
        self.arguments(name, &field.arguments, def.map(|def| &def.arguments), place);
        self.directives(&field.directives, DirectiveLocation::Field);
        let below = field.selections.as_deref();
        let Some(def) = def else {
            return self.selections(None, below.unwrap_or(&[]));
        };
        let inner = def.ty.named();
        if types.def(inner).is_composite() {
            match below {
                Some(below) => self.selections(Some(inner), below),
                None => self.faults.push(name.at, || {
                    format!(
                        "Field \"{}\" of type \"{}\" must have a selection of subfields. Did you mean \"{0} {{ ... }}\"?",
                        name.text,
                        types.show(&def.ty)
                    )
                }),
            }
        } else if let Some(below) = below {
            self.faults.push(name.at, || {
                format!(
                    "Field \"{}\" must not have a selection since type \"{}\" has no subfields.",
                    name.text,
                    types.show(&def.ty)
                )
            });
            self.selections(None, below);
        }
    }

    fn spread(&mut self, parent: Option<TypeId>, spread: &'w Spread<'a>) {
        self.directives(&spread.directives, DirectiveLocation::FragmentSpread);
        let (types, name) = (self.types, spread.name);
        let on = self
            .fragments
            .number(name.text)
            .and_then(|number| types.id(self.document.fragments[number].on.text))
            .filter(|on| types.def(*on).is_composite());
        if let (Some(parent), Some(on)) = (parent, on)
            && !types.overlap(parent, on)
        {
            self.faults.push(name.at, || {
                format!(
                    "Fragment \"{}\" cannot be spread here as objects of type \"{}\" can never be of type \"{}\".",
                    name.text,
                    types.def(parent).name,
                    types.def(on).name
                )
            });
        }
    }

    fn inline(&mut self, parent: Option<TypeId>, inline: &'w Inline<'a>) {
        let types = self.types;
        let on = match inline.on {
            Some(name) => self.condition(name),
            None => parent,
        };
        if let (Some(parent), Some(on)) = (parent, on)
            && !types.overlap(parent, on)
        {
            self.faults.push(inline.at, || {
                format!(
                    "Fragment cannot be spread here as objects of type \"{}\" can never be of type \"{}\".",
                    types.def(parent).name,
                    types.def(on).name
                )
            });
        }
        self.directives(&inline.directives, DirectiveLocation::InlineFragment);
        self.selections(on, &inline.selections);
    }

    /// The type a fragment is on, if it can be on it.
    fn condition(&mut self, name: Name<'a>) -> Option<TypeId> {
        let Some(id) = self.types.id(name.text) else {
            self.faults
                .push(name.at, || format!("Unknown type \"{}\".", name.text));
            return None;
        };
        if !self.types.def(id).is_composite() {
            self.faults.push(name.at, || {
                format!(
                    "Fragment cannot condition on non composite type \"{}\".",
                    name.text
                )
            });
            return None;
        }
        Some(id)
    }

    fn directives(&mut self, directives: &'w [Directive<'a>], location: DirectiveLocation) {
        let mut seen = HashSet::new();
        for directive in directives {
            let name = directive.name;
            let def = self.types.directives.get(name.text);
            match def {
                None => self
                    .faults
                    .push(name.at, || format!("Unknown directive \"@{}\".", name.text)),
                Some(def) => {
                    if !def.locations.contains(&location) {
                        self.faults.push(name.at, || {
                            format!(
                                "Directive \"@{}\" may not be used on {}.",
                                name.text,
                                location.name()
                            )
                        });
                    }
                    if !def.repeatable && !seen.insert(name.text) {
                        self.faults.push(name.at, || {
                            format!(
                                "The directive \"@{}\" can only be used once at this location.",
                                name.text
                            )
                        });
                    }
                }
            }
            let place = || format!("directive \"@{}\"", name.text);
            self.arguments(
                name,
                &directive.arguments,
                def.map(|def| &def.arguments),
                place,
            );
        }
    }

    /// `defs` is `None` where the field or directive is not known.
    fn arguments(
        &mut self,
        owner: Name<'a>,
        arguments: &'w [Argument<'a>],
        defs: Option<&'w Vec<InputDef>>,
        place: impl Fn() -> String,
    ) {
        self.unique(arguments, "argument");
        for argument in arguments {
            let name = argument.name;
            let def = defs.and_then(|defs| defs.iter().find(|def| *def.name == *name.text));
            if defs.is_some() && def.is_none() {
                self.faults.push(name.at, || {
                    format!("Unknown argument \"{}\" on {}.", name.text, place())
                });
            }
            self.path.push(Step::Name(name.text));
            self.value(
                &argument.value,
                def.map(|def| &def.ty),
                def.is_some_and(|def| def.has_default),
                None,
            );
            self.path.pop();
        }
        let required = defs.into_iter().flatten().filter(|def| def.is_required());
        for def in required {
            if !arguments.iter().any(|given| *given.name.text == *def.name) {
                self.faults.push_value(owner.at, def.name.to_string(), || {
                    format!(
                        "Argument \"{}\" of type \"{}\" is required on {}, but it was not provided.",
                        def.name,
                        self.types.show(&def.ty),
                        place()
                    )
                });
            }
        }
    }

    /// No name twice among arguments, or among the fields of an input object.
    pub(super) fn unique(&mut self, arguments: &[Argument<'a>], what: &str) {
        if arguments.len() < 2 {
            return;
        }
        let mut seen = HashSet::with_capacity(arguments.len());
        for argument in arguments {
            if !seen.insert(argument.name.text) {
                self.faults.push(argument.name.at, || {
                    format!(
                        "There can be only one {what} named \"{}\".",
                        argument.name.text
                    )
                });
            }
        }
    }

    /// The fields of an input object.
    pub(super) fn input_fields(&self, id: TypeId) -> Option<(&'w [InputDef], bool)> {
        match &self.types.def(id).body {
            Body::Input { fields, one_of } => Some((fields, *one_of)),
            _ => None,
        }
    }
}
