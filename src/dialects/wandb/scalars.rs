//! Scalars of the client's that are not GraphQL's.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};

/// JSON, written in a string; in the one place where older clients want it so, as it is.
#[derive(Debug, Clone)]
pub struct JsonString(Value);

/// JSON, written in a string: `"{}"`. `cliVersionInfo` is an object.
#[Scalar(name = "JSONString")]
impl ScalarType for JsonString {
    fn parse(value: Value) -> InputValueResult<Self> {
        match value {
            Value::String(_) => Ok(JsonString(value)),
            other => Err(InputValueError::expected_type(other)),
        }
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

impl JsonString {
    /// An object without members, in a string.
    pub fn empty() -> Self {
        JsonString(Value::String("{}".into()))
    }

    /// JSON as it is.
    pub fn open(value: Value) -> Self {
        JsonString(value)
    }

    /// What was sent.
    pub fn text(&self) -> &str {
        match &self.0 {
            Value::String(text) => text,
            _ => "",
        }
    }
}
