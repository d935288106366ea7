//! The operations on second factors.

mod confirm;
mod confirm_passkey;
mod enrol;
mod enrol_passkey;
mod passkey;
mod prove;
mod purge;
mod read;
mod recovery;
mod remove;
mod second;
mod standing;
mod update;

pub use confirm::confirm_totp;
pub use confirm_passkey::confirm_passkey;
pub use enrol::enrol_totp;
pub use enrol_passkey::enrol_passkey;
pub use passkey::{challenge, passkeys_at, wrong as wrong_passkey};
pub use purge::purge;
pub use read::{by_ids, may_read, of_users, recovery_codes_of};
pub use recovery::regenerate;
pub use remove::remove;
pub(in crate::factors) use second::purpose;
pub use second::{Second, admit, by_passkey, second};
pub use standing::{required, standing};
pub use update::rename;

use uuid::Uuid;

use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Code, Error};

/// Factors of a user at most.
pub const MAX_FACTORS: usize = 20;
/// Characters of a factor's name at most.
pub const MAX_NAME: usize = 100;

/// The error of a factor that is not there or may not be seen.
pub(crate) fn absent(field: &str, id: Uuid) -> Error {
    let id = Id::new(Kind::SecondFactor, id).to_string();
    Error::not_found(
        field,
        format!(
            "There is no second factor {}, or you may not see it.",
            quoted(&id)
        ),
    )
}

/// The error of who has a second factor and has shown nothing of it.
fn needed() -> Error {
    Error::new(
        Code::SecondFactorRequired,
        "This user has a second factor. Beside the rest, send in input.otp the six digits that its app shows, or a recovery code; or in input.passkey what its passkey has signed.",
    )
    .at(second::OTP)
}

/// The one answer to a code that is not good, whatever the reason.
fn wrong(field: &str) -> Error {
    Error::new(
        Code::Unauthenticated,
        format!(
            "The code in {field} is not good: it is another one now, or it was used. Each is good once; wait for the app to show the next."
        ),
    )
    .at(field)
}
