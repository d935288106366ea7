//! Who may do what where: the heart of Keystead.
//!
//! [`check::check`] answers the one question, *may this principal do that there?*, from [`facts::Facts`] alone. No other code decides
//! access. The rule:
//!
//! 1. Walk from `/` down to the path. At each node collect the permissions that apply: all of them on the path itself, else only those
//!    with `propagate`. Expired ones never apply.
//! 2. At one node a user's own permissions count; only if there is none, the union of those of its teams (a team's ancestors count as
//!    the team's own). A disabled team gives nothing, and nothing of its ancestors comes through it.
//! 3. What a node yields, if anything, replaces what came from above; an empty node leaves it.
//! 4. If the final set contains `NO_ACCESS`, nothing else counts. Otherwise: the union of the roles' privileges.
//! 5. A key without its own permissions answers as its owner. A restricted key: its own permissions by the same walk, and then only
//!    what the owner holds there too.
//! 6. The decision names the permissions that decided.
//!
//! An enabled administrator of the instance holds everything, before any walk (through a restricted key: what the key's walk yields).
//! Rights that come with another status are permissions that [`facts::Facts::new`] derives: of an auditor at `/`, of a user over
//! itself, of a team's member over the team. They apply at their path and below it, take no part in the walk, and add to the set that
//! it ends with: they hide nothing, nothing hides them, but `NO_ACCESS` in that set wins over them too. Whoever is disabled or has
//! expired holds nothing.
//!
//! Whoever gives rights must hold them: [`gains`] is the one place that decides it.

pub mod check;
pub mod effective;
pub mod explain;
pub mod facts;
pub mod gains;
pub mod graphql;
pub mod model;
pub mod ops;
pub mod path;
pub mod privilege;
pub mod role;
mod store;
pub mod visible;
