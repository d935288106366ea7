//! Queries on roles and permissions.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::inputs::PermissionFilterInput;
use super::permission::{PERMISSIONS, Permission, PermissionConnection, page_of};
use super::principal::Principal;
use super::role::Role;
use crate::db::pages::Page;
use crate::error::Result;
use crate::graphql::connection::page_request;
use crate::graphql::lean::AtHand;
use crate::graphql::request;
use crate::permissions::effective::Effective;
use crate::permissions::explain::explain;
use crate::permissions::model;
use crate::permissions::ops::ask::{self, Answer};
use crate::permissions::ops::{access, read, roles};

/// The answer to the one question: may this principal do that there?
pub struct PermissionCheck(Answer);

/// The answer to the one question: may this principal do that there?
#[Object]
impl PermissionCheck {
    /// Whether it may.
    async fn allowed(&self) -> bool {
        self.0.decision.allowed
    }

    /// The privilege that was asked about.
    async fn privilege(&self) -> &str {
        self.0.privilege.as_str()
    }

    /// The path that was asked about, in canonical form.
    async fn path(&self) -> &str {
        self.0.path.as_str()
    }

    /// Who was asked about.
    async fn principal(&self, context: &Context<'_>) -> Result<Principal> {
        Principal::present(request(context), self.0.principal).await
    }

    /// The permissions that decided, stored or derived; empty: none applies, or none was asked.
    async fn decided_by(&self) -> Vec<Permission> {
        Permission::of_facts(&self.0.decision.decided_by)
    }

    /// One sentence that says why.
    async fn explanation(&self, context: &Context<'_>) -> Result<String> {
        let who = match Principal::present(request(context), self.0.principal).await? {
            Principal::User(user) => user.0.username.clone(),
            Principal::Team(team) => format!("The team {}", team.0.slug),
            Principal::ApiKey(key) => format!("The key {}", key.0.name),
        };
        Ok(explain(
            &self.0.decision,
            &who,
            &self.0.privilege,
            &self.0.path,
        ))
    }
}

/// What a principal holds at one path.
pub struct EffectivePermission(Effective);

/// What a principal holds at one path, and below it.
#[Object]
impl EffectivePermission {
    /// The path.
    async fn path(&self) -> &str {
        self.0.path.as_str()
    }

    /// What is held there: names, and patterns such as `*` and `*.read`.
    async fn privileges(&self) -> Vec<String> {
        self.0.privileges.to_patterns()
    }

    /// Whether all of it is also held below the path, down to the next path that is listed.
    async fn propagated(&self) -> bool {
        self.0.propagated()
    }

    /// What is held below the path, down to the next path that is listed.
    async fn privileges_below(&self) -> Vec<String> {
        self.0.below.to_patterns()
    }

    /// The permissions that decide at the path, stored or derived.
    async fn decided_by(&self) -> Vec<Permission> {
        Permission::of_facts(&self.0.decided_by)
    }
}

/// Queries on roles and permissions.
#[derive(Default)]
pub struct PermissionQueries;

#[Object]
impl PermissionQueries {
    /// Every role: those built in first, then by name.
    async fn roles(&self, context: &Context<'_>) -> Result<Vec<Role>> {
        let roles = roles::all(&request(context).ctx).await?;
        Ok(roles.into_iter().map(|role| Role(Arc::new(role))).collect())
    }

    /// The role with that name, without regard to case; null if there is none.
    async fn role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The name.")] name: String,
    ) -> Option<Result<Role>> {
        let found = roles::by_name(&request(context).ctx, &name)
            .await
            .transpose()?;
        Some(found.map(|role| Role(Arc::new(role))))
    }

    /// Permissions that were granted, in that order: those you may see. You may see those at paths where you hold `permission.read`, and
    /// those of principals at whose path you hold it; so everybody sees their own.
    async fn permissions(
        &self,
        context: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
        #[graphql(desc = "Which permissions; conditions are joined by AND.")] filter: Option<
            PermissionFilterInput,
        >,
    ) -> Result<AtHand<PermissionConnection>> {
        let ctx = &request(context).ctx;
        access::authenticated(ctx)?;
        let page = page_request(context, PERMISSIONS, first, after, last, before)?;
        match filter.unwrap_or_default().read(ctx).await? {
            Some(filter) => Ok(page_of(read::list(ctx, &filter, &page).await?)),
            None => Ok(page_of(Page::empty(&page))),
        }
    }

    /// Whether a principal holds a privilege at a path, and why. About yourself you may always ask; about others with `permission.read`
    /// at their path.
    async fn check_permission(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A user, a team or a key; if not given, whoever is calling.")]
        principal: Option<ID>,
        #[graphql(desc = "The privilege, such as model.use.")] privilege: String,
        #[graphql(desc = "The path, such as /models/gpt-4o. Nothing needs to exist there.")]
        path: String,
    ) -> Result<PermissionCheck> {
        let principal = parse(principal)?;
        Ok(PermissionCheck(
            ask::may(&request(context).ctx, principal, &privilege, &path).await?,
        ))
    }

    /// What a principal holds at a path and below it: the path itself, and every path below that its permissions name.
    async fn effective_permissions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "A user, a team or a key; if not given, whoever is calling.")]
        principal: Option<ID>,
        #[graphql(desc = "Where to begin; if not given, at /.")] path_prefix: Option<String>,
    ) -> Result<Vec<EffectivePermission>> {
        let principal = parse(principal)?;
        let prefix = path_prefix.as_deref().unwrap_or("/");
        let found = ask::everything(&request(context).ctx, principal, prefix).await?;
        Ok(found.into_iter().map(EffectivePermission).collect())
    }
}

fn parse(principal: Option<ID>) -> Result<Option<model::Principal>> {
    principal
        .map(|id| model::Principal::parse("principal", &id))
        .transpose()
}
