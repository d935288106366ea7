//! The schema: the one place that knows every domain's queries and mutations.

use async_graphql::{MergedObject, Schema, ValidationMode};

use super::connection::Described;
use super::federation::{Federated, FederationQueries};
use super::node::NodeQueries;
use super::server_info::ServerQueries;
use crate::access_requests::graphql::{AccessRequestMutations, AccessRequestQueries};
use crate::api_keys::graphql::{ApiKeyMutations, ApiKeyQueries};
use crate::audit::graphql::{AuditQueries, AuditSubscription};
use crate::authn::graphql::ViewerQueries;
use crate::factors::graphql::FactorMutations;
use crate::factors::graphql::FactorQueries;
use crate::invitations::graphql::{InvitationMutations, InvitationQueries};
use crate::limits::graphql::{LimitMutations, LimitPolicyMutations, LimitQueries};
use crate::magic_links::graphql::MagicLinkMutations;
use crate::permissions::graphql::{PermissionMutations, PermissionQueries};
use crate::policy::graphql::{PolicyMutations, PolicyQueries};
use crate::sessions::graphql::SessionMutations;
use crate::teams::graphql::{TeamMutations, TeamQueries};
use crate::usage::graphql::{UsageMutations, UsageQueries};
use crate::users::graphql::{UserMutations, UserQueries};
use crate::webhooks::graphql::{WebhookMutations, WebhookQueries};

/// The queries of every domain.
#[derive(MergedObject, Default)]
#[graphql(name = "Queries")]
pub struct Query(
    ServerQueries,
    ViewerQueries,
    NodeQueries,
    UserQueries,
    TeamQueries,
    PermissionQueries,
    AuditQueries,
    ApiKeyQueries,
    LimitQueries,
    UsageQueries,
    PolicyQueries,
    WebhookQueries,
    InvitationQueries,
    FactorQueries,
    AccessRequestQueries,
);

/// What can be changed. Every mutation takes one `input` and is atomic.
#[derive(MergedObject, Default)]
pub struct Mutation(
    UserMutations,
    TeamMutations,
    ApiKeyMutations,
    PermissionMutations,
    LimitMutations,
    LimitPolicyMutations,
    UsageMutations,
    PolicyMutations,
    InvitationMutations,
    AccessRequestMutations,
    SessionMutations,
    FactorMutations,
    MagicLinkMutations,
    WebhookMutations,
);

/// What can be asked.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Alone(Query);

/// What can be asked.
#[derive(MergedObject, Default)]
#[graphql(name = "Query")]
pub struct Root(Query, FederationQueries);

/// What can be followed.
type Subscription = Described<AuditSubscription>;

/// The schema's type.
pub type KeysteadSchema = Schema<Root, Mutation, Subscription>;

/// The engine's own limit on nesting; the guard's, at most 200, is reached before.
const RECURSION: usize = 400;

/// Builds the schema. Documents come validated: the engine only looks for what it needs itself. Limits are the guard's: async-graphql's own are not needed and not all of them hold.
pub fn build(federated: bool) -> KeysteadSchema {
    Schema::build(
        Root::default(),
        Mutation::default(),
        Subscription::default(),
    )
    .data(Federated(federated))
    .disable_suggestions()
    .validation_mode(ValidationMode::Fast)
    .limit_recursive_depth(RECURSION)
    .finish()
}

/// The schema as text, as it is committed in `schema.graphql`.
pub fn sdl() -> String {
    let schema = Schema::new(
        Alone::default(),
        Mutation::default(),
        Subscription::default(),
    );
    let mut text = schema.sdl();
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// The schema that documents are checked against: as a subgraph, it has a subgraph's queries too.
pub fn accepted(federated: bool) -> String {
    if federated { build(true).sdl() } else { sdl() }
}
