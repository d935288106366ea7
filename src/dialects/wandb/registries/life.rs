//! Registries come to be, get another name, and go.

use async_graphql::{Context, Object, SimpleObject};

use super::inputs::{DeleteModelInput, RenameProjectInput, UpsertModelInput};
use super::project::Project;
use super::{FIRST_ROLE, PREFIX, Registry, grant, put};
use crate::ctx::Whole;
use crate::db::ids::quoted;
use crate::dialects::wandb::{Asked, asked};
use crate::error::{Error, Result};
use crate::permissions::model::{Grant, Permission, PermissionFilter, Principal};
use crate::permissions::path::Path;
use crate::permissions::role;

/// What came of it.
#[derive(SimpleObject)]
pub struct UpsertModelPayload {
    /// Whether it was made now.
    inserted: Option<bool>,
    /// The registry.
    project: Option<Project>,
    /// The same.
    model: Option<Project>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct DeleteModelPayload {
    /// Always true: what fails is an error.
    success: Option<bool>,
}

/// What came of it.
#[derive(SimpleObject)]
pub struct RenameProjectPayload {
    /// Always false: it was there before.
    inserted: Option<bool>,
    /// The registry.
    project: Option<Project>,
}

/// What can be done to registries.
#[derive(Default)]
pub struct RegistryMutations;

#[Object]
impl RegistryMutations {
    /// Makes a registry, with you as its admin, or changes who may look at one.
    async fn upsert_model(
        &self,
        context: &Context<'_>,
        input: UpsertModelInput,
    ) -> Option<Result<UpsertModelPayload>> {
        let made = upsert(asked(context), input).await;
        Some(made.map(|(registry, inserted)| UpsertModelPayload {
            inserted: Some(inserted),
            project: Some(Project(registry.clone())),
            model: Some(Project(registry)),
        }))
    }

    /// Takes away whatever anybody holds at a registry and below it.
    async fn delete_model(
        &self,
        context: &Context<'_>,
        input: DeleteModelInput,
    ) -> Option<Result<DeleteModelPayload>> {
        let gone = delete(asked(context), &input.id).await;
        Some(gone.map(|()| DeleteModelPayload {
            success: Some(true),
        }))
    }

    /// Moves whatever anybody holds at a registry and below it to another name.
    async fn rename_project(
        &self,
        context: &Context<'_>,
        input: RenameProjectInput,
    ) -> Option<Result<RenameProjectPayload>> {
        let moved = rename(asked(context), input).await;
        Some(moved.map(|registry| RenameProjectPayload {
            inserted: Some(false),
            project: Some(Project(registry)),
        }))
    }
}

/// Who may look at a registry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    All,
    Members,
}

fn validate(input: &UpsertModelInput) -> Result<Option<Access>> {
    let said = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let kept = [
        ("description", said(&input.description)),
        ("views", said(&input.views)),
        ("owner", input.owner.is_some()),
        ("framework", said(&input.framework)),
        ("dockerImage", said(&input.docker_image)),
        ("repo", said(&input.repo)),
        ("isPublished", input.is_published == Some(true)),
        ("isBenchmark", input.is_benchmark == Some(true)),
        ("icon", input.icon.is_some()),
        ("rateLimits", input.rate_limits.is_some()),
        (
            "artifactTypes",
            input
                .artifact_types
                .as_ref()
                .is_some_and(|types| !types.is_empty())
                || input.allow_all_artifact_types_in_registry == Some(false),
        ),
    ];
    if let Some((field, _)) = kept.iter().find(|(_, said)| *said) {
        let message = format!(
            "{field} cannot be kept: of a registry Keystead has the members and their roles, and nothing else. Leave it out."
        );
        return Err(Error::bad_input(format!("input.{field}"), message));
    }
    match input.access.as_deref() {
        None => Ok(None),
        Some("PRIVATE") => Ok(Some(Access::All)),
        Some("RESTRICTED") => Ok(Some(Access::Members)),
        Some(other) => {
            let message = format!(
                "{} is none of PRIVATE, for all of the organisation, and RESTRICTED, for members alone.",
                quoted(other)
            );
            Err(Error::bad_input("input.access", message))
        }
    }
}

/// The name of a registry in a full name.
fn own_name<'a>(field: &str, full: &'a str) -> Result<&'a str> {
    let name = full.strip_prefix(PREFIX).filter(|name| !name.is_empty());
    name.ok_or_else(|| {
        let message = format!(
            "{} is not a registry's: {PREFIX} and a name. Keystead has no other projects, and no runs.",
            quoted(full)
        );
        Error::bad_input(field, message)
    })
}

async fn upsert(asked: &Asked, input: UpsertModelInput) -> Result<(Registry, bool)> {
    let access = validate(&input)?;
    let name = own_name("input.name", input.name.as_deref().unwrap_or_default())?;
    let of = input.entity_name.as_deref().unwrap_or_default();
    let organization = asked.organization("input.entityName", of).await?.0;
    let creator = Principal::User(asked.ctx.holder()?.user_id);
    let registry = asked.place(organization.clone(), name).await?;
    let is_new = registry.held.is_empty();
    let team = Principal::Team(organization.id);
    let whole = Whole::begin(&asked.ctx, "upsert_registry").await?;
    let done = async {
        let ctx = &whole.ctx;
        if is_new {
            let all = vec![grant(role::MANAGE.name)];
            put(ctx, creator, &registry.path, all).await?;
        }
        match access {
            Some(Access::All) if !registry.is_for_all() => {
                put(ctx, team, &registry.path, vec![grant(FIRST_ROLE)]).await
            }
            Some(Access::Members) if registry.is_for_all() => {
                put(ctx, team, &registry.path, Vec::new()).await
            }
            _ => Ok(()),
        }
    };
    let done = done.await;
    whole.end(done).await?;
    Ok((asked.place(organization, name).await?, is_new))
}

impl Asked {
    /// All that is held at a registry and below it, by who holds it and where.
    async fn all_of(&self, registry: &Registry) -> Result<Vec<(Principal, Path, Vec<Permission>)>> {
        let filter = PermissionFilter {
            path_prefix: Some(registry.path.clone()),
            ..PermissionFilter::default()
        };
        let mut all: Vec<(Principal, Path, Vec<Permission>)> = Vec::new();
        for row in self.held(&filter).await? {
            let principal = row.principal()?;
            let path =
                Path::parse(&row.path).map_err(|error| Error::internal(error.to_string()))?;
            let same = |each: &&mut (Principal, Path, Vec<Permission>)| {
                each.0 == principal && each.1 == path
            };
            match all.iter_mut().find(same) {
                Some((.., rows)) => rows.push(row),
                None => all.push((principal, path, vec![row])),
            }
        }
        Ok(all)
    }

    /// What these permissions give.
    async fn grants(&self, rows: &[Permission]) -> Result<Vec<Grant>> {
        let roles = self.role_names(rows).await?;
        let grant = |(row, role): (&Permission, String)| Grant {
            role,
            propagate: row.propagate,
            expires_at: row.expires_at,
        };
        Ok(rows.iter().zip(roles).map(grant).collect())
    }
}

async fn delete(asked: &Asked, id: &str) -> Result<()> {
    let registry = asked.registry_by_id("id", id).await?;
    let all = asked.all_of(&registry).await?;
    let whole = Whole::begin(&asked.ctx, "delete_registry").await?;
    let done = async {
        for (principal, path, _) in &all {
            put(&whole.ctx, *principal, path, Vec::new()).await?;
        }
        Ok(())
    };
    let done = done.await;
    whole.end(done).await
}

async fn rename(asked: &Asked, input: RenameProjectInput) -> Result<Registry> {
    let old = own_name("input.oldProjectName", &input.old_project_name)?;
    let new = own_name("input.newProjectName", &input.new_project_name)?;
    let found = asked.organization("input.entityName", &input.entity_name);
    let organization = found.await?.0;
    let registry = asked.place(organization.clone(), old).await?;
    if registry.held.is_empty() {
        let field = "input.oldProjectName";
        return Err(crate::dialects::wandb::answer::absent(
            field, "registry", old,
        ));
    }
    let target = asked.place(organization.clone(), new).await?;
    if !target.held.is_empty() {
        let message = format!("There is a registry named {} already.", quoted(new));
        return Err(Error::already_exists("input.newProjectName", message));
    }
    let mut moves = Vec::new();
    for (principal, from, rows) in asked.all_of(&registry).await? {
        let below = &from.as_str()[registry.path.as_str().len()..];
        let to = Path::parse(&format!("{}{below}", target.path.as_str()));
        let wrong = |error| Error::bad_input("input.newProjectName", format!("{error}."));
        moves.push((
            principal,
            from,
            to.map_err(wrong)?,
            asked.grants(&rows).await?,
        ));
    }
    let whole = Whole::begin(&asked.ctx, "rename_registry").await?;
    let done = async {
        for (principal, from, to, grants) in moves {
            put(&whole.ctx, principal, &to, grants).await?;
            put(&whole.ctx, principal, &from, Vec::new()).await?;
        }
        Ok(())
    };
    let done = done.await;
    whole.end(done).await?;
    asked.place(organization, new).await
}
