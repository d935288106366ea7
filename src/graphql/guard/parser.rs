//! Tokens to a document: executable definitions only. It recurses once per bracket, so [`super::scan`] has to have
//! counted them first.

use super::ast::{
    Argument, Directive, Document, Field, Fragment, Inline, Literal, Name, Operation,
    OperationKind, Selection, Spread, TypeExpr, Value, VariableDefinition,
};
use super::lexer::{Kind, LexError, Lexer, Token};
use super::refusal::{Location, Refusal, RefusalCode};

/// The document that `text` is.
pub(super) fn parse(text: &str) -> Result<Document<'_>, Refusal> {
    let refuse = |error: ParseError| {
        Refusal::one(
            error.code,
            error.message,
            vec![Location::of(text, error.at)],
        )
    };
    let mut lexer = Lexer::new(text);
    let token = lexer.next().map_err(|error| refuse(error.into()))?;
    let mut parser = Parser { text, lexer, token };
    parser.document().map_err(refuse)
}

struct ParseError {
    code: RefusalCode,
    at: usize,
    message: String,
}

impl From<LexError> for ParseError {
    fn from(error: LexError) -> Self {
        Self {
            code: RefusalCode::ParseFailed,
            at: error.at,
            message: format!("Syntax Error: {}", error.what),
        }
    }
}

type Parsed<T> = Result<T, ParseError>;

struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    token: Token,
}

impl<'a> Parser<'a> {
    fn word(&self, token: Token) -> &'a str {
        &self.text[token.start..token.end]
    }

    fn advance(&mut self) -> Parsed<Token> {
        let token = self.token;
        self.token = self.lexer.next()?;
        Ok(token)
    }

    fn peek(&self, kind: Kind) -> bool {
        self.token.kind == kind
    }

    fn peek_word(&self, word: &str) -> bool {
        self.peek(Kind::Name) && self.word(self.token) == word
    }

    fn skip(&mut self, kind: Kind) -> Parsed<bool> {
        let found = self.peek(kind);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, kind: Kind) -> Parsed<Token> {
        if self.peek(kind) {
            return self.advance();
        }
        Err(self.unexpected(&format!("Expected {}, found", kind.describe())))
    }

    fn expect_word(&mut self, word: &str) -> Parsed<()> {
        if self.peek_word(word) {
            self.advance()?;
            return Ok(());
        }
        Err(self.unexpected(&format!("Expected \"{word}\", found")))
    }

    fn unexpected(&self, lead: &str) -> ParseError {
        let found = match self.token.kind {
            Kind::End => "<EOF>".to_owned(),
            Kind::Name | Kind::Int | Kind::Float => {
                // A name may be as long as the document.
                let word: String = self.word(self.token).chars().take(64).collect();
                format!("{} \"{word}\"", self.token.kind.describe())
            }
            kind => kind.describe().to_owned(),
        };
        ParseError {
            code: RefusalCode::ParseFailed,
            at: self.token.start,
            message: format!("Syntax Error: {lead} {found}."),
        }
    }

    fn document(&mut self) -> Parsed<Document<'a>> {
        let mut document = Document {
            operations: Vec::new(),
            fragments: Vec::new(),
        };
        loop {
            if self.peek(Kind::BraceL) {
                document.operations.push(Operation {
                    at: self.token.start,
                    kind: OperationKind::Query,
                    name: None,
                    variables: Vec::new(),
                    directives: Vec::new(),
                    selections: self.selections()?,
                });
            } else {
                self.description()?;
                self.definition(&mut document)?;
            }
            if self.peek(Kind::End) {
                return Ok(document);
            }
        }
    }

    fn description(&mut self) -> Parsed<()> {
        if self.peek(Kind::String) || self.peek(Kind::BlockString) {
            self.advance()?;
        }
        Ok(())
    }

    fn definition(&mut self, document: &mut Document<'a>) -> Parsed<()> {
        if !self.peek(Kind::Name) {
            return Err(self.unexpected("Unexpected"));
        }
        let at = self.token.start;
        let kind = match self.word(self.token) {
            "query" => OperationKind::Query,
            "mutation" => OperationKind::Mutation,
            "subscription" => OperationKind::Subscription,
            "fragment" => {
                self.advance()?;
                let fragment = self.fragment()?;
                document.fragments.push(fragment);
                return Ok(());
            }
            word @ ("schema" | "scalar" | "type" | "interface" | "union" | "enum" | "input"
            | "directive" | "extend") => {
                return Err(ParseError {
                    code: RefusalCode::ValidationFailed,
                    at,
                    message: format!(
                        "The \"{word}\" definition is not executable; a request holds operations and fragments only."
                    ),
                });
            }
            _ => return Err(self.unexpected("Unexpected")),
        };
        self.advance()?;
        let name = if self.peek(Kind::Name) {
            Some(self.name()?)
        } else {
            None
        };
        document.operations.push(Operation {
            at,
            kind,
            name,
            variables: self.variables()?,
            directives: self.directives(false)?,
            selections: self.selections()?,
        });
        Ok(())
    }

    fn fragment(&mut self) -> Parsed<Fragment<'a>> {
        if self.peek_word("on") {
            return Err(self.unexpected("Unexpected"));
        }
        let name = self.name()?;
        self.expect_word("on")?;
        Ok(Fragment {
            name,
            on: self.name()?,
            directives: self.directives(false)?,
            selections: self.selections()?,
        })
    }

    fn name(&mut self) -> Parsed<Name<'a>> {
        let token = self.expect(Kind::Name)?;
        Ok(Name {
            text: self.word(token),
            at: token.start,
        })
    }

    fn variables(&mut self) -> Parsed<Vec<VariableDefinition<'a>>> {
        let mut variables = Vec::new();
        if !self.skip(Kind::ParenL)? {
            return Ok(variables);
        }
        loop {
            self.description()?;
            self.expect(Kind::Dollar)?;
            let name = self.name()?;
            self.expect(Kind::Colon)?;
            variables.push(VariableDefinition {
                name,
                ty: self.type_expr()?,
                default: if self.skip(Kind::Equals)? {
                    Some(self.value(true)?)
                } else {
                    None
                },
                directives: self.directives(true)?,
            });
            if self.skip(Kind::ParenR)? {
                return Ok(variables);
            }
        }
    }

    fn type_expr(&mut self) -> Parsed<TypeExpr<'a>> {
        let ty = if self.skip(Kind::BracketL)? {
            let of = self.type_expr()?;
            self.expect(Kind::BracketR)?;
            TypeExpr::List(Box::new(of))
        } else {
            TypeExpr::Named(self.name()?)
        };
        if self.skip(Kind::Bang)? {
            return Ok(TypeExpr::NonNull(Box::new(ty)));
        }
        Ok(ty)
    }

    fn directives(&mut self, constant: bool) -> Parsed<Vec<Directive<'a>>> {
        let mut directives = Vec::new();
        while self.skip(Kind::At)? {
            directives.push(Directive {
                name: self.name()?,
                arguments: self.arguments(constant)?,
            });
        }
        Ok(directives)
    }

    fn arguments(&mut self, constant: bool) -> Parsed<Vec<Argument<'a>>> {
        let mut arguments = Vec::new();
        if !self.skip(Kind::ParenL)? {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument(constant)?);
            if self.skip(Kind::ParenR)? {
                return Ok(arguments);
            }
        }
    }

    fn argument(&mut self, constant: bool) -> Parsed<Argument<'a>> {
        let name = self.name()?;
        self.expect(Kind::Colon)?;
        Ok(Argument {
            name,
            value: self.value(constant)?,
        })
    }

    fn value(&mut self, constant: bool) -> Parsed<Value<'a>> {
        let token = self.token;
        let word = self.word(token);
        let body = match token.kind {
            Kind::BracketL => {
                self.advance()?;
                let mut items = Vec::new();
                while !self.skip(Kind::BracketR)? {
                    items.push(self.value(constant)?);
                }
                Literal::List(items)
            }
            Kind::BraceL => {
                self.advance()?;
                let mut fields = Vec::new();
                while !self.skip(Kind::BraceR)? {
                    fields.push(self.argument(constant)?);
                }
                Literal::Object(fields)
            }
            Kind::Dollar if !constant => {
                self.advance()?;
                Literal::Variable(self.name()?.text)
            }
            Kind::Int | Kind::Float | Kind::String | Kind::BlockString | Kind::Name => {
                self.advance()?;
                match (token.kind, word) {
                    (Kind::Int, _) => Literal::Int(word),
                    (Kind::Float, _) => Literal::Float(word),
                    (Kind::String, _) => Literal::String(word),
                    (Kind::BlockString, _) => Literal::BlockString(word),
                    (_, "true") => Literal::Boolean(true),
                    (_, "false") => Literal::Boolean(false),
                    (_, "null") => Literal::Null,
                    _ => Literal::Enum(word),
                }
            }
            Kind::Dollar => {
                return Err(self.unexpected("A constant value cannot hold a variable: unexpected"));
            }
            _ => return Err(self.unexpected("Expected a value, found")),
        };
        Ok(Value {
            at: token.start,
            body,
        })
    }

    fn selections(&mut self) -> Parsed<Vec<Selection<'a>>> {
        self.expect(Kind::BraceL)?;
        let mut selections = Vec::new();
        loop {
            selections.push(self.selection()?);
            if self.skip(Kind::BraceR)? {
                return Ok(selections);
            }
        }
    }

    fn selection(&mut self) -> Parsed<Selection<'a>> {
        let at = self.token.start;
        if !self.skip(Kind::Spread)? {
            return Ok(Selection::Field(self.field()?));
        }
        let on = if self.peek_word("on") {
            self.advance()?;
            Some(self.name()?)
        } else if self.peek(Kind::Name) {
            return Ok(Selection::Spread(Spread {
                name: self.name()?,
                directives: self.directives(false)?,
            }));
        } else {
            None
        };
        Ok(Selection::Inline(Inline {
            at,
            on,
            directives: self.directives(false)?,
            selections: self.selections()?,
        }))
    }

    fn field(&mut self) -> Parsed<Field<'a>> {
        let first = self.name()?;
        let (alias, name) = if self.skip(Kind::Colon)? {
            (Some(first), self.name()?)
        } else {
            (None, first)
        };
        Ok(Field {
            alias,
            name,
            arguments: self.arguments(false)?,
            directives: self.directives(false)?,
            selections: if self.peek(Kind::BraceL) {
                Some(self.selections()?)
            } else {
                None
            },
        })
    }
}
