//! The type `Policy`, and the query.

use async_graphql::{ComplexObject, Context, Enum, Object, SimpleObject};
use uuid::Uuid;

use crate::error::Result;
use crate::graphql::request;
use crate::policy::{model, ops};
use crate::teams::graphql::{Team, TeamRole};
use crate::teams::model::NewMembership;
use crate::users::graphql::InstanceRole;

/// What holds for new users and for keys.
#[derive(SimpleObject)]
pub struct Policy {
    /// What new users are where nothing else is said.
    user_defaults: UserDefaults,
    /// What binds keys that others than administrators make or change.
    api_keys: ApiKeyRules,
    /// What binds who signs in.
    sign_in: SignInRules,
}

/// What binds who signs in.
#[derive(SimpleObject)]
pub struct SignInRules {
    /// Whose instance role demands a second factor. Who has none may do nothing but set one up, and cannot use Basic authentication with a
    /// password. API keys are not touched.
    second_factor_roles: Vec<InstanceRole>,
}

/// What new users are where nothing else is said.
#[derive(SimpleObject)]
pub struct UserDefaults {
    /// What they are to the instance.
    role: InstanceRole,
    /// The teams to which they belong.
    memberships: Vec<DefaultMembership>,
}

/// A team to which new users belong.
#[derive(SimpleObject)]
#[graphql(complex)]
pub struct DefaultMembership {
    #[graphql(skip)]
    team_id: Uuid,
    /// What they are to the team.
    role: TeamRole,
}

/// A team to which new users belong.
#[ComplexObject]
impl DefaultMembership {
    /// The team, if you may see it.
    async fn team(&self, context: &Context<'_>) -> Option<Result<Team>> {
        Team::seen(request(context), self.team_id).await.transpose()
    }
}

/// What binds keys that others than administrators make or change.
#[derive(SimpleObject)]
pub struct ApiKeyRules {
    /// Whose instance role lets it make keys that belong to no team; null: whoever holds `apiKey.write`.
    personal_key_makers: Option<Vec<InstanceRole>>,
    /// Whose role in a team lets it make the team's keys; null: whoever holds `apiKey.write`.
    team_key_makers: Option<Vec<TeamRole>>,
    /// What every key must have.
    required_fields: Vec<ApiKeyField>,
    /// The longest that a secret may live, in seconds; null: for ever.
    max_lifetime_seconds: Option<i64>,
    /// Keys of one owner at most, those for teams among them, whatever their status; null: any number.
    max_per_user: Option<i64>,
}

/// Something that a key can have.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "model::KeyField")]
pub enum ApiKeyField {
    /// What it is for.
    Description,
    /// An end.
    ExpiresAt,
    /// The addresses that it can be used from.
    AllowedCidrs,
    /// Permissions of its own: it is restricted.
    Permissions,
}

/// The query on the policy.
#[derive(Default)]
pub struct PolicyQueries;

#[Object]
impl PolicyQueries {
    /// What holds for new users and for keys. Needs `policy.read` at `/`; the rules for keys are in `serverInfo` too, for everybody.
    async fn policy(&self, context: &Context<'_>) -> Option<Result<Policy>> {
        let found = ops::policy(&request(context).ctx).await;
        Some(found.map(|policy| Policy::of(&policy)))
    }
}

impl Policy {
    /// The policy as it is told.
    pub(super) fn of(policy: &model::Policy) -> Self {
        let membership = |each: &NewMembership| DefaultMembership {
            team_id: each.team,
            role: each.role.into(),
        };
        Policy {
            user_defaults: UserDefaults {
                role: policy.user_role.into(),
                memberships: policy.teams.iter().map(membership).collect(),
            },
            api_keys: ApiKeyRules::of(&policy.keys),
            sign_in: SignInRules {
                second_factor_roles: told(&policy.second_factor_roles),
            },
        }
    }
}

impl ApiKeyRules {
    /// The rules as they are told.
    pub fn of(rules: &model::KeyRules) -> Self {
        ApiKeyRules {
            personal_key_makers: rules.personal_makers.as_deref().map(told),
            team_key_makers: rules.team_makers.as_deref().map(told),
            required_fields: told(&rules.required),
            max_lifetime_seconds: rules.max_lifetime.map(|life| life.num_seconds()),
            max_per_user: rules.max_per_user,
        }
    }
}

fn told<T: Copy, U: From<T>>(list: &[T]) -> Vec<U> {
    list.iter().copied().map(U::from).collect()
}
