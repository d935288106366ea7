//! The schema that the client was built against, as far as it concerns who may do what.

use async_graphql::{EmptySubscription, MergedObject, Schema, ValidationMode};

use super::entities::EntityQueries;
use super::keys::KeyMutations;
use super::organizations::OrganizationQueries;
use super::registries::{MemberMutations, ProjectQueries, RegistryMutations};
use super::server_info::ServerQueries;
use super::teams::TeamMutations;
use super::users::{UserMutations, UserQueries};

/// What can be asked.
#[derive(MergedObject, Default)]
pub struct Query(
    UserQueries,
    EntityQueries,
    OrganizationQueries,
    ProjectQueries,
    ServerQueries,
);

/// What can be changed.
#[derive(MergedObject, Default)]
pub struct Mutation(
    UserMutations,
    KeyMutations,
    TeamMutations,
    RegistryMutations,
    MemberMutations,
);

/// The schema's type.
pub type WandbSchema = Schema<Query, Mutation, EmptySubscription>;

/// The engine's own limit on nesting; the guard's, at most 200, is reached before.
const RECURSION: usize = 400;

/// Builds it. Documents come validated.
pub fn build() -> WandbSchema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .disable_suggestions()
        .validation_mode(ValidationMode::Fast)
        .limit_recursive_depth(RECURSION)
        .finish()
}
