//! Organisations: teams that lie below no other.

use std::collections::HashSet;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Object, SimpleObject};
use uuid::Uuid;

use super::answer::absent;
use super::entities::Entity;
use super::ids::{self, Kind};
use super::{Asked, asked};
use crate::error::Result;
use crate::teams;
use crate::teams::model::Team;

/// A team that lies below no other.
#[derive(Clone)]
pub struct Organization(pub Arc<Team>);

/// A team that lies below no other.
#[Object]
impl Organization {
    /// Base64 of `Organization:` and a number.
    async fn id(&self) -> ID {
        ids::write(Kind::Organization, self.0.id).into()
    }

    /// The team's slug.
    async fn name(&self) -> &str {
        &self.0.slug
    }

    /// Its place.
    async fn org_entity(&self) -> Option<Entity> {
        Some(Entity::place(self.0.clone()))
    }

    /// Always empty.
    async fn feature_flags(
        &self,
        #[graphql(name = "rampIDType")] _ramp_id_type: RampIdType,
    ) -> Vec<Option<FeatureFlag>> {
        Vec::new()
    }

    /// What can be done with registries beyond their members: nothing.
    async fn advanced_registry_features(&self) -> Option<AdvancedRegistryFeatures> {
        Some(AdvancedRegistryFeatures {
            advanced_search: false,
        })
    }

    /// Always null.
    #[graphql(name = "coreWeaveOrganizationId")]
    async fn core_weave_organization_id(&self) -> Option<&str> {
        None
    }
}

/// By what flags are told apart.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(name = "RampIDType")]
pub enum RampIdType {
    /// The organisation's name.
    #[graphql(name = "OrgName")]
    Name,
    /// The organisation's id.
    #[graphql(name = "OrgId")]
    Id,
}

/// A flag. There are none.
#[derive(SimpleObject)]
pub struct FeatureFlag {
    /// Its name.
    ramp_key: String,
    /// Whether it is set.
    is_enabled: bool,
}

/// What can be done with registries beyond their members.
#[derive(SimpleObject)]
pub struct AdvancedRegistryFeatures {
    /// Whether their contents can be searched.
    advanced_search: bool,
}

impl Asked {
    /// The organisation with that name.
    pub(super) async fn organization(&self, field: &str, name: &str) -> Result<Organization> {
        let found = teams::ops::by_slug(&self.ctx, name).await?;
        let root = found.filter(|team| team.parent_id.is_none());
        root.map(Organization)
            .ok_or_else(|| absent(field, "organization", name))
    }

    /// The organisation of a team, if the caller may see it.
    pub(super) async fn organization_above(
        &self,
        team: &Arc<Team>,
    ) -> Result<Option<Organization>> {
        if team.parent_id.is_none() {
            return Ok(Some(Organization(team.clone())));
        }
        let above = self.organizations_of(std::slice::from_ref(&**team)).await?;
        Ok(above.into_iter().next())
    }

    /// The organisations of these teams, each once, that the caller may see.
    pub(super) async fn organizations_of(&self, teams: &[Team]) -> Result<Vec<Organization>> {
        let below: Vec<Uuid> = teams
            .iter()
            .filter(|team| team.parent_id.is_some())
            .map(|team| team.id)
            .collect();
        let mut upwards = teams::ops::upwards(&self.ctx.db, below).await?;
        let root = |team: &Team| match team.parent_id {
            None => Some(team.id),
            Some(_) => upwards.remove(&team.id)?.last().copied(),
        };
        let roots: Vec<Uuid> = teams.iter().filter_map(root).collect();
        let mut once = HashSet::new();
        let seen = roots
            .into_iter()
            .filter(|id| once.insert(*id) && teams::ops::may_read(&self.ctx, *id));
        let found = self.loaders.teams.load_many(seen).await?;
        Ok(found.into_iter().flatten().map(Organization).collect())
    }
}

/// Queries on organisations.
#[derive(Default)]
pub struct OrganizationQueries;

#[Object]
impl OrganizationQueries {
    /// The organisation with that name. What is not there is an error.
    async fn organization(
        &self,
        context: &Context<'_>,
        name: Option<String>,
    ) -> Option<Result<Organization>> {
        let name = name.unwrap_or_default();
        Some(asked(context).organization("name", &name).await)
    }
}
