//! Scalars of the client's that are not GraphQL's.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// JSON, written in a string.
#[derive(Debug, Clone)]
pub struct JsonString(pub String);

/// JSON, written in a string: `"{}"`.
#[Scalar(name = "JSONString")]
impl ScalarType for JsonString {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(text) => Ok(JsonString(text)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}
