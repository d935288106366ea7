//! A parsed document. It borrows the text; what is kept of it lives in [`super::cost`].

/// A name and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Name<'a> {
    pub text: &'a str,
    pub at: usize,
}

#[derive(Debug)]
pub(super) struct Document<'a> {
    pub operations: Vec<Operation<'a>>,
    pub fragments: Vec<Fragment<'a>>,
}

/// What an operation does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum OperationKind {
    /// Reads.
    Query,
    /// Changes.
    Mutation,
    /// Listens.
    Subscription,
}

#[derive(Debug)]
pub(super) struct Operation<'a> {
    pub at: usize,
    pub kind: OperationKind,
    pub name: Option<Name<'a>>,
    pub variables: Vec<VariableDefinition<'a>>,
    pub directives: Vec<Directive<'a>>,
    pub selections: Vec<Selection<'a>>,
}

#[derive(Debug)]
pub(super) struct Fragment<'a> {
    pub name: Name<'a>,
    pub on: Name<'a>,
    pub directives: Vec<Directive<'a>>,
    pub selections: Vec<Selection<'a>>,
}

#[derive(Debug)]
pub(super) struct VariableDefinition<'a> {
    pub name: Name<'a>,
    pub ty: TypeExpr<'a>,
    pub default: Option<Value<'a>>,
    pub directives: Vec<Directive<'a>>,
}

#[derive(Debug)]
pub(super) enum TypeExpr<'a> {
    Named(Name<'a>),
    List(Box<TypeExpr<'a>>),
    NonNull(Box<TypeExpr<'a>>),
}

impl<'a> TypeExpr<'a> {
    pub(super) fn name(&self) -> Name<'a> {
        match self {
            Self::Named(name) => *name,
            Self::List(of) | Self::NonNull(of) => of.name(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Directive<'a> {
    pub name: Name<'a>,
    pub arguments: Vec<Argument<'a>>,
}

/// An argument, or a field of an input object.
#[derive(Debug)]
pub(super) struct Argument<'a> {
    pub name: Name<'a>,
    pub value: Value<'a>,
}

#[derive(Debug)]
pub(super) struct Value<'a> {
    pub at: usize,
    pub body: Literal<'a>,
}

#[derive(Debug)]
pub(super) enum Literal<'a> {
    Variable(&'a str),
    Int(&'a str),
    Float(&'a str),
    /// With its quotes.
    String(&'a str),
    /// With its quotes.
    BlockString(&'a str),
    Boolean(bool),
    Null,
    Enum(&'a str),
    List(Vec<Value<'a>>),
    Object(Vec<Argument<'a>>),
}

#[derive(Debug)]
pub(super) enum Selection<'a> {
    Field(Field<'a>),
    Spread(Spread<'a>),
    Inline(Inline<'a>),
}

#[derive(Debug)]
pub(super) struct Field<'a> {
    pub alias: Option<Name<'a>>,
    pub name: Name<'a>,
    pub arguments: Vec<Argument<'a>>,
    pub directives: Vec<Directive<'a>>,
    /// `None` without braces; never `Some` of nothing.
    pub selections: Option<Vec<Selection<'a>>>,
}

impl<'a> Field<'a> {
    /// The key under which the answer holds it.
    pub(super) fn key(&self) -> &'a str {
        self.alias.unwrap_or(self.name).text
    }
}

#[derive(Debug)]
pub(super) struct Spread<'a> {
    pub name: Name<'a>,
    pub directives: Vec<Directive<'a>>,
}

#[derive(Debug)]
pub(super) struct Inline<'a> {
    pub at: usize,
    pub on: Option<Name<'a>>,
    pub directives: Vec<Directive<'a>>,
    pub selections: Vec<Selection<'a>>,
}
