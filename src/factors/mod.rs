//! Second factors: what a user shows beside a password, or, with a passkey, in its place; and the codes for who has lost them.
//!
//! Invariants: a factor counts once its user has shown that it has it; a code, and a challenge, is good once, also for two who send it at
//! the same time; a secret is stored sealed and shown once, a recovery code as its SHA-256; a passkey is one user's; handing out a
//! challenge writes nothing; no session begins without a factor of a user who has one, by
//! whichever way ([`crate::sessions::ops::begin`] asks [`ops::admit`]); who must have one and has none may do nothing but set one up;
//! a user with a factor has recovery codes, and without one has none.

mod codes;
pub mod graphql;
pub mod model;
pub mod ops;
mod passkeys;
mod store;
mod totp;
