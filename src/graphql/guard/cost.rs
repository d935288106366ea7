//! What an operation costs, in points.
//!
//! - A leaf (a scalar or an enum) costs 0, any other field 1 and what is selected below it.
//! - A connection costs 1, what is selected of it apart from its items, and its page size times what is selected of
//!   its items, which are `edges` and `nodes`. The page size is the greater of `first` and `last`, from 0 to the
//!   greatest page allowed; the default page size where both are absent or null.
//! - A list asked for by an argument `ids` costs 1 and as many times what is selected of it as there are ids.
//! - A list with an argument `atMost` costs 1 and as many times what is selected of it as that says, or its default says.
//! - A fragment costs what its fields cost, each time it is spread; what `@skip` and `@include` leave out counts as if
//!   it stood.
//! - An operation costs the sum of its root fields, at least 1.
//!
//! So `users(first: 50) { nodes { id apiKeys(first: 5) { nodes { id } } } }` costs 1 + 50 × (1 + (1 + 5 × 1)) = 351.
//!
//! A price is worked out once per document; what depends on variables stays open in it.

use serde_json::{Map, Value as Json};

use super::ast::{Argument, Document, Field, Literal, Selection, VariableDefinition};
use super::fragments::Fragments;
use super::limits::Limits;
use super::types::{TypeId, Types};

/// What is selected somewhere: points so far, and what depends on variables.
#[derive(Debug, Default)]
pub(super) struct Price {
    points: Points,
    open: Vec<Open>,
}

/// Points of what is selected of a connection's items, and of anything else.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Points {
    items: u64,
    others: u64,
}

#[derive(Debug)]
enum Open {
    Field {
        is_items: bool,
        size: Size,
        below: Price,
    },
    Spread(usize),
}

/// How often what a field holds is counted.
#[derive(Debug, Clone, Copy)]
enum Size {
    One,
    Page {
        first: Source,
        last: Source,
    },
    Ids(Source),
    /// With the default.
    Most(Source, u64),
}

/// Where a number comes from.
#[derive(Debug, Clone, Copy)]
enum Source {
    Absent,
    Given(u64),
    /// A variable, by its number in the document.
    Variable(usize),
}

/// What a variable is worth where a page size or a list of ids stands.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Worth {
    page: Option<u64>,
    ids: u64,
}

impl Price {
    /// Bytes on the heap, roughly.
    pub(super) fn weight(&self) -> usize {
        let below = |open: &Open| match open {
            Open::Field { below, .. } => below.weight(),
            Open::Spread(_) => 0,
        };
        self.open.len() * size_of::<Open>() + self.open.iter().map(below).sum::<usize>()
    }

    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// The points with variables filled in; `fragments` are the points of those it spreads.
    pub(super) fn points(&self, fragments: &[Points], worths: &[Worth], limits: &Limits) -> Points {
        let mut points = self.points;
        for open in &self.open {
            match open {
                Open::Spread(number) => points.add(fragments[*number]),
                Open::Field {
                    is_items,
                    size,
                    below,
                } => {
                    let below = below.points(fragments, worths, limits);
                    points.charge(*is_items, size.times(below, worths, limits));
                }
            }
        }
        points
    }
}

impl Points {
    fn add(&mut self, other: Points) {
        self.items = self.items.saturating_add(other.items);
        self.others = self.others.saturating_add(other.others);
    }

    fn charge(&mut self, is_items: bool, points: u64) {
        let place = if is_items {
            &mut self.items
        } else {
            &mut self.others
        };
        *place = place.saturating_add(points);
    }

    pub(super) fn total(self) -> u64 {
        self.items.saturating_add(self.others)
    }
}

impl Size {
    fn is_open(self) -> bool {
        let open = |source| matches!(source, Source::Variable(_));
        match self {
            Self::One => false,
            Self::Page { first, last } => open(first) || open(last),
            Self::Ids(ids) => open(ids),
            Self::Most(most, _) => open(most),
        }
    }

    fn times(self, below: Points, worths: &[Worth], limits: &Limits) -> u64 {
        let worth = |number: usize| worths.get(number).copied().unwrap_or_default();
        let page = |source| match source {
            Source::Absent => None,
            Source::Given(size) => Some(size),
            Source::Variable(number) => worth(number).page,
        };
        let held = match self {
            Self::One => below.total(),
            Self::Page { first, last } => {
                let size = page(first).max(page(last)).unwrap_or(limits.default_page);
                let items = below.items.saturating_mul(size.min(limits.max_page));
                items.saturating_add(below.others)
            }
            Self::Ids(source) => {
                let ids = match source {
                    Source::Absent => 1,
                    Source::Given(ids) => ids,
                    Source::Variable(number) => worth(number).ids,
                };
                below.total().saturating_mul(ids)
            }
            Self::Most(most, default) => {
                below.total().saturating_mul(page(most).unwrap_or(default))
            }
        };
        held.saturating_add(1)
    }
}

impl Worth {
    /// What the variable is worth: its value, or its default where there is none.
    pub(super) fn of(name: &str, default: Worth, variables: &Map<String, Json>) -> Self {
        match variables.get(name) {
            None => default,
            Some(Json::Null) => Self::default(),
            Some(Json::Array(items)) => Self {
                page: Some(u64::MAX),
                ids: items.len() as u64,
            },
            Some(value) => Self {
                // A value that is no page size is refused later, and until then counts as the greatest.
                page: Some(match value.as_i64() {
                    Some(size) => size.try_into().unwrap_or(0),
                    None => u64::MAX,
                }),
                ids: 1,
            },
        }
    }

    pub(super) fn of_default(variable: &VariableDefinition<'_>) -> Self {
        match &variable.default {
            None => Self::default(),
            Some(value) => Self {
                page: page_literal(&value.body),
                ids: ids_literal(&value.body),
            },
        }
    }
}

fn page_literal(literal: &Literal<'_>) -> Option<u64> {
    match literal {
        Literal::Int(digits) => Some(digits.parse().unwrap_or(0)),
        Literal::Null => None,
        _ => Some(u64::MAX),
    }
}

fn ids_literal(literal: &Literal<'_>) -> u64 {
    match literal {
        Literal::List(items) => items.len() as u64,
        Literal::Null => 0,
        _ => 1,
    }
}

/// Works out prices of a valid document.
pub(super) struct Pricing<'w, 'a> {
    pub types: &'w Types,
    pub document: &'w Document<'a>,
    pub fragments: &'w Fragments<'a>,
    pub limits: &'w Limits,
    /// The names of variables that a price depends on, by number.
    pub names: Vec<&'a str>,
    /// The prices of fragments, by number; filled in their order.
    pub prices: Vec<Price>,
}

impl<'w, 'a> Pricing<'w, 'a> {
    pub(super) fn fragments(&mut self) {
        self.prices
            .resize_with(self.document.fragments.len(), Price::default);
        for number in &self.fragments.order {
            let fragment = &self.document.fragments[*number];
            if let Some(on) = self.types.id(fragment.on.text) {
                self.prices[*number] = self.selections(on, &fragment.selections);
            }
        }
    }

    pub(super) fn selections(&mut self, parent: TypeId, selections: &[Selection<'a>]) -> Price {
        let mut price = Price::default();
        self.add(&mut price, parent, selections);
        price
    }

    fn add(&mut self, price: &mut Price, parent: TypeId, selections: &[Selection<'a>]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => self.field(price, parent, field),
                Selection::Inline(inline) => {
                    let on = inline.on.and_then(|on| self.types.id(on.text));
                    self.add(price, on.unwrap_or(parent), &inline.selections);
                }
                Selection::Spread(spread) => {
                    let Some(number) = self.fragments.number(spread.name.text) else {
                        continue;
                    };
                    if self.prices[number].is_open() {
                        price.open.push(Open::Spread(number));
                    } else {
                        let points = self.prices[number].points;
                        price.points.add(points);
                    }
                }
            }
        }
    }

    fn field(&mut self, price: &mut Price, parent: TypeId, field: &Field<'a>) {
        let Some(def) = self.types.field(parent, field.name.text) else {
            return;
        };
        let Some(selections) = field.selections.as_deref() else {
            return;
        };
        let inner = def.ty.named();
        let size = if self.types.def(inner).connection {
            Size::Page {
                first: self.source(&field.arguments, "first", page_literal),
                last: self.source(&field.arguments, "last", page_literal),
            }
        } else if def
            .arguments
            .iter()
            .any(|argument| &*argument.name == "ids")
        {
            Size::Ids(self.source(&field.arguments, "ids", |value| Some(ids_literal(value))))
        } else if let Some(most) = def.arguments.iter().find(|one| &*one.name == "atMost") {
            let given = self.source(&field.arguments, "atMost", page_literal);
            Size::Most(given, most.number.unwrap_or(1))
        } else {
            Size::One
        };
        let is_items =
            self.types.def(parent).connection && matches!(field.name.text, "edges" | "nodes");
        let below = self.selections(inner, selections);
        if below.is_open() || size.is_open() {
            price.open.push(Open::Field {
                is_items,
                size,
                below,
            });
        } else {
            let points = size.times(below.points, &[], self.limits);
            price.points.charge(is_items, points);
        }
    }

    fn source(
        &mut self,
        arguments: &[Argument<'a>],
        name: &str,
        of: impl Fn(&Literal<'a>) -> Option<u64>,
    ) -> Source {
        let Some(argument) = arguments.iter().find(|given| given.name.text == name) else {
            return Source::Absent;
        };
        match &argument.value.body {
            Literal::Variable(name) => Source::Variable(self.number(name)),
            literal => of(literal).map_or(Source::Absent, Source::Given),
        }
    }

    fn number(&mut self, name: &'a str) -> usize {
        let known = self.names.iter().position(|known| *known == name);
        known.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        })
    }
}
