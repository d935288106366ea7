//! Making a user.

use std::collections::HashSet;

use serde_json::json;
use uuid::Uuid;

use super::{WRITE, taken};
use crate::api_keys::model::{ApiKey, NewApiKey};
use crate::api_keys::ops::{Draft, Policies};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::authn::password;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::limits::model::LimitsChanges;
use crate::limits::ops::Fresh;
use crate::permissions::facts::{Facts, Given, UserFacts};
use crate::permissions::gains::Exempt;
use crate::permissions::model::{InstanceRole, Principal};
use crate::permissions::ops::access;
use crate::permissions::ops::facts::of_principal;
use crate::secrets::Secret;
use crate::teams::model::NewMembership;
use crate::teams::ops::members;
use crate::text;
use crate::users::model::{NewUser, User, UserKind};
use crate::users::store;

/// How many teams a user can belong to from the beginning.
pub const MAX_FIRST_TEAMS: usize = 100;

/// Makes a user.
///
/// # Errors
/// `FORBIDDEN` without `user.write` at `/users` and `team.write` at its teams, or if its role or its teams give rights that the actor
/// lacks; `BAD_USER_INPUT`; `NOT_FOUND` for a team; `ALREADY_EXISTS` for a name or address that is taken.
pub async fn create(ctx: &Ctx, new: NewUser) -> Result<User> {
    Ok(create_with_key(ctx, new, None).await?.0)
}

/// Makes a user and, if there is one to be made, its first key: both or neither.
///
/// # Errors
/// As [`create`]; for the key as [`crate::api_keys::ops::generate`].
pub async fn create_with_key(
    ctx: &Ctx,
    new: NewUser,
    key: Option<NewApiKey>,
) -> Result<(User, Option<(ApiKey, Secret)>)> {
    let policies = Policies::present(ctx).await?;
    let defaults = &policies.policy;
    let memberships = match &new.memberships {
        Some(memberships) => distinct(memberships)?,
        None => defaults.teams.clone(),
    };
    let says_teams = new.memberships.is_some();
    let given = new.limits.clone();
    let (mut user, secret) = validate(ctx, new, defaults.user_role)?;
    let limits = Fresh::of_user(ctx, "input.limits", user.id, given, &policies.limits)?;
    let mut key = key
        .map(|key| Draft::new(ctx, &policies, "input.apiKey", user.id, key))
        .transpose()?;

    access::require(ctx, WRITE, &access::collection(Kind::User))?;
    members::may_enrol(ctx, &memberships).map_err(|error| match says_teams {
        true => error,
        false => Error::forbidden(
            "By the policy new users belong to teams to which you may not add anybody. Say in input.memberships to which it belongs; \
             an empty list is to none.",
        ),
    })?;
    access::may_give(
        ctx,
        &Facts::nobody(ctx.now()),
        &facts(ctx, &user)?,
        &Principal::User(user.id),
        &[Exempt::over_itself(user.id)],
    )?;
    if let Some(key) = &mut key {
        key.resolve(ctx).await?;
    }
    if let Some(secret) = secret {
        user.password_hash = Some(password::hash(secret, ctx.policy.password_cost).await?);
    }

    let mut tx = ctx.db.begin("create_user").await?;
    store::insert(&mut tx, &user)
        .await
        .map_err(|failure| taken(failure, &user))?;
    let joined = members::enrol(ctx, &mut tx, user.id, &memberships).await?;
    if !joined.is_empty() {
        give_only_what_is_held(ctx, &mut tx, &user).await?;
    }
    let mut changes = vec![Change::created(
        "user.create",
        user.typed_id(),
        user.snapshot(),
    )];
    changes.extend(limits.put(ctx, &mut tx, vec![super::path(user.id)]).await?);
    let has_teams = !joined.is_empty();
    changes.extend(joined);
    if let Some(key) = &mut key {
        let owner = if has_teams {
            held(ctx, &mut tx, user.id).await?
        } else {
            facts(ctx, &user)?
        };
        let is_service = user.kind == UserKind::Service.as_str();
        key.allow(ctx, &owner, is_service, &[Exempt::over_itself(user.id)])?;
        changes.push(key.insert(ctx, &tx).await?);
        key.fits(ctx, &mut tx).await?;
        changes.extend(key.limit(ctx, &mut tx).await?);
    }
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok((user, key.map(Draft::into_parts)))
}

/// Makes the first administrator of an empty database; `None` if there is any user.
///
/// # Errors
/// As [`create`].
pub async fn first_admin(ctx: &Ctx, username: &str) -> Result<Option<User>> {
    if store::any(&mut *ctx.db.read("any_user").await?).await? {
        return Ok(None);
    }
    let new = NewUser {
        username: username.to_owned(),
        email: None,
        name: Some("Administrator".into()),
        given_name: None,
        family_name: None,
        kind: UserKind::Person,
        role: Some(InstanceRole::Admin),
        enabled: true,
        expires_at: None,
        comment: None,
        metadata: None,
        password: None,
        memberships: Some(Vec::new()),
        limits: LimitsChanges::default(),
    };
    match create(ctx, new).await {
        Ok(user) => Ok(Some(user)),
        // Another process was faster.
        Err(error) if error.code == crate::error::Code::AlreadyExists => Ok(None),
        Err(error) => Err(error),
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
    if let Some(password) = &new.password {
        password::validate("input.password", password, ctx.policy.password_min_length)?;
    }
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
        created_at: now,
        updated_at: now,
        last_used_at: None,
    };
    Ok((user, new.password.map(Secret::new)))
}

/// What the user will hold by its status alone.
fn facts(ctx: &Ctx, user: &User) -> Result<Facts> {
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
    Ok(Facts::new(
        ctx.now(),
        Given {
            user: Some(user),
            ..Given::default()
        },
    ))
}

/// Measures what the new user holds with its teams, which this transaction sees.
async fn give_only_what_is_held(ctx: &Ctx, tx: &mut Tx, user: &User) -> Result<()> {
    if access::holds_everything(ctx) {
        return Ok(());
    }
    let principal = Principal::User(user.id);
    let held = held(ctx, tx, user.id).await?;
    let mut given = held.given().clone();
    // Rights that wait behind a switch are handed out as well.
    given.user = given.user.map(|user| UserFacts {
        enabled: true,
        ..user
    });
    access::may_give(
        ctx,
        &Facts::nobody(ctx.now()),
        &Facts::new(ctx.now(), given),
        &principal,
        &[Exempt::over_itself(user.id)],
    )
}

/// What the new user holds, as this transaction sees it.
async fn held(ctx: &Ctx, tx: &mut Tx, id: Uuid) -> Result<Facts> {
    of_principal(tx, ctx.now(), Principal::User(id))
        .await?
        .ok_or_else(|| Error::internal("a user that was just made has no facts"))
}

/// The teams, each named once.
fn distinct(memberships: &[NewMembership]) -> Result<Vec<NewMembership>> {
    const FIELD: &str = "input.memberships";
    if memberships.len() > MAX_FIRST_TEAMS {
        let message = format!(
            "{FIELD} has {} entries. A user is made with at most {MAX_FIRST_TEAMS}; add it to the other teams afterwards.",
            memberships.len()
        );
        return Err(Error::bad_input(FIELD, message));
    }
    let mut seen = HashSet::with_capacity(memberships.len());
    match memberships.iter().position(|each| !seen.insert(each.team)) {
        Some(twice) => {
            let id = Id::new(Kind::Team, memberships[twice].team).to_string();
            let message = format!("{FIELD} names {} twice. Name each team once.", quoted(&id));
            Err(Error::bad_input(format!("{FIELD}.{twice}.team"), message))
        }
        None => Ok(memberships.to_vec()),
    }
}
