//! The rules that operations need, and what the policy for new users and for keys is until somebody changes it.

use super::{Config, long};
use crate::ctx;
use crate::limits::model::Terms;
use crate::policy::model::{KeyRules, Policy, once};
use crate::sessions;
use std::time::Duration;

impl Config {
    /// The part that operations need.
    #[must_use]
    pub fn policy(&self) -> ctx::Policy {
        let retention = self.usage_retention.get();
        ctx::Policy {
            password_cost: self.password_cost,
            password_min_length: self.password_min_length,
            first: self.first_policy(),
            reservations: Terms {
                lifetime: chrono::TimeDelta::from_std(self.reservation_lifetime.get())
                    .unwrap_or(chrono::TimeDelta::MAX),
                charging: !self.release_unsettled,
            },
            usage_retention: (retention > Duration::ZERO)
                .then(|| chrono::TimeDelta::from_std(retention).unwrap_or(chrono::TimeDelta::MAX)),
            sessions: sessions::model::Terms {
                idle: long(self.session_idle_timeout),
                lifetime: long(self.session_lifetime),
            },
            public_url: self.public_url(),
            webhooks: self.webhooks(),
        }
    }

    /// What the policy for new users and for keys is until somebody changes it.
    pub(super) fn first_policy(&self) -> Policy {
        let lifetime = self.key_max_lifetime.get();
        Policy {
            user_role: self.default_role,
            teams: Vec::new(),
            keys: KeyRules {
                personal_makers: some(&self.personal_key_makers),
                team_makers: some(&self.team_key_makers),
                required: once(self.key_required_fields.clone()),
                max_lifetime: (lifetime > Duration::ZERO).then(|| {
                    chrono::TimeDelta::from_std(lifetime).unwrap_or(chrono::TimeDelta::MAX)
                }),
                max_per_user: Some(i64::from(self.max_keys_per_user)).filter(|most| *most > 0),
            },
            second_factor_roles: once(self.second_factor_roles.clone()),
        }
    }
}

/// A list that says something, each element once.
fn some<T: Ord + Clone>(list: &[T]) -> Option<Vec<T>> {
    Some(once(list.to_vec())).filter(|list| !list.is_empty())
}
