//! A key that is being made: alone, or with its owner.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::own::{self, Own};
use super::rules::{self, Wanted};
use super::{WRITE, paths};
use crate::api_keys::model::{ApiKey, NewApiKey};
use crate::api_keys::store;
use crate::audit::model::Change;
use crate::ctx::Ctx;
use crate::db::ids::{Kind, quoted};
use crate::db::{Connection, Tx};
use crate::error::{Error, Result};
use crate::limits::ops::{self as limits, Fresh};
use crate::limits::policy::LimitPolicy;
use crate::permissions::facts::Facts;
use crate::permissions::gains::Exempt;
use crate::permissions::ops::{access, of_keys};
use crate::policy::model::Policy;
use crate::policy::ops as policy;
use crate::secrets::Secret;
use crate::text;
use crate::{teams, users};

/// How often another secret is made when the owner has a key named after its beginning.
const TRIES: usize = 8;

/// What keys are judged by.
pub struct Policies {
    /// Limits of what is new, and their bounds.
    pub limits: Arc<LimitPolicy>,
    /// Who may make keys, and what they must have.
    pub policy: Arc<Policy>,
}

impl Policies {
    /// Those that hold now.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn present(ctx: &Ctx) -> Result<Self> {
        let (limits, policy) =
            futures_util::try_join!(limits::present_policy(ctx), policy::present(ctx))?;
        Ok(Policies { limits, policy })
    }
}

/// A new key on its way into the database.
pub struct Draft {
    key: ApiKey,
    secret: Secret,
    /// Whether somebody chose the name.
    named: bool,
    wanted: Vec<Wanted>,
    own: Own,
    limits: Fresh,
    /// The path of the input: `input` or `input.apiKey`.
    field: &'static str,
    policy: Arc<Policy>,
}

impl Draft {
    /// Checks what was given for a key of `owner` against the rules and the policies, and makes its secret.
    ///
    /// # Errors
    /// `BAD_USER_INPUT`, with fields that begin with `field`.
    pub fn new(
        ctx: &Ctx,
        policies: &Policies,
        field: &'static str,
        owner: Uuid,
        new: NewApiKey,
    ) -> Result<Self> {
        let at = |part: &str| format!("{field}.{part}");
        let now = ctx.now();
        let longest = policy::longest_lifetime(ctx, &policies.policy);
        let secret = Secret::generate_api_key(&ctx.random);
        let name = new
            .name
            .as_deref()
            .map(|name| text::line(&at("name"), name, 200))
            .transpose()?;
        let named = name.is_some();
        let restricted = new.permissions.is_some();
        let wanted = new.permissions.unwrap_or_default();
        let key = ApiKey {
            id: ctx.new_id(),
            owner_id: owner,
            team_id: new.team,
            name: name.unwrap_or_else(|| default_name(&secret.display_prefix())),
            description: text::optional_lines(
                &at("description"),
                new.description.as_deref(),
                2_000,
            )?,
            prefix: secret.display_prefix(),
            previous_secret_expires_at: None,
            enabled: true,
            disabled_reason: None,
            restricted,
            allowed_cidrs: rules::cidrs(&at("allowedCidrs"), &new.allowed_cidrs)?,
            expires_at: rules::lifetime(ctx, longest, &at("expiresAt"), new.expires_at)?,
            last_used_at: None,
            last_used_from: None,
            rotated_at: None,
            metadata: new.metadata.map_or(Ok(json!({})), |value| {
                text::metadata(&at("metadata"), value)
            })?,
            created_by: ctx.actor.user(),
            created_at: now,
            updated_at: now,
        };
        rules::complete(field, rules::missing(ctx, &policies.policy, None, &key))?;
        Ok(Draft {
            secret,
            named,
            wanted: rules::permissions(ctx, &at("permissions"), wanted)?,
            own: Vec::new(),
            limits: Fresh::of_key(ctx, &at("limits"), key.id, new.limits, &policies.limits)?,
            key,
            field,
            policy: policies.policy.clone(),
        })
    }

    /// Finds the roles of its permissions. Not within a transaction.
    ///
    /// # Errors
    /// As [`own::resolve`].
    pub async fn resolve(&mut self, ctx: &Ctx) -> Result<()> {
        let field = format!("{}.permissions", self.field);
        let wanted = std::mem::take(&mut self.wanted);
        self.own = own::resolve(ctx, &field, self.key.id, wanted).await?;
        Ok(())
    }

    /// Decides whether the actor may make it: with `apiKey.write` at the owner's path; for a team's key with `apiKey.write` at the
    /// team's, which is enough where the owner is a member. `owner` is what the owner holds; `exempt` is what goes with making
    /// the owner.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND` for a team that may not be seen; `BAD_USER_INPUT` for an owner who does not belong to the team.
    pub fn allow(
        &self,
        ctx: &Ctx,
        owner: &Facts,
        owner_is_service: bool,
        exempt: &[Exempt],
    ) -> Result<()> {
        access::authenticated(ctx)?;
        let mut paths = vec![access::object(Kind::User, self.key.owner_id)];
        if let Some(team) = self.key.team_id {
            let field = format!("{}.team", self.field);
            if !teams::ops::may_read(ctx, team) {
                return Err(teams::ops::absent(&field, team));
            }
            access::require(ctx, WRITE, &access::object(Kind::Team, team))?;
            let is_member = owner
                .teams()
                .iter()
                .any(|each| each.id == team && each.role_at(ctx.now()).is_some());
            if !is_member && !owner_is_service {
                return Err(Error::bad_input(
                    field,
                    "The owner of a team's key must be a member of the team, or a service account.",
                ));
            }
            if is_member {
                paths.push(access::object(Kind::Team, team));
            }
        }
        if !access::can_any(ctx, WRITE, &paths) {
            access::require(ctx, WRITE, &paths[0])?;
        }
        policy::may_make_key(ctx, &self.policy, self.key.team_id)?;
        let before = Facts::nobody(ctx.now());
        let after = own::facts(ctx, owner, &self.key, &self.own);
        own::may_give(ctx, &self.key, &before, &after, exempt)
    }

    /// Stores it, and says what the audit trail is to keep. A secret whose beginning is the name of another key of the owner is
    /// replaced by another one.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` for a name that is taken; `NOT_FOUND` when owner or team have just been deleted.
    pub async fn insert(&mut self, ctx: &Ctx, tx: &Connection) -> Result<Change> {
        for _ in 0..TRIES {
            let stored = store::insert(tx, &self.key, &self.secret.digest()).await;
            if stored.map_err(|failure| self.orphaned(failure))? {
                of_keys::replace(tx, &[], &self.own).await?;
                let snapshot = own::snapshot(&self.key, &self.own);
                let change = Change::created("apiKey.create", self.key.typed_id(), snapshot);
                return Ok(change.at(paths(&self.key)));
            }
            if self.named {
                break;
            }
            self.secret = Secret::generate_api_key(&ctx.random);
            self.key.prefix = self.secret.display_prefix();
            self.key.name = default_name(&self.key.prefix);
        }
        Err(taken(&format!("{}.name", self.field), &self.key.name))
    }

    /// Sees, once it is stored, that its owner has no more keys than the policy allows: one after the other, where several are made at once.
    ///
    /// # Errors
    /// `LIMIT_EXCEEDED`.
    pub async fn fits(&self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        let rules = policy::binding(ctx, &self.policy);
        let Some(most) = rules.and_then(|rules| rules.max_per_user) else {
            return Ok(());
        };
        if store::count_alone(tx, self.key.owner_id).await? > most {
            return Err(policy::too_many(self.field, most));
        }
        Ok(())
    }

    /// Stores its limits, if it has any, and says what the audit trail is to keep.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn limit(&self, ctx: &Ctx, tx: &mut Tx) -> Result<Option<Change>> {
        self.limits.put(ctx, tx, paths(&self.key)).await
    }

    /// The key and its secret, once stored.
    pub fn into_parts(self) -> (ApiKey, Secret) {
        (self.key, self.secret)
    }

    fn orphaned(&self, failure: crate::db::Failure) -> Error {
        let (owner, team) = (self.key.owner_id, self.key.team_id.unwrap_or_default());
        match failure {
            crate::db::Failure::ForeignKey(name) if name == "api_keys_team_id_fkey" => {
                teams::ops::absent(&format!("{}.team", self.field), team)
            }
            other => other.foreign_key("api_keys_owner_id_fkey", || {
                users::ops::absent(&format!("{}.owner", self.field), owner)
            }),
        }
    }
}

/// The prefix without the sign that something follows.
fn default_name(prefix: &str) -> String {
    prefix.trim_end_matches('…').to_owned()
}

/// The error of a name that another key of the owner has.
pub(super) fn taken(field: &str, name: &str) -> Error {
    Error::already_exists(
        field,
        format!(
            "The owner has an API key named {} already. Choose another name.",
            quoted(name)
        ),
    )
}
