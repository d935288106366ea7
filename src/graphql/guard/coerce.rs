//! Do the values of variables fit their declared types? As the specification coerces them, with a fault for each that
//! does not, which names its path and what would be right, and never the value of a string: it may be a password.
//!
//! Of scalars of our own those are looked into whose values are texts of a form.

use serde_json::{Map, Value as Json};

use super::refusal::{Fault, MAX_FAULTS, Refusal, RefusalCode};
use super::types::{Body, InputDef, Ty, TypeId, Types};

/// A variable as an operation declares it.
#[derive(Debug)]
pub(super) struct Declared {
    pub name: Box<str>,
    pub ty: Ty,
    pub has_default: bool,
}

/// Checks `variables` against what is declared. They must have passed the caps on nesting and number.
pub(super) fn check(
    types: &Types,
    declared: &[Declared],
    variables: &Map<String, Json>,
) -> Result<(), Refusal> {
    let mut coercion = Coercion {
        types,
        path: Vec::new(),
        faults: Vec::new(),
    };
    for variable in declared {
        coercion.path.push(Step::Name(&variable.name));
        match variables.get(&*variable.name) {
            Some(value) => coercion.value(&variable.ty, value),
            None if variable.ty.is_non_null() && !variable.has_default => {
                coercion.fault(&variable.ty, "but it was not provided");
            }
            None => {}
        }
        coercion.path.pop();
    }
    if coercion.faults.is_empty() {
        return Ok(());
    }
    Err(Refusal {
        code: RefusalCode::BadUserInput,
        errors: coercion.faults,
        limit: None,
    })
}

#[derive(Clone, Copy)]
enum Step<'v> {
    Name(&'v str),
    Item(usize),
}

struct Coercion<'v> {
    types: &'v Types,
    path: Vec<Step<'v>>,
    faults: Vec<Fault>,
}

impl<'v> Coercion<'v> {
    /// Recurses as deeply as the value and the type of the variable are nested, both of which have caps.
    fn value(&mut self, ty: &Ty, value: &'v Json) {
        match (ty, value) {
            (Ty::NonNull(_), Json::Null) => self.fault(ty, "but it is null"),
            (Ty::NonNull(of), _) => self.value(of, value),
            (_, Json::Null) => {}
            (Ty::List(of), Json::Array(items)) => {
                for (n, item) in items.iter().enumerate() {
                    self.path.push(Step::Item(n));
                    self.value(of, item);
                    self.path.pop();
                }
            }
            // One value stands for a list of it.
            (Ty::List(of), _) => self.value(of, value),
            (Ty::Named(id), _) => self.named(ty, *id, value),
        }
    }

    fn named(&mut self, ty: &Ty, id: TypeId, value: &'v Json) {
        let types = self.types;
        let fits = match &types.def(id).body {
            Body::Int => {
                if value.is_number() && value.as_i64().and_then(|n| i32::try_from(n).ok()).is_none()
                {
                    let found = format!(
                        "but it is {value}: whole numbers from -2147483648 to 2147483647 are right"
                    );
                    return self.fault(ty, &found);
                }
                value.is_number()
            }
            Body::Float => value.is_number(),
            Body::String => value.is_string(),
            Body::Boolean => value.is_boolean(),
            Body::Id => value.is_string() || value.is_i64() || value.is_u64(),
            Body::Enum(values) => match value {
                Json::String(name) if values.contains(name.as_str()) => true,
                Json::String(_) => {
                    let mut names: Vec<&str> = values.iter().map(|name| &**name).collect();
                    names.sort_unstable();
                    let found = format!("but it is none of its values: {}", names.join(", "));
                    return self.fault(ty, &found);
                }
                _ => false,
            },
            Body::Input { fields, one_of } => match value {
                Json::Object(given) => return self.object(ty, fields, *one_of, given),
                _ => false,
            },
            Body::Scalar(Some(read)) => match value {
                Json::String(text) => {
                    let path = self.path();
                    if let Err(wrong) = read(text) {
                        self.push(format!("`{path}`: {wrong}"), path);
                    }
                    return;
                }
                _ => false,
            },
            Body::Scalar(None) | Body::Object(_) | Body::Interface(_) | Body::Union => true,
        };
        if !fits {
            self.fault(ty, &format!("but it is {}", kind(value)));
        }
    }

    fn object(
        &mut self,
        ty: &Ty,
        defs: &'v [InputDef],
        one_of: bool,
        given: &'v Map<String, Json>,
    ) {
        for def in defs {
            self.path.push(Step::Name(&def.name));
            match given.get(&*def.name) {
                Some(value) => self.value(&def.ty, value),
                None if def.is_required() => self.fault(&def.ty, "but it was not provided"),
                None => {}
            }
            self.path.pop();
        }
        for name in given.keys() {
            if !defs.iter().any(|def| *def.name == *name.as_str()) {
                self.path.push(Step::Name(name));
                let path = self.path();
                let of = self.types.show(ty);
                self.push(format!("`{path}` is not a field of {of}."), path);
                self.path.pop();
            }
        }
        if one_of && (given.len() != 1 || given.values().any(Json::is_null)) {
            let names: Vec<&str> = defs.iter().map(|def| &*def.name).collect();
            let found = format!("with exactly one of {}, and not null", names.join(", "));
            self.fault(ty, &found);
        }
    }

    fn fault(&mut self, ty: &Ty, found: &str) {
        let path = self.path();
        let ty = self.types.show(ty);
        self.push(format!("`{path}` must be of type {ty}, {found}."), path);
    }

    fn push(&mut self, message: String, path: String) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault {
                message,
                locations: Vec::new(),
                path: Some(path),
            });
        }
    }

    /// As far as it is worth reading: names come from outside.
    fn path(&self) -> String {
        let mut path = "variables".to_owned();
        for step in &self.path {
            match step {
                Step::Name(name) => {
                    path.push('.');
                    path.extend(name.chars().take(64));
                }
                Step::Item(n) => path += &format!(".{n}"),
            }
        }
        path
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
