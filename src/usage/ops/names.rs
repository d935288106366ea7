//! Names of those whose usage is told, for readers who have no typed objects to ask.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use crate::ctx::Ctx;
use crate::error::Result;
use crate::usage::report::{Group, Report};
use crate::{api_keys, teams, users};

/// Names by id, of those that are there and that the actor may read.
#[derive(Debug, Default)]
pub struct Names {
    /// Names of keys.
    pub api_keys: HashMap<Uuid, String>,
    /// User names.
    pub users: HashMap<Uuid, String>,
    /// Slugs of teams.
    pub teams: HashMap<Uuid, String>,
}

/// The names of all that the report's groups are of.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn names(ctx: &Ctx, report: &Report) -> Result<Names> {
    let every = |of: fn(&Group) -> Option<Uuid>| -> Vec<Uuid> {
        let ids: BTreeSet<Uuid> = report
            .points
            .iter()
            .filter_map(|point| of(&point.group))
            .collect();
        ids.into_iter().collect()
    };
    let mut names = Names::default();
    let ids = every(|group| group.api_key);
    if !ids.is_empty() {
        let found = api_keys::ops::by_ids(&ctx.db, ids).await?;
        let seen = found
            .into_values()
            .filter(|key| api_keys::ops::may_read(ctx, key));
        names.api_keys = seen.map(|key| (key.id, key.name.clone())).collect();
    }
    let ids = every(|group| group.user);
    if !ids.is_empty() {
        let sight = users::ops::sight(ctx);
        let asked = ids.iter().map(|id| (*id, sight.clone())).collect();
        let seen = users::ops::seen_among(&ctx.db, asked).await?;
        let found = users::ops::by_ids(&ctx.db, ids).await?;
        let seen = found
            .into_values()
            .filter(|user| seen.contains_key(&(user.id, sight.clone())));
        names.users = seen.map(|user| (user.id, user.username.clone())).collect();
    }
    let ids = every(|group| group.team);
    if !ids.is_empty() {
        let found = teams::ops::by_ids(&ctx.db, ids).await?;
        let seen = found
            .into_values()
            .filter(|team| teams::ops::may_read(ctx, team.id));
        names.teams = seen.map(|team| (team.id, team.slug.clone())).collect();
    }
    Ok(names)
}
