//! A user that is being made: by somebody, by an invitation, by a link.

use std::collections::HashSet;

use serde_json::json;

use super::taken;
use crate::audit::model::Change;
use crate::authn::password;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::limits::ops::Fresh;
use crate::limits::policy::LimitPolicy;
use crate::permissions::facts::{Facts, Given, UserFacts};
use crate::permissions::gains::Exempt;
use crate::permissions::model::{InstanceRole, Principal};
use crate::permissions::ops::access;
use crate::permissions::ops::facts::of_principal;
use crate::policy::model::Policy;
use crate::secrets::Secret;
use crate::teams::model::NewMembership;
use crate::teams::ops::members;
use crate::text;
use crate::users::model::{NewUser, User};
use crate::users::store;

/// How many teams a user can belong to from the beginning.
pub const MAX_FIRST_TEAMS: usize = 100;

/// A new user on its way into the database.
pub struct Newcomer {
    /// The row.
    pub user: User,
    memberships: Vec<NewMembership>,
    /// Whether somebody has said which teams.
    says_teams: bool,
    limits: Fresh,
    password: Option<Secret>,
}

impl Newcomer {
    /// Checks what was given against the rules; what was not given is as the policies say.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` naming the field.
    pub fn new(ctx: &Ctx, policy: &Policy, limits: &LimitPolicy, new: NewUser) -> Result<Self> {
        let says_teams = new.memberships.is_some();
        let memberships = match &new.memberships {
            Some(memberships) => distinct("input.memberships", memberships)?,
            None => policy.teams.clone(),
        };
        let given = new.limits.clone();
        let (user, password) = validate(ctx, new, policy.user_role)?;
        Ok(Newcomer {
            limits: Fresh::of_user(ctx, "input.limits", user.id, given, limits)?,
            user,
            memberships,
            says_teams,
            password,
        })
    }

    /// Decides whether the actor may give it its role, and make it a member of its teams. What it holds through them is measured once it
    /// is there.
    ///
    /// # Errors
    /// `FORBIDDEN`; `NOT_FOUND` for a team that may not be seen.
    pub fn allow(&self, ctx: &Ctx) -> Result<()> {
        members::may_enrol(ctx, &self.memberships).map_err(|error| match self.says_teams {
            true => error,
            false => Error::forbidden(
                "By the policy new users belong to teams to which you may not add anybody. Say in input.memberships to which it belongs; \
                 an empty list is to none.",
            ),
        })?;
        access::may_give(
            ctx,
            &Facts::nobody(ctx.now()),
            &self.facts(ctx)?,
            &Principal::User(self.user.id),
            &[Exempt::over_itself(self.user.id)],
        )
    }

    /// Hashes its password, if it has one. Takes tenths of a second: not within a transaction.
    ///
    /// # Errors
    /// As [`password::hash`].
    pub async fn hash(&mut self, ctx: &Ctx) -> Result<()> {
        if let Some(secret) = self.password.take() {
            let hash = password::hash(secret, ctx.policy.password_cost).await?;
            self.user.password_hash = Some(hash);
            self.user.password_changed_at = Some(self.user.created_at);
        }
        Ok(())
    }

    /// Stores it with its teams and its limits, and says what the audit trail is to keep. `ctx` is of whoever answers for it.
    ///
    /// # Errors
    /// `ALREADY_EXISTS` for a name or address that is taken; `NOT_FOUND` for a team; `FORBIDDEN` if its teams give rights that the actor
    /// lacks.
    pub async fn insert(&self, ctx: &Ctx, tx: &mut Tx) -> Result<Vec<Change>> {
        let user = &self.user;
        store::insert(tx, user)
            .await
            .map_err(|failure| taken(failure, user))?;
        let joined = members::enrol(ctx, tx, user.id, &self.memberships).await?;
        if !joined.is_empty() {
            self.give_only_what_is_held(ctx, tx).await?;
        }
        let created = Change::created("user.create", user.typed_id(), user.snapshot());
        let mut changes = vec![created];
        changes.extend(self.limits.put(ctx, tx, vec![super::path(user.id)]).await?);
        changes.extend(joined);
        Ok(changes)
    }

    /// What it holds, once it is stored.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE`.
    pub async fn held(&self, ctx: &Ctx, tx: &mut Tx) -> Result<Facts> {
        if self.memberships.is_empty() {
            return self.facts(ctx);
        }
        of_principal(tx, ctx.now(), Principal::User(self.user.id))
            .await?
            .ok_or_else(|| Error::internal("a user that was just made has no facts"))
    }

    /// What it will hold by its status alone.
    fn facts(&self, ctx: &Ctx) -> Result<Facts> {
        let user = &self.user;
        let role = user
            .role
            .parse()
            .map_err(|_| Error::internal("a user with an unknown role"))?;
        let user = UserFacts {
            id: user.id,
            role,
            // Rights that wait behind a switch are handed out as well.
            enabled: true,
            expires_at: user.expires_at,
            created_at: user.created_at,
        };
        let given = Given {
            user: Some(user),
            ..Given::default()
        };
        Ok(Facts::new(ctx.now(), given))
    }

    /// Measures what it holds with its teams, which this transaction sees.
    async fn give_only_what_is_held(&self, ctx: &Ctx, tx: &mut Tx) -> Result<()> {
        if access::holds_everything(ctx) {
            return Ok(());
        }
        let id = self.user.id;
        let mut given = self.held(ctx, tx).await?.given().clone();
        // Rights that wait behind a switch are handed out as well.
        given.user = given.user.map(|user| UserFacts {
            enabled: true,
            ..user
        });
        access::may_give(
            ctx,
            &Facts::nobody(ctx.now()),
            &Facts::new(ctx.now(), given),
            &Principal::User(id),
            &[Exempt::over_itself(id)],
        )
    }
}

fn validate(ctx: &Ctx, new: NewUser, default: InstanceRole) -> Result<(User, Option<Secret>)> {
    let now = ctx.now();
    if new.expires_at.is_some_and(|end| end <= now) {
        return Err(Error::bad_input(
            "input.expiresAt",
            "input.expiresAt lies in the past. Give a moment to come, or none.",
        ));
    }
    let secret = new.password.map(Secret::new);
    let user = User {
        id: ctx.new_id(),
        username: text::identifier("input.username", &new.username, "._-@+")?,
        email: new
            .email
            .map(|email| text::email("input.email", &email))
            .transpose()?,
        name: text::optional_line("input.name", new.name.as_deref(), 200)?,
        given_name: text::optional_line("input.givenName", new.given_name.as_deref(), 200)?,
        family_name: text::optional_line("input.familyName", new.family_name.as_deref(), 200)?,
        kind: new.kind.as_str().into(),
        role: new.role.unwrap_or(default).as_str().into(),
        enabled: new.enabled,
        expires_at: new.expires_at,
        comment: text::optional_lines("input.comment", new.comment.as_deref(), 2_000)?,
        metadata: new.metadata.map_or(Ok(json!({})), |value| {
            text::metadata("input.metadata", value)
        })?,
        password_hash: None,
        must_change_password: false,
        password_changed_at: None,
        created_at: now,
        updated_at: now,
        last_used_at: None,
    };
    if let Some(secret) = &secret {
        super::check_password(ctx, "input.password", secret, &user)?;
    }
    Ok((user, secret))
}

/// The teams, each named once.
///
/// # Errors
/// `BAD_USER_INPUT` for one that is named twice, or for too many.
pub fn distinct(field: &str, memberships: &[NewMembership]) -> Result<Vec<NewMembership>> {
    if memberships.len() > MAX_FIRST_TEAMS {
        let message = format!(
            "{field} has {} entries. A user is made with at most {MAX_FIRST_TEAMS}; add it to the other teams afterwards.",
            memberships.len()
        );
        return Err(Error::bad_input(field, message));
    }
    let mut seen = HashSet::with_capacity(memberships.len());
    match memberships.iter().position(|each| !seen.insert(each.team)) {
        Some(twice) => {
            let id = Id::new(Kind::Team, memberships[twice].team).to_string();
            let message = format!("{field} names {} twice. Name each team once.", quoted(&id));
            Err(Error::bad_input(format!("{field}.{twice}.team"), message))
        }
        None => Ok(memberships.to_vec()),
    }
}
