//! Numbers for clients that insist on them: an id of Keystead's is one already, of 128 bits, and is told as such. So nothing has to be
//! kept to find one again. Clients in Python and others that read whole numbers of any length take it.

use std::num::NonZeroU128;

use uuid::Uuid;

/// The number of an id.
pub fn of(id: Uuid) -> u128 {
    id.as_u128()
}

/// The id with that number, as it is written in decimal digits; `None` for what is none: no id is 0.
pub fn read(digits: &str) -> Option<Uuid> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let number: NonZeroU128 = digits.parse().ok().filter(|_| plain)?;
    Some(Uuid::from_u128(number.get()))
}
