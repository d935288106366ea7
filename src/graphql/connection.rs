//! Relay connections, as the GraphQL Cursor Connections specification has them, with `nodes` and `totalCount`.

use std::borrow::Cow;
use std::pin::Pin;

use async_graphql::parser::types::Field;
use async_graphql::registry::{MetaType, Registry};
use async_graphql::{
    Context, ContextSelectionSet, OutputType, Positioned, Response, ServerResult, SimpleObject,
    SubscriptionType, Value,
};
use futures_util::Stream;

use crate::db::pages::{Cursor, PageRequest};
use crate::error::Result;

/// Where a page lies in its list.
#[derive(SimpleObject, Debug, Clone)]
pub struct PageInfo {
    /// Whether there are objects after this page.
    pub has_next_page: bool,
    /// Whether there are objects before this page.
    pub has_previous_page: bool,
    /// The cursor of the first object, for `before`; null on an empty page.
    pub start_cursor: Option<Place>,
    /// The cursor of the last object, for `after`; null on an empty page.
    pub end_cursor: Option<Place>,
}

/// The place of an object in a list, as a cursor that is written only where it is asked for. To clients it is a `String`.
#[derive(Debug, Clone)]
pub struct Place {
    list: &'static str,
    cursor: Cursor,
}

impl Place {
    /// The place `cursor` in a list; `list` names list and order, e.g. `users:USERNAME`.
    pub fn new(list: &'static str, cursor: Cursor) -> Self {
        Place { list, cursor }
    }
}

impl OutputType for Place {
    fn type_name() -> Cow<'static, str> {
        <String as OutputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <String as OutputType>::create_type_info(registry)
    }

    async fn resolve(
        &self,
        _context: &ContextSelectionSet<'_>,
        _field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        Ok(Value::String(self.cursor.encode(self.list)))
    }
}

/// Relay's four arguments, checked; `totalCount` is computed only if the selection asks for it.
///
/// # Errors
/// As [`PageRequest::new`].
pub fn page_request(
    context: &Context<'_>,
    list: &str,
    first: Option<i32>,
    after: Option<String>,
    last: Option<i32>,
    before: Option<String>,
) -> Result<PageRequest> {
    let count = context.look_ahead().field("totalCount").exists();
    PageRequest::new(list, first, after, last, before, count)
}

const ARGUMENTS: [(&str, &str); 4] = [
    (
        "first",
        "How many from the beginning, 0–100; 20 if neither first nor last is given.",
    ),
    ("after", "Only what comes after this cursor."),
    ("last", "How many from the end, 0–100."),
    ("before", "Only what comes before this cursor."),
];

/// The subscriptions `S`; they are registered last, when every type is known, and then the four arguments of every connection in the
/// schema get their descriptions, which the engine otherwise wants at each.
#[derive(Default)]
pub struct Described<S>(S);

impl<S: SubscriptionType> SubscriptionType for Described<S> {
    fn type_name() -> Cow<'static, str> {
        S::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        let name = S::create_type_info(registry);
        for kind in registry.types.values_mut() {
            if let MetaType::Object { fields, .. } = kind {
                fields
                    .values_mut()
                    .filter(|field| field.ty.ends_with("Connection!"))
                    .flat_map(|field| field.args.values_mut())
                    .for_each(|argument| {
                        let known = ARGUMENTS.iter().find(|(name, _)| *name == argument.name);
                        if let Some((_, description)) = known {
                            argument.description = Some((*description).to_owned());
                        }
                    });
            }
        }
        name
    }

    fn create_field_stream<'a>(
        &'a self,
        context: &'a Context<'_>,
    ) -> Option<Pin<Box<dyn Stream<Item = Response> + Send + 'a>>> {
        self.0.create_field_stream(context)
    }
}

/// Declares a connection and its edge:
/// `connection!("A page of users." UserConnection, "A user in its list." UserEdge, "The user." User)`.
macro_rules! connection {
    ($doc:tt $connection:ident, $edge_doc:tt $edge:ident, $node_doc:tt $node:ty) => {
        #[doc = $edge_doc]
        #[derive(async_graphql::SimpleObject, Clone)]
        pub struct $edge {
            /// The object's place in the list, for `after` and `before`.
            pub cursor: $crate::graphql::connection::Place,
            #[doc = $node_doc]
            pub node: $crate::graphql::lean::Lean<$node>,
        }

        #[doc = $doc]
        #[derive(async_graphql::SimpleObject, Clone)]
        #[graphql(complex)]
        pub struct $connection {
            /// The objects with their cursors.
            pub edges: Vec<$edge>,
            /// Where this page lies in the list.
            pub page_info: $crate::graphql::connection::PageInfo,
            #[graphql(skip)]
            total: Option<i64>,
        }

        #[async_graphql::ComplexObject]
        impl $connection {
            /// The objects without their cursors.
            async fn nodes(&self) -> Vec<$crate::graphql::lean::Lean<$node>> {
                self.edges.iter().map(|edge| edge.node.clone()).collect()
            }

            /// How many objects the filter and your rights leave, on all pages together.
            async fn total_count(&self) -> $crate::error::Result<i64> {
                self.total
                    .ok_or_else(|| $crate::error::Error::internal("the list was not counted"))
            }
        }

        impl $crate::graphql::lean::Plain for $connection {
            fn plain_list<'a>(
                &self,
                context: &async_graphql::ContextSelectionSet<'a>,
                field: &'a async_graphql::Positioned<async_graphql::parser::types::Field>,
            ) -> Option<async_graphql::Value> {
                let nodes = self.edges.iter().map(|edge| &edge.node.0);
                let is_nodes = field.node.name.node == "nodes";
                is_nodes.then(|| $crate::graphql::lean::plain_list(context, field, nodes))?
            }
        }

        impl $connection {
            /// The connection over a page, with `place` for each row.
            pub fn of<T>(
                page: $crate::db::pages::Page<T>,
                place: impl Fn(&T) -> $crate::graphql::connection::Place,
                node: impl Fn(T) -> $node,
            ) -> $crate::graphql::lean::AtHand<Self> {
                let total = page.total;
                let (has_next_page, has_previous_page) = (page.has_next, page.has_previous);
                let edges: Vec<$edge> = page
                    .items
                    .into_iter()
                    .map(|row| $edge {
                        cursor: place(&row),
                        node: $crate::graphql::lean::Lean(node(row)),
                    })
                    .collect();
                let page_info = $crate::graphql::connection::PageInfo {
                    has_next_page,
                    has_previous_page,
                    start_cursor: edges.first().map(|edge| edge.cursor.clone()),
                    end_cursor: edges.last().map(|edge| edge.cursor.clone()),
                };
                $crate::graphql::lean::AtHand($connection {
                    edges,
                    page_info,
                    total,
                })
            }
        }
    };
}
pub(crate) use connection;
