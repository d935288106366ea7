//! Inputs of the mutation on the policy.

use async_graphql::{InputObject, MaybeUndefined};
use chrono::TimeDelta;

use super::types::ApiKeyField;
use crate::error::Result;
use crate::graphql::input::change;
use crate::policy::model::PolicyChanges;
use crate::teams::graphql::TeamRole;
use crate::users::graphql::{InstanceRole, MembershipInput, memberships};

/// The policy as it is to be: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdatePolicyInput {
    /// What new users are where nothing else is said.
    user_defaults: MaybeUndefined<UserDefaultsInput>,
    /// What binds keys that others than administrators make or change.
    api_keys: MaybeUndefined<ApiKeyRulesInput>,
    /// What binds who signs in.
    sign_in: MaybeUndefined<SignInRulesInput>,
}

/// What binds who signs in: what is absent stays, null clears.
#[derive(InputObject)]
pub struct SignInRulesInput {
    /// Whose instance role demands a second factor: exactly these afterwards. It holds at once, also for sessions that there are.
    second_factor_roles: MaybeUndefined<Vec<InstanceRole>>,
}

/// What new users are where nothing else is said: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UserDefaultsInput {
    /// What they are to the instance: `MEMBER`, which is what null leaves, or `VIEWER`.
    role: MaybeUndefined<InstanceRole>,
    /// Exactly these teams afterwards, at most 100.
    memberships: MaybeUndefined<Vec<MembershipInput>>,
}

/// What binds keys: what is absent stays, null clears.
#[derive(InputObject)]
pub struct ApiKeyRulesInput {
    /// Whose instance role lets it make keys that belong to no team; an empty list: nobody but administrators of the instance.
    personal_key_makers: MaybeUndefined<Vec<InstanceRole>>,
    /// Whose role in a team lets it make the team's keys; an empty list: nobody but administrators of the instance.
    team_key_makers: MaybeUndefined<Vec<TeamRole>>,
    /// What every key must have: exactly these afterwards.
    required_fields: MaybeUndefined<Vec<ApiKeyField>>,
    /// The longest that a secret may live, in seconds, at least 1.
    max_lifetime_seconds: MaybeUndefined<i32>,
    /// Keys of one owner at most, those for teams among them, whatever their status.
    max_per_user: MaybeUndefined<i32>,
}

impl UpdatePolicyInput {
    /// The changes as the operation takes them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an id that is not a team's.
    pub fn read(self) -> Result<PolicyChanges> {
        let mut changes = PolicyChanges::default();
        match self.user_defaults {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => {
                changes.user_role = Some(None);
                changes.teams = Some(Vec::new());
            }
            MaybeUndefined::Value(input) => {
                changes.user_role = change(input.role).map(|role| role.map(Into::into));
                let list = change(input.memberships).map(Option::unwrap_or_default);
                let read = |list| memberships("input.userDefaults.memberships", list);
                changes.teams = list.map(read).transpose()?;
            }
        }
        match self.sign_in {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => changes.second_factor_roles = Some(Vec::new()),
            MaybeUndefined::Value(input) => {
                let roles = change(input.second_factor_roles).map(Option::unwrap_or_default);
                changes.second_factor_roles = roles.map(all);
            }
        }
        match self.api_keys {
            MaybeUndefined::Undefined => {}
            MaybeUndefined::Null => {
                changes.personal_makers = Some(None);
                changes.team_makers = Some(None);
                changes.required = Some(Vec::new());
                changes.max_lifetime = Some(None);
                changes.max_per_user = Some(None);
            }
            MaybeUndefined::Value(input) => {
                changes.personal_makers =
                    change(input.personal_key_makers).map(|list| list.map(all));
                changes.team_makers = change(input.team_key_makers).map(|list| list.map(all));
                let required = change(input.required_fields).map(Option::unwrap_or_default);
                changes.required = required.map(all);
                let lifetime = change(input.max_lifetime_seconds);
                changes.max_lifetime =
                    lifetime.map(|life| life.map(|life| TimeDelta::seconds(i64::from(life))));
                changes.max_per_user = change(input.max_per_user).map(|most| most.map(i64::from));
            }
        }
        Ok(changes)
    }
}

fn all<T: Into<U>, U>(list: Vec<T>) -> Vec<U> {
    list.into_iter().map(Into::into).collect()
}
