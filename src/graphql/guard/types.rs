//! The schema, as validation needs it: looked up by name, resolved to numbers, built once.

use std::collections::{BTreeSet, HashMap, HashSet};

use apollo_compiler::ast::DirectiveLocation;

use super::ast::{OperationKind, TypeExpr};

/// Says whether a text is a value of a scalar; if not, what would be right, in a sentence or two that begin with the text.
pub type Reader = fn(&str) -> Result<(), String>;

/// A named type.
pub(super) type TypeId = u32;

/// A type as fields, arguments and variables have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ty {
    Named(TypeId),
    List(Box<Ty>),
    NonNull(Box<Ty>),
}

impl Ty {
    pub(super) fn named(&self) -> TypeId {
        match self {
            Self::Named(id) => *id,
            Self::List(of) | Self::NonNull(of) => of.named(),
        }
    }

    pub(super) fn nullable(&self) -> &Ty {
        match self {
            Self::NonNull(of) => of,
            _ => self,
        }
    }

    pub(super) fn is_non_null(&self) -> bool {
        matches!(self, Self::NonNull(_))
    }

    /// Whether a value of this input type may stand where `other` is expected.
    pub(super) fn fits(&self, other: &Ty) -> bool {
        match (self, other) {
            (Self::NonNull(a), Self::NonNull(b)) => a.fits(b),
            (Self::NonNull(a), _) => a.fits(other),
            (Self::List(a), Self::List(b)) => a.fits(b),
            (Self::Named(a), Self::Named(b)) => a == b,
            _ => false,
        }
    }
}

#[derive(Debug)]
pub(super) enum Body {
    Int,
    Float,
    String,
    Boolean,
    Id,
    /// A scalar of the schema's own, with its reader if its values are texts of a form.
    Scalar(Option<Reader>),
    Enum(HashSet<Box<str>>),
    Input {
        fields: Vec<InputDef>,
        one_of: bool,
    },
    Object(HashMap<Box<str>, FieldDef>),
    Interface(HashMap<Box<str>, FieldDef>),
    Union,
}

#[derive(Debug)]
pub(super) struct TypeDef {
    pub name: Box<str>,
    pub body: Body,
    /// The objects it may be: itself for an object, none for what is not composite.
    pub possible: BTreeSet<TypeId>,
    /// Whether it is a page of a list, in the form Relay gives it.
    pub connection: bool,
}

impl TypeDef {
    pub(super) fn is_object(&self) -> bool {
        matches!(self.body, Body::Object(_))
    }

    pub(super) fn is_composite(&self) -> bool {
        matches!(
            self.body,
            Body::Object(_) | Body::Interface(_) | Body::Union
        )
    }

    pub(super) fn is_input(&self) -> bool {
        !self.is_composite()
    }

    pub(super) fn is_leaf(&self) -> bool {
        !self.is_composite() && !matches!(self.body, Body::Input { .. })
    }
}

#[derive(Debug)]
pub(super) struct FieldDef {
    pub ty: Ty,
    pub arguments: Vec<InputDef>,
}

#[derive(Debug)]
pub(super) struct InputDef {
    pub name: Box<str>,
    pub ty: Ty,
    pub has_default: bool,
    /// The default, where it is a whole number that is not negative.
    pub number: Option<u64>,
}

impl InputDef {
    pub(super) fn is_required(&self) -> bool {
        self.ty.is_non_null() && !self.has_default
    }
}

#[derive(Debug)]
pub(super) struct DirectiveDef {
    pub arguments: Vec<InputDef>,
    pub repeatable: bool,
    pub locations: Vec<DirectiveLocation>,
}

/// A schema.
#[derive(Debug)]
pub(super) struct Types {
    pub ids: HashMap<Box<str>, TypeId>,
    pub defs: Vec<TypeDef>,
    pub directives: HashMap<Box<str>, DirectiveDef>,
    /// Of queries, mutations and subscriptions.
    pub roots: [Option<TypeId>; 3],
    pub typename: FieldDef,
    pub schema_field: FieldDef,
    pub type_field: FieldDef,
}

impl Types {
    pub(super) fn id(&self, name: &str) -> Option<TypeId> {
        self.ids.get(name).copied()
    }

    pub(super) fn def(&self, id: TypeId) -> &TypeDef {
        &self.defs[id as usize]
    }

    pub(super) fn root(&self, kind: OperationKind) -> Option<TypeId> {
        self.roots[kind as usize]
    }

    /// The field `name` of the composite type `parent`, those of introspection included.
    pub(super) fn field(&self, parent: TypeId, name: &str) -> Option<&FieldDef> {
        let def = self.def(parent);
        if name == "__typename" && def.is_composite() {
            return Some(&self.typename);
        }
        if self.roots[0] == Some(parent) {
            match name {
                "__schema" => return Some(&self.schema_field),
                "__type" => return Some(&self.type_field),
                _ => {}
            }
        }
        match &def.body {
            Body::Object(fields) | Body::Interface(fields) => fields.get(name),
            _ => None,
        }
    }

    /// The type an expression in a document names, if there is one.
    pub(super) fn resolve(&self, expr: &TypeExpr<'_>) -> Option<Ty> {
        Some(match expr {
            TypeExpr::Named(name) => Ty::Named(self.id(name.text)?),
            TypeExpr::List(of) => Ty::List(Box::new(self.resolve(of)?)),
            TypeExpr::NonNull(of) => Ty::NonNull(Box::new(self.resolve(of)?)),
        })
    }

    /// Whether an object could be of both composite types.
    pub(super) fn overlap(&self, a: TypeId, b: TypeId) -> bool {
        a == b || !self.def(a).possible.is_disjoint(&self.def(b).possible)
    }

    /// The type as it is written.
    pub(super) fn show(&self, ty: &Ty) -> String {
        match ty {
            Ty::Named(id) => self.def(*id).name.to_string(),
            Ty::List(of) => format!("[{}]", self.show(of)),
            Ty::NonNull(of) => format!("{}!", self.show(of)),
        }
    }
}
