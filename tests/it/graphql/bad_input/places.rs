//! Every place where a client can put a value, read from the schema.

use apollo_compiler::Schema;
use apollo_compiler::ast::Type;
use apollo_compiler::schema::ExtendedType;

/// A step on the way to a place: a member, or the first item of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Name(String),
    First,
}

/// A place for a value.
#[derive(Debug, Clone)]
pub struct Place {
    /// The field whose arguments they are.
    pub field: String,
    /// From the argument's name on.
    pub path: Vec<Step>,
    /// The type that is declared there.
    pub ty: Type,
    /// Of the type: `scalar`, `enum`, `input`, `list`.
    pub shape: &'static str,
    /// What each step of the way is, but the last: the type of an input object, to be filled where it is missing.
    pub inputs: Vec<Option<String>>,
    /// Whether it is a member of a `@oneOf` input.
    pub one_of: bool,
}

impl Place {
    /// As errors name it: `input.memberships.0.team`.
    pub fn name(&self) -> String {
        let steps = self.path.iter().map(|step| match step {
            Step::Name(name) => name.as_str(),
            Step::First => "0",
        });
        steps.collect::<Vec<_>>().join(".")
    }

    pub fn last(&self) -> &str {
        let names = self.path.iter().rev().find_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::First => None,
        });
        names.unwrap_or_default()
    }
}

/// A field with arguments: its parent, its name, and its arguments with their types.
pub struct Asked {
    pub parent: String,
    pub field: String,
    pub arguments: Vec<(String, Type)>,
    pub result: Type,
}

pub fn schema() -> Schema {
    Schema::parse(include_str!("../../../../schema.graphql"), "schema.graphql")
        .expect("the committed schema can be read")
}

/// Every field that takes arguments, in the order of the schema.
pub fn fields(schema: &Schema) -> Vec<Asked> {
    let mut found = Vec::new();
    for (name, ty) in &schema.types {
        let ExtendedType::Object(object) = ty else {
            continue;
        };
        if name.starts_with("__") {
            continue;
        }
        for (field, def) in &object.fields {
            if def.arguments.is_empty() || field.starts_with("__") {
                continue;
            }
            let arguments = def.arguments.iter();
            found.push(Asked {
                parent: name.to_string(),
                field: field.to_string(),
                arguments: arguments
                    .map(|argument| (argument.name.to_string(), (*argument.ty).clone()))
                    .collect(),
                result: def.ty.clone(),
            });
        }
    }
    found
}

/// Every place among the arguments of a field.
pub fn places(schema: &Schema, asked: &Asked) -> Vec<Place> {
    let mut found = Vec::new();
    for (name, ty) in &asked.arguments {
        let place = Place {
            field: asked.field.clone(),
            path: vec![Step::Name(name.clone())],
            ty: ty.clone(),
            shape: "",
            inputs: Vec::new(),
            one_of: false,
        };
        walk(schema, place, &mut found);
    }
    found
}

fn walk(schema: &Schema, mut place: Place, found: &mut Vec<Place>) {
    let ty = place.ty.clone();
    if ty.is_list() {
        place.shape = "list";
        found.push(place.clone());
        place.path.push(Step::First);
        place.inputs.push(None);
        place.ty = ty.item_type().clone();
        place.one_of = false;
        return walk(schema, place, found);
    }
    let name = ty.inner_named_type();
    match schema.types.get(name) {
        Some(ExtendedType::InputObject(input)) => {
            place.shape = "input";
            found.push(place.clone());
            let one_of = input.directives.has("oneOf");
            for (member, def) in &input.fields {
                let mut below = place.clone();
                below.path.push(Step::Name(member.to_string()));
                below.inputs.push(Some(name.to_string()));
                below.ty = (*def.ty).clone();
                below.one_of = one_of;
                walk(schema, below, found);
            }
        }
        Some(ExtendedType::Enum(_)) => {
            place.shape = "enum";
            found.push(place);
        }
        _ => {
            place.shape = "scalar";
            found.push(place);
        }
    }
}
