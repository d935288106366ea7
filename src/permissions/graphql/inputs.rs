//! Inputs of queries and mutations on roles and permissions.

use async_graphql::{ID, InputObject, MaybeUndefined};

use crate::ctx::Ctx;
use crate::error::{Error, Result};
use crate::graphql::input::{change, change_required};
use crate::graphql::scalars::Timestamp;
use crate::permissions::model::{Grant, NewRole, PermissionFilter, Principal, RoleChanges};
use crate::permissions::ops::roles;
use crate::permissions::path::Path;

/// Which permissions to list; conditions are joined by AND.
#[derive(InputObject, Default)]
#[graphql(name = "PermissionFilter")]
pub struct PermissionFilterInput {
    /// Only what this user, team or key itself holds; not what it holds through teams.
    principal: Option<ID>,
    /// Only at exactly this path.
    path: Option<String>,
    /// Only at this path and below it.
    path_prefix: Option<String>,
    /// Only of the role with this name, without regard to case.
    role: Option<String>,
    /// Only those that expire before this moment.
    expires_before: Option<Timestamp>,
}

impl PermissionFilterInput {
    /// The filter as operations take it; `None` when no permission can match.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what is no principal's id or no path.
    pub async fn read(self, ctx: &Ctx) -> Result<Option<PermissionFilter>> {
        let path = |field: &str, text: Option<String>| {
            let read = |text: String| {
                Path::parse(&text).map_err(|error| Error::bad_input(field, format!("{error}.")))
            };
            text.map(read).transpose()
        };
        let mut filter = PermissionFilter {
            principal: self
                .principal
                .map(|id| Principal::parse("filter.principal", &id))
                .transpose()?,
            path: path("filter.path", self.path)?,
            path_prefix: path("filter.pathPrefix", self.path_prefix)?,
            role: None,
            expires_before: self.expires_before.map(|at| at.0),
        };
        if let Some(name) = self.role {
            match roles::by_name(ctx, &name).await? {
                Some(role) => filter.role = Some(role.id),
                None => return Ok(None),
            }
        }
        Ok(Some(filter))
    }
}

/// A role to be made.
#[derive(InputObject)]
pub struct CreateRoleInput {
    /// The name: 1–64 of letters, digits and . _ -; unique without regard to case, and not that of a built-in role.
    name: String,
    /// What it is for, 1–2,000 characters.
    description: Option<String>,
    /// What it allows: names such as model.use, at most 200. A letter, then letters, digits, _ and ., at most 64 in all.
    privileges: Vec<String>,
}

impl From<CreateRoleInput> for NewRole {
    fn from(input: CreateRoleInput) -> Self {
        NewRole {
            name: input.name,
            description: input.description,
            privileges: input.privileges,
        }
    }
}

/// Changes to a role: what is absent stays, null clears.
#[derive(InputObject)]
pub struct UpdateRoleInput {
    /// The role's id.
    pub id: ID,
    /// The name: 1–64 of letters, digits and . _ -.
    name: MaybeUndefined<String>,
    /// What it is for, 1–2,000 characters.
    description: MaybeUndefined<String>,
    /// All that it allows afterwards. Whoever holds the role holds it at once; you cannot give more than you hold.
    privileges: MaybeUndefined<Vec<String>>,
}

impl UpdateRoleInput {
    /// The changes as the operation takes them.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for null where something must be.
    pub fn read(self) -> Result<RoleChanges> {
        Ok(RoleChanges {
            name: change_required("input.name", self.name)?,
            description: change(self.description),
            privileges: change_required("input.privileges", self.privileges)?,
        })
    }
}

/// Names the role to be deleted.
#[derive(InputObject)]
pub struct DeleteRoleInput {
    /// The role's id.
    pub id: ID,
}

/// A role that is wanted at a path.
#[derive(InputObject)]
pub struct RoleGrantInput {
    /// The role's name, without regard to case.
    role: String,
    /// Whether it also applies to everything below the path.
    #[graphql(default = true)]
    propagate: bool,
    /// From this moment on it no longer applies.
    expires_at: Option<Timestamp>,
}

impl From<RoleGrantInput> for Grant {
    fn from(input: RoleGrantInput) -> Self {
        Grant {
            role: input.role,
            propagate: input.propagate,
            expires_at: input.expires_at.map(|at| at.0),
        }
    }
}

/// What a principal is to hold at a path.
#[derive(InputObject)]
pub struct UpdatePermissionInput {
    /// A user, a team or a restricted key.
    pub principal: ID,
    /// Where: `/`, `/models/gpt-4o` …, percent-encoded, at most 16 segments and 512 bytes.
    pub path: String,
    /// Exactly these roles afterwards, at most 32; empty: none.
    pub roles: Vec<RoleGrantInput>,
}

/// Names the permission to be taken away.
#[derive(InputObject)]
pub struct DeletePermissionInput {
    /// The permission's id.
    pub id: ID,
}
