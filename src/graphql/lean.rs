//! Objects that answer their plain fields at once. The engine makes a future on the heap for every field, as large as the
//! largest of its object's resolvers; a list of fifty users with their keys has a thousand fields, of which nearly all are values
//! at hand. Here only fields with a selection below them get such a future; the others are polled once, where they stand, and those
//! that an object knows by name ([`Plain`]) are not even polled.
//!
//! What the answer is does not change: `tests/it/graphql/laws.rs` runs its generated queries over both.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::resolver_utils::{ContainerType, resolve_container};
use async_graphql::{ContextSelectionSet, OutputType, Positioned, ScalarType, ServerResult, Value};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, try_join_all};

use super::scalars::Timestamp;

/// An object of the schema whose plain fields cost no future. To clients it is the object itself.
#[derive(Clone)]
pub struct Lean<T>(pub T);

/// A [`Lean`] object that holds what its fields show, such as a page of rows: where a selection below it asks for plain fields
/// alone, that too is answered where it stands. To clients it is the object itself.
#[derive(Clone)]
pub struct AtHand<T>(pub T);

/// An object that answers some of its fields by their names: what its resolvers would answer, without a future or a context for each.
/// Fields that have arguments, may fail, or depend on who asks are left to the resolvers.
pub trait Plain: ContainerType {
    /// The value of that field, if the object answers it so.
    fn plain(&self, _field: &str) -> Option<Value> {
        None
    }

    /// The list of objects in that field, if it is one and they answer so whatever the selection asks of them.
    fn plain_list<'a>(
        &self,
        _context: &ContextSelectionSet<'a>,
        _field: &'a Positioned<Field>,
    ) -> Option<Value> {
        None
    }
}

/// A text, if there is one.
pub fn text(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::from)
}

/// A moment, if there is one.
pub fn moment(at: Option<DateTime<Utc>>) -> Value {
    at.map_or(Value::Null, |at| Timestamp(at).to_value())
}

/// What a list of such objects answers to the field's selection; `None` where anything in it is not plain.
pub fn plain_list<'a, 'b, T: Plain + 'b>(
    context: &ContextSelectionSet<'a>,
    field: &'a Positioned<Field>,
    items: impl Iterator<Item = &'b T>,
) -> Option<Value> {
    let mut fields = Vec::new();
    let is_plain = collect(
        context,
        &T::type_name(),
        &field.node.selection_set.node,
        &mut fields,
    );
    if !is_plain {
        return None;
    }
    let object = |item: &T| {
        let mut answer = IndexMap::with_capacity(fields.len());
        for field in &fields {
            let value = item.plain(field.node.name.node.as_str())?;
            answer.insert(field.node.response_key().node.clone(), value);
        }
        Some(Value::Object(answer))
    };
    items.map(object).collect::<Option<_>>().map(Value::List)
}

macro_rules! shown_as_itself {
    ($wrapper:ident, $at_hand:literal) => {
        impl<T: Plain> OutputType for $wrapper<T> {
            fn type_name() -> Cow<'static, str> {
                T::type_name()
            }

            fn introspection_type_name(&self) -> Cow<'static, str> {
                self.0.introspection_type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                T::create_type_info(registry)
            }

            async fn resolve(
                &self,
                context: &ContextSelectionSet<'_>,
                _field: &Positioned<Field>,
            ) -> ServerResult<Value> {
                object(context, &self.0, $at_hand).await
            }
        }
    };
}
shown_as_itself!(Lean, false);
shown_as_itself!(AtHand, true);

async fn object<'a, T: Plain>(
    context: &ContextSelectionSet<'a>,
    root: &'a T,
    at_hand: bool,
) -> ServerResult<Value> {
    let mut fields = Vec::with_capacity(context.item.node.items.len());
    let name = root.introspection_type_name();
    if !collect(context, &name, &context.item.node, &mut fields) {
        return resolve_container(context, root).await;
    }
    let mut answer = IndexMap::with_capacity(fields.len());
    let mut pending: Vec<BoxFuture<'a, ServerResult<(usize, Value)>>> = Vec::new();
    for (place, field) in fields.into_iter().enumerate() {
        let key = field.node.response_key().node.clone();
        let is_leaf = is_leaf(field);
        let plain = match is_leaf {
            true => root.plain(field.node.name.node.as_str()),
            false if at_hand => root.plain_list(context, field),
            false => None,
        };
        let value = if plain.is_some() {
            plain
        } else if field.node.name.node == "__typename" {
            Some(Value::String(name.clone().into_owned()))
        } else if is_leaf || (at_hand && has_only_leaves(context, &field.node.selection_set.node)) {
            let context = context.with_field(field);
            // What has to wait after all is asked again below: asking twice only reads twice.
            let polled = root.resolve_field(&context).now_or_never();
            polled.transpose()?.map(Option::unwrap_or_default)
        } else {
            None
        };
        if value.is_none() {
            let context = context.clone();
            pending.push(Box::pin(async move {
                let value = root.resolve_field(&context.with_field(field)).await?;
                Ok((place, value.unwrap_or_default()))
            }));
        }
        // The place of what is pending is kept, since keys stand in the order of the document.
        answer.insert(key, value.unwrap_or_default());
    }
    if !pending.is_empty() {
        for (place, value) in try_join_all(pending).await? {
            answer[place] = value;
        }
    }
    Ok(Value::Object(answer))
}

fn is_leaf(field: &Positioned<Field>) -> bool {
    field.node.selection_set.node.items.is_empty()
}

/// Whether nothing is selected but leaves, through its fragments.
fn has_only_leaves(context: &ContextSelectionSet<'_>, selections: &SelectionSet) -> bool {
    selections
        .items
        .iter()
        .all(|selection| match &selection.node {
            Selection::Field(field) => is_leaf(field),
            Selection::InlineFragment(fragment) => {
                has_only_leaves(context, &fragment.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                let fragment = context
                    .query_env
                    .fragments
                    .get(&spread.node.fragment_name.node);
                fragment.is_some_and(|fragment| {
                    has_only_leaves(context, &fragment.node.selection_set.node)
                })
            }
        })
}

/// Collects the fields that the selection has for the type of that name, through its fragments. False where that is not plain: a
/// response key twice, a directive left over, a condition on another type. The engine then does it.
fn collect<'a>(
    context: &ContextSelectionSet<'a>,
    name: &str,
    selections: &'a SelectionSet,
    fields: &mut Vec<&'a Positioned<Field>>,
) -> bool {
    selections
        .items
        .iter()
        .all(|selection| match &selection.node {
            Selection::Field(field) => {
                let key = &field.node.response_key().node;
                let again = |other: &&Positioned<Field>| other.node.response_key().node == *key;
                if !field.node.directives.is_empty() || fields.iter().any(again) {
                    return false;
                }
                fields.push(field);
                true
            }
            Selection::FragmentSpread(spread) => {
                let fragment = &spread.node.fragment_name.node;
                let Some(fragment) = context.query_env.fragments.get(fragment) else {
                    return false;
                };
                fragment.node.type_condition.node.on.node == name
                    && collect(context, name, &fragment.node.selection_set.node, fields)
            }
            Selection::InlineFragment(fragment) => {
                let condition = &fragment.node.type_condition;
                condition
                    .as_ref()
                    .is_none_or(|condition| condition.node.on.node == name)
                    && collect(context, name, &fragment.node.selection_set.node, fields)
            }
        })
}
