//! Roles: reading them, and making, changing and deleting those that are not built in.
//!
//! Everybody who is signed in may read every role: they are the vocabulary in which permissions are spoken of. Who holds `role.write`
//! at `/roles` may write them; since a role that is granted already gives what is added to it, adding is handing out.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use super::access;
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::Db;
use crate::db::ids::{Id, Kind, quoted};
use crate::error::{Error, Result};
use crate::permissions::gains::Gain;
use crate::permissions::model::{NewRole, Permission, Role, RoleChanges};
use crate::permissions::path::Path;
use crate::permissions::privilege::{Privilege, PrivilegeSet};
use crate::permissions::role::{BuiltIn, RoleFacts};
use crate::permissions::store::roles as store;
use crate::replicas::model::Tag;
use crate::text;

/// Make, change and delete roles.
pub const WRITE: &str = "role.write";
/// Privileges of one role at most.
pub const MAX_PRIVILEGES: usize = 200;

/// Roles by id, for loaders.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<Role>>> {
    let mut conn = db.read("roles_by_ids").await?;
    let found = store::by_ids(&mut conn, &ids).await?;
    Ok(found
        .into_iter()
        .map(|role| (role.id, Arc::new(role)))
        .collect())
}

/// Every role: those built in first, then by name.
///
/// # Errors
/// `UNAUTHENTICATED`; `SERVICE_UNAVAILABLE`.
pub async fn all(ctx: &Ctx) -> Result<Vec<Role>> {
    access::authenticated(ctx)?;
    Ok(store::all(&mut *ctx.db.read("roles").await?).await?)
}

/// The role with that name, without regard to case.
///
/// # Errors
/// As [`all`].
pub async fn by_name(ctx: &Ctx, name: &str) -> Result<Option<Role>> {
    access::authenticated(ctx)?;
    if !could_be_a_name(name) {
        return Ok(None);
    }
    Ok(
        store::by_names(&mut *ctx.db.read("role_by_name").await?, &[name.to_owned()])
            .await?
            .pop(),
    )
}

/// The roles with these names, in their order, each of which can be granted.
///
/// # Errors
/// `NOT_FOUND` for a name that no role has, `BAD_USER_INPUT` for a role that comes with a status; `field.<index>.role` names it.
pub async fn grantable(ctx: &Ctx, field: &str, names: &[String]) -> Result<Vec<Role>> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let names_to_find: Vec<String> = names
        .iter()
        .filter(|name| could_be_a_name(name))
        .cloned()
        .collect();
    let found = store::by_names(&mut *ctx.db.read("roles_by_names").await?, &names_to_find).await?;
    let by_name: HashMap<String, Role> = found
        .into_iter()
        .map(|role| (role.name.to_lowercase(), role))
        .collect();
    let role = |(index, name): (usize, &String)| {
        let field = format!("{field}.{index}.role");
        let role = by_name.get(&name.to_lowercase()).ok_or_else(|| {
            Error::not_found(
                field.clone(),
                format!(
                    "There is no role {}. The query roles lists them.",
                    quoted(name)
                ),
            )
        })?;
        if BuiltIn::by_id(role.id).is_some_and(|built_in| !built_in.grantable) {
            return Err(Error::bad_input(
                field,
                format!(
                    "The role {} comes with a status and cannot be granted. Grant READ, USE, EDIT or MANAGE.",
                    role.name
                ),
            ));
        }
        Ok(role.clone())
    };
    names.iter().enumerate().map(role).collect()
}

/// Makes a role.
///
/// # Errors
/// `FORBIDDEN` without `role.write` at `/roles`; `BAD_USER_INPUT`; `ALREADY_EXISTS` for a name that is taken.
pub async fn create(ctx: &Ctx, new: NewRole) -> Result<Role> {
    let role = Role {
        id: ctx.new_id(),
        name: name(&new.name)?,
        description: text::optional_lines("input.description", new.description.as_deref(), 2_000)?,
        privileges: privileges(&new.privileges)?,
        built_in: false,
        created_at: ctx.now(),
        updated_at: ctx.now(),
    };

    access::require(ctx, WRITE, &access::collection(Kind::Role))?;

    let mut tx = ctx.db.begin("create_role").await?;
    store::insert(&mut tx, &role)
        .await
        .map_err(|failure| failure.unique("roles_name_key", || taken(&role.name)))?;
    audit::record(
        ctx,
        &mut tx,
        vec![Change::created(
            "role.create",
            role.typed_id(),
            role.snapshot(),
        )],
    )
    .await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(role)
}

/// Changes a role: what is absent stays, what is null is cleared. Whoever holds it holds its new privileges at once.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `role.write`, for a built-in role, or if somebody would come to hold what the actor lacks;
/// `BAD_USER_INPUT`; `ALREADY_EXISTS`.
pub async fn update(ctx: &Ctx, id: Uuid, changes: RoleChanges) -> Result<Role> {
    let new_name = changes.name.as_deref().map(name).transpose()?;
    let description = text::change(changes.description, |text| {
        text::lines("input.description", &text, 2_000)
    })?;
    let new_privileges = changes.privileges.as_deref().map(privileges).transpose()?;

    access::require(ctx, WRITE, &access::collection(Kind::Role))?;

    let mut tx = ctx.db.begin("update_role").await?;
    tx.touch([Tag::Role(id)]);
    let before = store::lock(&mut tx, id).await?.ok_or_else(|| absent(id))?;
    spare_built_in(&before)?;
    let mut after = Role {
        name: new_name.unwrap_or_else(|| before.name.clone()),
        description: description.unwrap_or_else(|| before.description.clone()),
        privileges: new_privileges.unwrap_or_else(|| before.privileges.clone()),
        ..before.clone()
    };
    if before.snapshot() != after.snapshot() {
        after.updated_at = ctx.now();
    }
    let gains = gains(ctx, &before, &after, &store::grants(&mut tx, id).await?)?;
    access::may_give_gains(ctx, &gains)?;
    store::update(&mut tx, &after)
        .await
        .map_err(|failure| failure.unique("roles_name_key", || taken(&after.name)))?;
    let change = Change::updated(
        "role.update",
        after.typed_id(),
        before.snapshot(),
        after.snapshot(),
    );
    audit::record(ctx, &mut tx, vec![change]).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(after)
}

/// Deletes a role that nobody holds.
///
/// # Errors
/// `NOT_FOUND`; `FORBIDDEN` without `role.write`, or for a built-in role; `CONFLICT` while somebody holds it.
pub async fn delete(ctx: &Ctx, id: Uuid) -> Result<()> {
    access::require(ctx, WRITE, &access::collection(Kind::Role))?;

    let mut tx = ctx.db.begin("delete_role").await?;
    tx.touch([Tag::Role(id)]);
    let role = store::lock(&mut tx, id).await?.ok_or_else(|| absent(id))?;
    spare_built_in(&role)?;
    if store::is_granted(&mut tx, id).await? {
        return Err(Error::conflict(format!(
            "The role {} is granted. Take it away first: permissions(filter: {{role: …}}) lists who holds it.",
            quoted(&role.name)
        ))
        .at("input.id"));
    }
    store::delete(&mut tx, id).await?;
    audit::record(
        ctx,
        &mut tx,
        vec![Change::deleted(
            "role.delete",
            role.typed_id(),
            role.snapshot(),
        )],
    )
    .await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(())
}

/// What everybody who holds the role comes to hold when it grows.
fn gains(ctx: &Ctx, before: &Role, after: &Role, grants: &[Permission]) -> Result<Vec<Gain>> {
    let set = |role: &Role| {
        PrivilegeSet::from_patterns(&role.privileges)
            .map_err(|error| Error::internal(error.to_string()))
    };
    let added = RoleFacts {
        id: after.id,
        name: after.name.clone(),
        privileges: set(after)?.missing(&set(before)?),
    };
    let in_force = grants
        .iter()
        .filter(|grant| grant.expires_at.is_none_or(|end| end > ctx.now()));
    in_force
        .map(|grant| {
            let path =
                Path::parse(&grant.path).map_err(|error| Error::internal(error.to_string()))?;
            Ok(Gain::of_grant(
                &path,
                &added,
                grant.propagate,
                ctx.now(),
                grant.expires_at,
            ))
        })
        .collect()
}

/// What no role can be called is not looked for: Postgres takes no NUL.
fn could_be_a_name(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn name(given: &str) -> Result<String> {
    let name = text::identifier("input.name", given, "._-")?;
    match BuiltIn::by_name(&name) {
        Some(built_in) => Err(Error::already_exists(
            "input.name",
            format!(
                "{} is the name of a built-in role. Choose another name.",
                quoted(built_in.name)
            ),
        )),
        None => Ok(name),
    }
}

fn privileges(given: &[String]) -> Result<Vec<String>> {
    if given.len() > MAX_PRIVILEGES {
        return Err(Error::bad_input(
            "input.privileges",
            format!(
                "input.privileges has {} elements. A role has at most {MAX_PRIVILEGES}.",
                given.len()
            ),
        ));
    }
    let mut names = BTreeSet::new();
    for (index, text) in given.iter().enumerate() {
        let privilege = Privilege::parse(text).map_err(|error| {
            let hint = if text.contains('*') {
                " Patterns belong to built-in roles."
            } else {
                ""
            };
            Error::bad_input(
                format!("input.privileges.{index}"),
                format!("{error}.{hint}"),
            )
        })?;
        names.insert(privilege.to_string());
    }
    Ok(names.into_iter().collect())
}

fn spare_built_in(role: &Role) -> Result<()> {
    if role.built_in {
        return Err(Error::forbidden(format!(
            "The role {} is built in and never changes. Make a role of your own with createRole.",
            quoted(&role.name)
        ))
        .at("input.id"));
    }
    Ok(())
}

fn taken(name: &str) -> Error {
    Error::already_exists(
        "input.name",
        format!(
            "There is a role named {} already. Choose another name.",
            quoted(name)
        ),
    )
}

fn absent(id: Uuid) -> Error {
    let id = Id::new(Kind::Role, id).to_string();
    Error::not_found("input.id", format!("There is no role {}.", quoted(&id)))
}
