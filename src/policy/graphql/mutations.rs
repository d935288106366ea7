//! The mutation on the policy.

use async_graphql::{Context, Object, SimpleObject};

use super::inputs::UpdatePolicyInput;
use super::types::Policy;
use crate::error::Result;
use crate::graphql::request;
use crate::policy::ops;

/// What `updatePolicy` answers.
#[derive(SimpleObject)]
pub struct UpdatePolicyPayload {
    /// The policy as it is now.
    policy: Policy,
    /// Whether anything was changed.
    changed: bool,
}

/// The mutation on the policy.
#[derive(Default)]
pub struct PolicyMutations;

#[Object]
impl PolicyMutations {
    /// Says what new users are where nothing else is said, who may make keys, and what keys must have that others than administrators
    /// make or change: what is absent stays, null clears, and lists are exactly those given. What exists already stays as it is until it
    /// is changed. Declarative: doing it again changes nothing. For administrators of the instance.
    async fn update_policy(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What the policy is to be.")] input: UpdatePolicyInput,
    ) -> Result<UpdatePolicyPayload> {
        let (policy, changed) = ops::update(&request(context).ctx, input.read()?).await?;
        Ok(UpdatePolicyPayload {
            policy: Policy::of(&policy),
            changed,
        })
    }
}
