//! The rules that operations need, and what the policy for new users and for keys is until somebody changes it.

use super::{Config, long};
use crate::ctx;
use crate::limits::model::Terms;
use crate::magic_links;
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
            magic_links: magic_links::model::Settings {
                enabled: self.magic_links,
                domains: self.link_domains(),
                new_users: self.magic_link_new_users,
            },
            webhooks: self.webhooks(),
        }
    }

    /// The domains to which links are sent, as they are compared.
    fn link_domains(&self) -> Vec<String> {
        let domains = self.magic_link_domains.iter();
        domains.map(|domain| domain.trim().to_lowercase()).collect()
    }

    /// What is wrong with the settings of magic links: each with its name.
    pub(super) fn link_problems(&self) -> Vec<(&'static str, String)> {
        const DOMAINS: &str = "magic_link_domains";
        let mut found = Vec::new();
        for domain in self.link_domains() {
            if crate::text::email(DOMAINS, &format!("a@{domain}")).is_err() {
                found.push((
                    DOMAINS,
                    format!("has `{domain}`, which is no domain; write it as example.com"),
                ));
            }
        }
        if self.magic_link_new_users && self.magic_link_domains.is_empty() {
            let why = "is true, and magic_link_domains is empty: everybody who has an address could come in";
            found.push(("magic_link_new_users", why.to_owned()));
        }
        found
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
