//! Registries. Keystead keeps no artifacts, so a registry is nothing but who may do what at its path,
//! `/registries/<organisation>/<name>`: it is there as long as somebody holds something at that path, and it came to be when the oldest of
//! those permissions was given. The services that keep artifacts ask about the same path.

mod changes;
mod inputs;
mod life;
mod project;

pub use changes::MemberMutations;
pub use life::RegistryMutations;
pub use project::{Project, ProjectConnection, ProjectQueries};

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Asked;
use super::answer::absent;
use super::ids;
use super::pages::Rows;
use crate::dialects::{RoleNames, numbers};
use crate::error::{Error, Result};
use crate::permissions::model::{Grant, Permission, PermissionFilter, Principal};
use crate::permissions::ops::{self as permissions, read};
use crate::permissions::path::Path;
use crate::permissions::role;
use crate::secrets::Digest;
use crate::teams;
use crate::teams::model::Team;

/// What the client puts before the name of a registry.
const PREFIX: &str = "wandb-registry-";

/// What the client calls the roles at a registry.
const ROLES: RoleNames = RoleNames(&[
    ("admin", role::MANAGE.name),
    ("member", role::EDIT.name),
    ("viewer", role::USE.name),
    ("restricted_viewer", role::READ.name),
]);

/// The role of who is added: the client does not say which.
const FIRST_ROLE: &str = role::USE.name;

/// A registry, and what the caller may see of who holds what there.
#[derive(Clone)]
pub struct Registry {
    /// The organisation.
    pub organization: Arc<Team>,
    /// The name, without the client's prefix.
    pub name: String,
    /// Where it is.
    pub path: Path,
    /// Who holds what there, in the order in which it was granted.
    pub held: Vec<Permission>,
}

impl Registry {
    /// The registry's place, which may be empty.
    fn at(organization: Arc<Team>, name: &str) -> Result<Self> {
        let path = above(&organization)?.join(name);
        let path = path.map_err(|error| Error::bad_input("name", format!("{error}.")))?;
        Ok(Registry {
            organization,
            name: name.to_owned(),
            path,
            held: Vec::new(),
        })
    }

    /// The id by which it is changed.
    pub fn id(&self) -> String {
        let organization = numbers::of(self.organization.id);
        ids::encode(&format!("Registry:{organization}:{}", self.name))
    }

    /// A number for clients that want one, by which nothing is found: the first 63 bits of the SHA-256 of the path.
    pub fn number(&self) -> u64 {
        let digest = Digest::of(self.path.as_str().as_bytes());
        let (first, _) = digest.as_bytes().split_at(8);
        let bytes: [u8; 8] = first.try_into().unwrap_or_default();
        u64::from_be_bytes(bytes) >> 1
    }

    /// The name as the client has it.
    pub fn full_name(&self) -> String {
        format!("{PREFIX}{}", self.name)
    }

    /// When the oldest permission was given that holds.
    pub fn created_at(&self) -> DateTime<Utc> {
        let moments = self.held.iter().map(|row| row.created_at);
        moments.min().unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// When the newest was.
    pub fn updated_at(&self) -> Option<DateTime<Utc>> {
        self.held.iter().map(|row| row.created_at).max()
    }

    /// Whether the whole organisation may look at it: its team holds something there.
    pub fn is_for_all(&self) -> bool {
        let team = Some(self.organization.id);
        self.held.iter().any(|row| row.team_id == team)
    }

    /// Whether that principal holds something there.
    fn has(&self, principal: Principal) -> bool {
        self.held
            .iter()
            .any(|row| row.principal().is_ok_and(|held| held == principal))
    }
}

/// `/registries/<organisation>`: where its registries lie.
fn above(organization: &Team) -> Result<Path> {
    let path = Path::root()
        .join("registries")
        .and_then(|path| path.join(&organization.slug));
    path.map_err(|error| Error::internal(error.to_string()))
}

/// One role, for as long as it is held, there and below.
fn grant(role: &str) -> Grant {
    Grant {
        role: role.to_owned(),
        propagate: true,
        expires_at: None,
    }
}

/// Makes the principal hold exactly that there.
async fn put(
    ctx: &crate::ctx::Ctx,
    principal: Principal,
    path: &Path,
    grants: Vec<Grant>,
) -> Result<()> {
    permissions::update(ctx, principal, path.as_str(), grants)
        .await
        .map(drop)
        .map_err(|error| match error.field.as_deref() {
            Some("input.principal") => absent_member(error),
            _ => error,
        })
}

fn absent_member(mut error: Error) -> Error {
    error.message = "One of the users or teams does not exist, or you may not see it.".into();
    error
}

impl Asked {
    /// All permissions of that kind which hold and which the caller may see.
    async fn held(&self, filter: &PermissionFilter) -> Result<Vec<Permission>> {
        let now = self.ctx.now();
        let mut rows = Rows::new();
        while let Some(request) = rows.next() {
            let page = read::list(&self.ctx, filter, &request).await?;
            rows.take(&page, read::cursor);
        }
        let mut all: Vec<Permission> = rows.all();
        all.retain(|row| row.expires_at.is_none_or(|end| end > now));
        Ok(all)
    }

    /// The names of the roles that these permissions give, looked up together.
    async fn role_names(&self, rows: &[Permission]) -> Result<Vec<String>> {
        let ids = rows.iter().map(|row| row.role_id);
        let roles = self.loaders.roles.load_many(ids).await?;
        let names = roles.into_iter().map(|role| Some(role?.name.clone()));
        let names: Option<_> = names.collect();
        names.ok_or_else(|| Error::internal("a permission without its role"))
    }

    /// The place of a registry with who holds what there, which may be nobody.
    async fn place(&self, organization: Arc<Team>, name: &str) -> Result<Registry> {
        let mut registry = Registry::at(organization, name)?;
        let filter = PermissionFilter {
            path: Some(registry.path.clone()),
            ..PermissionFilter::default()
        };
        registry.held = self.held(&filter).await?;
        Ok(registry)
    }

    /// The registry of that full name, if there is one.
    pub(super) async fn registry(
        &self,
        organization: &Arc<Team>,
        full_name: &str,
    ) -> Result<Option<Registry>> {
        let Some(name) = full_name.strip_prefix(PREFIX) else {
            return Ok(None);
        };
        let registry = self.place(organization.clone(), name).await?;
        Ok(Some(registry).filter(|registry| !registry.held.is_empty()))
    }

    /// The registry with that id.
    async fn registry_by_id(&self, field: &str, id: &str) -> Result<Registry> {
        let (organization, name) = read_id(field, id)?;
        let none = || absent(field, "registry", &name);
        let team = teams::ops::by_id(&self.ctx, organization).await?;
        let registry = self.place(team.ok_or_else(none)?, &name).await?;
        match registry.held.is_empty() {
            true => Err(none()),
            false => Ok(registry),
        }
    }

    /// The registries of an organisation that the caller may see, by their names.
    pub(super) async fn registries_of(&self, organization: &Arc<Team>) -> Result<Vec<Registry>> {
        let above = above(organization)?;
        let filter = PermissionFilter {
            path_prefix: Some(above.clone()),
            ..PermissionFilter::default()
        };
        let mut by_name: BTreeMap<String, Registry> = BTreeMap::new();
        for row in self.held(&filter).await? {
            let path =
                Path::parse(&row.path).map_err(|error| Error::internal(error.to_string()))?;
            let Some(name) = path.child_name_of(&above) else {
                continue;
            };
            let registry = match by_name.entry(name) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(free) => {
                    let registry = Registry::at(organization.clone(), free.key())?;
                    free.insert(registry)
                }
            };
            registry.held.push(row);
        }
        Ok(by_name.into_values().collect())
    }
}

/// The organisation and the name in the id of a registry.
fn read_id(field: &str, id: &str) -> Result<(Uuid, String)> {
    let read = || {
        let text = ids::decode(id)?;
        let (number, name) = text.strip_prefix("Registry:")?.split_once(':')?;
        Some((numbers::read(number)?, name.to_owned()))
    };
    read().ok_or_else(|| {
        let id = crate::db::ids::quoted(id);
        Error::bad_input(
            field,
            format!(
                "{id} is not the id of a registry. Take the id that a registry was answered with."
            ),
        )
    })
}
