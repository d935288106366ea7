//! Mutations on roles and permissions.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::inputs::{
    CreateRoleInput, DeletePermissionInput, DeleteRoleInput, UpdatePermissionInput, UpdateRoleInput,
};
use super::permission::Permission;
use super::role::Role;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::graphql::request;
use crate::permissions::model::Principal;
use crate::permissions::ops::{self, roles};

/// What `createRole` answers.
#[derive(SimpleObject)]
pub struct CreateRolePayload {
    /// The new role.
    role: Role,
}

/// What `updateRole` answers.
#[derive(SimpleObject)]
pub struct UpdateRolePayload {
    /// The role as it is now.
    role: Role,
}

/// What `deleteRole` answers.
#[derive(SimpleObject)]
pub struct DeleteRolePayload {
    /// The id of the role that is gone.
    deleted_role_id: ID,
}

/// What `updatePermission` answers.
#[derive(SimpleObject)]
pub struct UpdatePermissionPayload {
    /// What the principal itself holds at the path now.
    permissions: Vec<Permission>,
    /// Names of the roles it holds there now and did not before.
    added: Vec<String>,
    /// Names of the roles it held before whose reach or expiry is another now.
    changed: Vec<String>,
    /// Names of the roles it held there before and does not now.
    removed: Vec<String>,
}

/// What `deletePermission` answers.
#[derive(SimpleObject)]
pub struct DeletePermissionPayload {
    /// The id of the permission that is gone.
    deleted_permission_id: ID,
}

/// Mutations on roles and permissions.
#[derive(Default)]
pub struct PermissionMutations;

#[Object]
impl PermissionMutations {
    /// Makes a role. Needs `role.write` at `/roles`.
    async fn create_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The role.")] input: CreateRoleInput,
    ) -> Result<CreateRolePayload> {
        let role = roles::create(&request(context).ctx, input.into()).await?;
        Ok(CreateRolePayload {
            role: Role(Arc::new(role)),
        })
    }

    /// Changes a role: what is absent stays, null clears. Needs `role.write` at `/roles`, and every privilege that is added, wherever
    /// the role is granted. Built-in roles never change.
    async fn update_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The role and its changes.")] input: UpdateRoleInput,
    ) -> Result<UpdateRolePayload> {
        let id = Id::parse_as(Kind::Role, "input.id", &input.id)?;
        let role = roles::update(&request(context).ctx, id, input.read()?).await?;
        Ok(UpdateRolePayload {
            role: Role(Arc::new(role)),
        })
    }

    /// Deletes a role that nobody holds. Needs `role.write` at `/roles`.
    async fn delete_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The role.")] input: DeleteRoleInput,
    ) -> Result<DeleteRolePayload> {
        let id = Id::parse_as(Kind::Role, "input.id", &input.id)?;
        roles::delete(&request(context).ctx, id).await?;
        Ok(DeleteRolePayload {
            deleted_role_id: input.id,
        })
    }

    /// Makes a principal hold exactly these roles at a path, itself. Declarative: doing it again changes nothing. Needs
    /// `permission.write` at the path (or, for a key, `apiKey.write` over it), and every right that somebody comes to hold by it.
    async fn update_permission(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who, where and what.")] input: UpdatePermissionInput,
    ) -> Result<UpdatePermissionPayload> {
        let principal = Principal::parse("input.principal", &input.principal)?;
        let grants = input.roles.into_iter().map(Into::into).collect();
        let updated = ops::update(&request(context).ctx, principal, &input.path, grants).await?;
        Ok(UpdatePermissionPayload {
            permissions: updated
                .permissions
                .into_iter()
                .map(|row| Permission(Arc::new(row)))
                .collect(),
            added: updated.added,
            changed: updated.changed,
            removed: updated.removed,
        })
    }

    /// Takes one permission away. Needs `permission.write` at its path, and every right that comes to light by it.
    async fn delete_permission(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The permission.")] input: DeletePermissionInput,
    ) -> Result<DeletePermissionPayload> {
        let id = Id::parse_as(Kind::Permission, "input.id", &input.id)?;
        ops::delete(&request(context).ctx, id).await?;
        Ok(DeletePermissionPayload {
            deleted_permission_id: input.id,
        })
    }
}
