//! An answer of a subscription with a context of its own: what a subscriber holds may change between two of them.

use std::borrow::Cow;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Data, OutputType, Positioned, ServerResult, Value};

use super::Request;

/// A value that is resolved, with all that is nested in it, in the context of `request` instead of the subscription's.
pub struct Fresh<T> {
    /// The value.
    pub value: T,
    /// What its resolvers find.
    pub request: Request,
}

impl<T: OutputType> OutputType for Fresh<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn qualified_type_name() -> String {
        T::qualified_type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.value.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(
        &self,
        context: &ContextSelectionSet<'_>,
        field: &Positioned<Field>,
    ) -> ServerResult<Value> {
        let mut data = Data::default();
        data.insert(self.request.clone());
        let mut context: ContextSelectionSet<'_> = context.clone();
        context.execute_data = Some(&data);
        self.value.resolve(&context, field).await
    }
}
