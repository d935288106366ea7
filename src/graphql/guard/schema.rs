//! From the text of the schema to [`Types`].

use std::collections::{BTreeSet, HashMap, HashSet};

use apollo_compiler::ast::{self, OperationType};
use apollo_compiler::collections::IndexMap;
use apollo_compiler::schema::{Component, ExtendedType};
use apollo_compiler::{Name, Node, Schema};

use super::types::{Body, DirectiveDef, FieldDef, InputDef, Ty, TypeDef, TypeId, Types};

/// The scalars of the specification that are in a schema only if it mentions them.
const OPTIONAL_SCALARS: [&str; 3] = ["Int", "Float", "ID"];

/// Fields of introspection that are younger than the schema library.
const YOUNGER_FIELDS: [(&str, &str, &str); 3] = [
    ("__Type", "isOneOf", "Boolean"),
    ("__Directive", "isDeprecated", "Boolean"),
    ("__Directive", "deprecationReason", "String"),
];

impl Types {
    /// Reads a schema.
    ///
    /// # Errors
    /// A sentence, if the text is not a schema or names a type that it does not define.
    pub(super) fn new(sdl: &str) -> Result<Self, String> {
        let schema = Schema::parse(sdl, "schema.graphql")
            .map_err(|error| format!("the schema does not parse: {}", error.errors))?;
        let ids = number(&schema)?;
        let names = Names(&ids);
        let mut defs: Vec<TypeDef> = Vec::with_capacity(ids.len());
        let mut order: Vec<(&Box<str>, &TypeId)> = ids.iter().collect();
        order.sort_by_key(|(_, id)| **id);
        for (name, id) in order {
            defs.push(names.type_def(&schema, name, *id)?);
        }
        for (ty, field, of) in YOUNGER_FIELDS {
            if let (Some(ty), Some(of)) = (ids.get(ty), ids.get(of))
                && let Body::Object(fields) = &mut defs[*ty as usize].body
            {
                fields.entry(field.into()).or_insert_with(|| FieldDef {
                    ty: Ty::Named(*of),
                    arguments: Vec::new(),
                });
            }
        }
        let mut directives = HashMap::new();
        for (name, def) in &schema.directive_definitions {
            let def = DirectiveDef {
                arguments: names.inputs(def.arguments.iter())?,
                repeatable: def.repeatable,
                locations: def.locations.clone(),
            };
            directives.insert(Box::from(name.as_str()), def);
        }
        let root = |of| {
            let name = schema.root_operation(of)?;
            ids.get(name.as_str()).copied()
        };
        let roots = [
            root(OperationType::Query),
            root(OperationType::Mutation),
            root(OperationType::Subscription),
        ];
        let plain = |ty| FieldDef {
            ty,
            arguments: Vec::new(),
        };
        let string = Ty::NonNull(Box::new(names.named("String")?));
        let schema_type = Ty::NonNull(Box::new(names.named("__Schema")?));
        let mut type_field = plain(names.named("__Type")?);
        type_field.arguments.push(InputDef {
            name: "name".into(),
            ty: string.clone(),
            has_default: false,
            number: None,
        });
        Ok(Self {
            directives,
            roots,
            typename: plain(string),
            schema_field: plain(schema_type),
            type_field,
            defs,
            ids,
        })
    }
}

/// A number for each type of the schema.
fn number(schema: &Schema) -> Result<HashMap<Box<str>, TypeId>, String> {
    let mentioned = mentioned(schema);
    let known = schema.types.keys().map(Name::as_str);
    let mut ids: HashMap<Box<str>, TypeId> = HashMap::new();
    for name in known.chain(OPTIONAL_SCALARS).chain(["String", "Boolean"]) {
        let id = TypeId::try_from(ids.len()).map_err(|_| "too many types".to_owned())?;
        let is_in = !OPTIONAL_SCALARS.contains(&name) || mentioned.contains(name);
        if is_in && !ids.contains_key(name) {
            ids.insert(name.into(), id);
        }
    }
    Ok(ids)
}

/// The types of all fields, arguments and input fields.
fn mentioned(schema: &Schema) -> HashSet<&str> {
    let mut types: Vec<&ast::Type> = Vec::new();
    for def in schema.directive_definitions.values() {
        types.extend(def.arguments.iter().map(|input| &*input.ty));
    }
    for ty in schema.types.values() {
        let fields = match ty {
            ExtendedType::Object(ty) => &ty.fields,
            ExtendedType::Interface(ty) => &ty.fields,
            ExtendedType::InputObject(ty) => {
                types.extend(ty.fields.values().map(|input| &*input.ty));
                continue;
            }
            _ => continue,
        };
        for field in fields.values() {
            types.push(&field.ty);
            types.extend(field.arguments.iter().map(|input| &*input.ty));
        }
    }
    types
        .into_iter()
        .map(|ty| ty.inner_named_type().as_str())
        .collect()
}

struct Names<'a>(&'a HashMap<Box<str>, TypeId>);

impl Names<'_> {
    fn id(&self, name: &str) -> Result<TypeId, String> {
        self.0
            .get(name)
            .copied()
            .ok_or_else(|| format!("the schema mentions the type {name}, but does not define it"))
    }

    fn named(&self, name: &str) -> Result<Ty, String> {
        Ok(Ty::Named(self.id(name)?))
    }

    fn ty(&self, ty: &ast::Type) -> Result<Ty, String> {
        Ok(match ty {
            ast::Type::Named(name) => self.named(name)?,
            ast::Type::NonNullNamed(name) => Ty::NonNull(Box::new(self.named(name)?)),
            ast::Type::List(of) => Ty::List(Box::new(self.ty(of)?)),
            ast::Type::NonNullList(of) => Ty::NonNull(Box::new(Ty::List(Box::new(self.ty(of)?)))),
        })
    }

    fn inputs<'b>(
        &self,
        inputs: impl Iterator<Item = &'b Node<ast::InputValueDefinition>>,
    ) -> Result<Vec<InputDef>, String> {
        inputs
            .map(|input| {
                Ok(InputDef {
                    name: input.name.as_str().into(),
                    ty: self.ty(&input.ty)?,
                    has_default: input.default_value.is_some(),
                    number: match input.default_value.as_deref() {
                        Some(ast::Value::Int(number)) => number.as_str().parse().ok(),
                        _ => None,
                    },
                })
            })
            .collect()
    }

    fn fields(
        &self,
        fields: &IndexMap<Name, Component<ast::FieldDefinition>>,
    ) -> Result<HashMap<Box<str>, FieldDef>, String> {
        let mut found = HashMap::new();
        for (name, field) in fields {
            let def = FieldDef {
                ty: self.ty(&field.ty)?,
                arguments: self.inputs(field.arguments.iter())?,
            };
            found.insert(Box::from(name.as_str()), def);
        }
        Ok(found)
    }

    fn type_def(&self, schema: &Schema, name: &str, id: TypeId) -> Result<TypeDef, String> {
        let mut possible = BTreeSet::new();
        let mut connection = false;
        let body = match schema.types.get(name) {
            None | Some(ExtendedType::Scalar(_)) => match name {
                "Int" => Body::Int,
                "Float" => Body::Float,
                "String" => Body::String,
                "Boolean" => Body::Boolean,
                "ID" => Body::Id,
                _ => Body::Scalar(None),
            },
            Some(ExtendedType::Object(ty)) => {
                possible.insert(id);
                let has = |field| ty.fields.contains_key(field);
                connection = name.ends_with("Connection")
                    && has("pageInfo")
                    && (has("edges") || has("nodes"));
                Body::Object(self.fields(&ty.fields)?)
            }
            Some(ExtendedType::Interface(ty)) => {
                for (object, def) in &schema.types {
                    if let ExtendedType::Object(def) = def
                        && def.implements_interfaces.contains(&ty.name)
                    {
                        possible.insert(self.id(object)?);
                    }
                }
                Body::Interface(self.fields(&ty.fields)?)
            }
            Some(ExtendedType::Union(ty)) => {
                for member in &ty.members {
                    possible.insert(self.id(member)?);
                }
                Body::Union
            }
            Some(ExtendedType::Enum(ty)) => Body::Enum(
                ty.values
                    .keys()
                    .map(|value| Box::from(value.as_str()))
                    .collect(),
            ),
            Some(ExtendedType::InputObject(ty)) => Body::Input {
                fields: self.inputs(ty.fields.values().map(|field| &field.node))?,
                one_of: ty.directives.has("oneOf"),
            },
        };
        Ok(TypeDef {
            name: name.into(),
            body,
            possible,
            connection,
        })
    }
}
