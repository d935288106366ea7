//! The rules for literals: does a value fit where it stands?

use super::ast::{Argument, Literal, Value};
use super::fields::{Step, Walk};
use super::types::{Body, Ty, TypeId};
use super::variables::Usage;

impl<'w, 'a> Walk<'w, 'a, '_> {
    /// Checks a value where `expected` stands (`None`: not known, anything goes). `has_default` and `one_of` are of the
    /// place, and matter to a variable in it.
    pub(super) fn value(
        &mut self,
        value: &'w Value<'a>,
        expected: Option<&'w Ty>,
        has_default: bool,
        one_of: Option<TypeId>,
    ) {
        match &value.body {
            Literal::Variable(name) => self.usages.push(Usage {
                name,
                at: value.at,
                expected,
                has_default,
                one_of,
            }),
            Literal::List(items) => match expected.map(Ty::nullable) {
                Some(Ty::List(of)) => {
                    for (n, item) in items.iter().enumerate() {
                        self.path.push(Step::Item(n));
                        self.value(item, Some(of), false, None);
                        self.path.pop();
                    }
                }
                plain => {
                    self.leaf(value, expected);
                    for item in items {
                        self.variables_in(item, plain);
                    }
                }
            },
            Literal::Object(fields) => {
                self.unique(fields, "input field");
                let id = expected.map(Ty::named);
                match id.and_then(|id| Some((id, self.input_fields(id)?))) {
                    Some((id, (_, exclusive))) => {
                        self.object(value.at, id, fields);
                        // As graphql-js: not where the place itself is non-null or a list.
                        let one_of =
                            (exclusive && matches!(expected, Some(Ty::Named(_)))).then_some(id);
                        self.object_fields(id, fields, one_of);
                    }
                    None => {
                        self.leaf(value, expected);
                        for field in fields {
                            self.variables_in(&field.value, None);
                        }
                    }
                }
            }
            Literal::Null => {
                if let Some(ty) = expected.filter(|ty| ty.is_non_null()) {
                    self.mismatch(value, ty);
                }
            }
            _ => self.leaf(value, expected),
        }
    }

    /// What is inside a scalar's literal is the scalar's own business, but for variables and repeated names.
    fn variables_in(&mut self, value: &'w Value<'a>, expected: Option<&'w Ty>) {
        match &value.body {
            Literal::Variable(_) => self.value(value, expected, false, None),
            Literal::List(items) => {
                let of = match expected.map(Ty::nullable) {
                    Some(Ty::List(of)) => Some(&**of),
                    plain => plain,
                };
                for item in items {
                    self.variables_in(item, of);
                }
            }
            Literal::Object(fields) => {
                self.unique(fields, "input field");
                for field in fields {
                    self.variables_in(&field.value, None);
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, at: usize, id: TypeId, fields: &[Argument<'a>]) {
        let types = self.types;
        let Some((defs, one_of)) = self.input_fields(id) else {
            return;
        };
        let name = &types.def(id).name;
        for def in defs.iter().filter(|def| def.is_required()) {
            if !fields.iter().any(|field| *field.name.text == *def.name) {
                let path = self.below(&def.name);
                self.faults.push_value(at, path, || {
                    format!(
                        "Field \"{name}.{}\" of required type \"{}\" was not provided.",
                        def.name,
                        types.show(&def.ty)
                    )
                });
            }
        }
        if !one_of {
            return;
        }
        match fields {
            [only] if !matches!(only.value.body, Literal::Null) => {}
            [only] => self.faults.push_value(at, self.below(only.name.text), || {
                format!("Field \"{name}.{}\" must be non-null.", only.name.text)
            }),
            _ => self.faults.push_value(at, path(&self.path), || {
                format!("OneOf Input Object \"{name}\" must specify exactly one key.")
            }),
        }
    }

    fn object_fields(&mut self, id: TypeId, fields: &'w [Argument<'a>], one_of: Option<TypeId>) {
        let types = self.types;
        let defs = self.input_fields(id).map_or(&[][..], |(defs, _)| defs);
        for field in fields {
            let def = defs.iter().find(|def| *def.name == *field.name.text);
            if def.is_none() {
                let path = self.below(field.name.text);
                self.faults.push_value(field.name.at, path, || {
                    format!(
                        "Field \"{}\" is not defined by type \"{}\".",
                        field.name.text,
                        types.def(id).name
                    )
                });
            }
            self.path.push(Step::Name(field.name.text));
            self.value(
                &field.value,
                def.map(|def| &def.ty),
                def.is_some_and(|def| def.has_default),
                one_of,
            );
            self.path.pop();
        }
    }

    /// A value that is to be a scalar or an enum value.
    fn leaf(&mut self, value: &Value<'a>, expected: Option<&Ty>) {
        let Some(ty) = expected else { return };
        let fits = match (&self.types.def(ty.named()).body, &value.body) {
            (Body::Scalar(Some(read)), Literal::String(_) | Literal::BlockString(_)) => {
                if let Some(Err(wrong)) = written(&value.body).map(|text| read(&text)) {
                    self.faults.push_misread(value.at, path(&self.path), wrong);
                }
                true
            }
            (Body::Scalar(Some(_)), _) => {
                let message = format!(
                    "A value of type \"{}\" is written as a string.",
                    self.types.show(ty)
                );
                self.faults
                    .push_misread(value.at, path(&self.path), message);
                true
            }
            (Body::Scalar(None), _) => true,
            (Body::Int, Literal::Int(digits)) => digits.parse::<i32>().is_ok(),
            (Body::Float, Literal::Int(_) | Literal::Float(_))
            | (Body::String, Literal::String(_) | Literal::BlockString(_))
            | (Body::Boolean, Literal::Boolean(_))
            | (Body::Id, Literal::String(_) | Literal::BlockString(_) | Literal::Int(_)) => true,
            (Body::Enum(values), Literal::Enum(name)) => values.contains(*name),
            _ => false,
        };
        if !fits {
            self.mismatch(value, ty);
        }
    }

    fn mismatch(&mut self, value: &Value<'a>, ty: &Ty) {
        let types = self.types;
        self.faults.push_value(value.at, path(&self.path), || {
            let ty = types.show(ty);
            match &value.body {
                Literal::Int(text)
                | Literal::Float(text)
                | Literal::String(text)
                | Literal::BlockString(text)
                | Literal::Enum(text) => {
                    let shown: String = text.chars().take(80).collect();
                    format!("Expected value of type \"{ty}\", found {shown}.")
                }
                Literal::Boolean(value) => {
                    format!("Expected value of type \"{ty}\", found {value}.")
                }
                Literal::Null => format!("Expected value of type \"{ty}\", found null."),
                Literal::List(_) => format!("Expected value of type \"{ty}\", found a list."),
                _ => format!("Expected value of type \"{ty}\", found an object."),
            }
        });
    }

    /// The path of a field of the object where the walk is.
    fn below(&self, name: &str) -> String {
        let mut text = path(&self.path);
        text.push('.');
        text.extend(name.chars().take(64));
        text
    }
}

/// As far as it is worth reading: names come from outside.
fn path(steps: &[Step<'_>]) -> String {
    let mut text = String::new();
    for step in steps {
        if !text.is_empty() {
            text.push('.');
        }
        match step {
            Step::Name(name) => text.extend(name.chars().take(64)),
            Step::Item(n) => text += &n.to_string(),
        }
    }
    text
}

/// What a string literal says; `None` for the rare forms that JSON has not, which the engine reads.
fn written(literal: &Literal<'_>) -> Option<String> {
    match literal {
        Literal::String(text) => serde_json::from_str(text).ok(),
        Literal::BlockString(text) => {
            let inner = text.strip_prefix("\"\"\"")?.strip_suffix("\"\"\"")?;
            (!inner.contains(['\n', '\r', '\\'])).then(|| inner.to_owned())
        }
        _ => None,
    }
}
