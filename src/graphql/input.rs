//! Reading inputs: the difference between absent and null, and the direction of an order.

use async_graphql::{Enum, InputType, MaybeUndefined};

use crate::error::{Error, Result};

/// The direction of an order.
#[derive(Enum, Copy, Clone, Eq, PartialEq, Default)]
pub enum OrderDirection {
    /// Smallest, or oldest, first.
    #[default]
    Asc,
    /// Greatest, or newest, first.
    Desc,
}

/// An optional field of an update: absent keeps (`None`), null clears (`Some(None)`).
pub fn change<T: InputType>(value: MaybeUndefined<T>) -> Option<Option<T>> {
    match value {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}

/// A field of an update that cannot be cleared: absent keeps, null is an error.
///
/// # Errors
/// `BAD_USER_INPUT` for null.
pub fn change_required<T: InputType>(field: &str, value: MaybeUndefined<T>) -> Result<Option<T>> {
    match value {
        MaybeUndefined::Undefined => Ok(None),
        MaybeUndefined::Value(value) => Ok(Some(value)),
        MaybeUndefined::Null => Err(Error::bad_input(
            field,
            format!("{field} cannot be null. Leave it out to keep what is there."),
        )),
    }
}
