//! Reading teams and memberships.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::{READ, path};
use crate::ctx::Ctx;
use crate::db::Db;
use crate::db::ids::Kind;
use crate::db::nested::{self, Nested, Pages};
use crate::db::pages::{Cursor, Page, PageRequest};
use crate::db::statement::Seen;
use crate::error::Result;
use crate::permissions::ops::access;
use crate::teams::model::{
    JoinedTeam, MemberFilter, MemberList, Membership, Team, TeamFilter, TeamList, TeamSort,
};
use crate::teams::store::{lists, members, rows, tree};
use crate::users;

/// Teams by id, for loaders: rights are decided afterwards by [`may_read`].
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_ids(db: &Db, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Arc<Team>>> {
    let mut conn = db.read("teams_by_ids").await?;
    let teams = rows::by_ids(&mut conn, &ids).await?;
    Ok(teams
        .into_iter()
        .map(|team| (team.id, Arc::new(team)))
        .collect())
}

/// The team with that id; `None` if there is none or the actor may not see it.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request.
pub async fn by_id(ctx: &Ctx, id: Uuid) -> Result<Option<Arc<Team>>> {
    access::authenticated(ctx)?;
    if !may_read(ctx, id) {
        return Ok(None);
    }
    Ok(by_ids(&ctx.db, vec![id]).await?.remove(&id))
}

/// The team with that slug, without regard to case; `None` if there is none or the actor may not see it.
///
/// # Errors
/// As [`by_id`].
pub async fn by_slug(ctx: &Ctx, slug: &str) -> Result<Option<Arc<Team>>> {
    access::authenticated(ctx)?;
    // Postgres cannot even be asked.
    if slug.contains('\0') {
        return Ok(None);
    }
    let found = rows::by_slug(&mut *ctx.db.read("team_by_slug").await?, slug).await?;
    Ok(found.filter(|team| may_read(ctx, team.id)).map(Arc::new))
}

/// Whether the actor may read that team.
pub fn may_read(ctx: &Ctx, id: Uuid) -> bool {
    access::can(ctx, READ, &path(id))
}

/// Which teams the actor may see.
pub fn sight(ctx: &Ctx) -> Seen {
    access::seen(ctx, READ, Kind::Team)
}

/// A page of the teams that the filter and the actor's rights leave.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request; `SERVICE_UNAVAILABLE`.
pub async fn list(
    ctx: &Ctx,
    filter: &TeamFilter,
    sort: TeamSort,
    descending: bool,
    request: &PageRequest,
) -> Result<Page<Team>> {
    access::authenticated(ctx)?;
    // Where a team is unseen its children do not tell of it, nor do teams of an unseen user.
    let hidden_parent = filter.parent.is_some_and(|parent| !may_read(ctx, parent));
    let hidden_member = match filter.member {
        Some(member) => !users::ops::may_read(ctx, member).await?,
        None => false,
    };
    if hidden_parent || hidden_member {
        return Ok(Page::empty(request));
    }
    let conn = ctx.db.read("teams_page").await?;
    Ok(lists::page(&conn, filter, &sight(ctx), sort, descending, request).await?)
}

/// The place of a team in a list of that order.
pub fn cursor(team: &Team, sort: TeamSort) -> Cursor {
    lists::cursor(team, sort)
}

/// Pages of the teams below each team, for a loader. What the actor may see is part of the key.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn children(db: &Db, keys: Vec<Nested<TeamList>>) -> Result<Pages<TeamList, Team>> {
    nested::load(keys, |teams, list, page| async move {
        let conn = db.read("teams_below").await?;
        Ok(lists::children(&conn, teams, &list, &page).await?)
    })
    .await
}

/// Pages of the teams of each user, for a loader. What the actor may see is part of the key.
///
/// # Errors
/// As [`children`].
pub async fn teams_of(db: &Db, keys: Vec<Nested<TeamList>>) -> Result<Pages<TeamList, JoinedTeam>> {
    nested::load(keys, |users, list, page| async move {
        let conn = db.read("teams_of_users").await?;
        Ok(lists::teams_of(&conn, users, &list, &page).await?)
    })
    .await
}

/// Pages of the memberships of each user, for a loader. What the actor may see is part of the key.
///
/// # Errors
/// As [`children`].
pub async fn memberships_of(
    db: &Db,
    keys: Vec<Nested<TeamList>>,
) -> Result<Pages<TeamList, Membership>> {
    nested::load(keys, |users, list, page| async move {
        let conn = db.read("memberships_of_users").await?;
        Ok(lists::memberships_of(&conn, users, &list, &page).await?)
    })
    .await
}

/// Pages of the members of each team, for a loader. What the actor may see is part of the key.
///
/// # Errors
/// As [`children`].
pub async fn members_of(
    db: &Db,
    keys: Vec<Nested<MemberList>>,
) -> Result<Pages<MemberList, Membership>> {
    nested::load(keys, |teams, list, page| async move {
        let conn = db.read("members_of_teams").await?;
        Ok(lists::members(&conn, teams, &list, &page).await?)
    })
    .await
}

/// The members of that team which the filter and the actor's rights leave: all, where it may read the team's members.
pub fn member_list(ctx: &Ctx, team: Uuid, filter: MemberFilter) -> MemberList {
    let sight = users::ops::sight(ctx);
    let all = sight.teams.contains(team) || sight.users == Seen::All;
    MemberList {
        filter,
        sight: (!all).then_some(sight),
    }
}

/// Of each of these teams itself and all above it, from the team upwards.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn upwards(db: &Db, of: Vec<Uuid>) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    if of.is_empty() {
        return Ok(HashMap::new());
    }
    let mut conn = db.read("teams_above").await?;
    Ok(tree::all_upwards(&mut conn, of).await?)
}

/// Those of these pairs of a team and a user that are memberships. Rights are the caller's matter.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn memberships_among(db: &Db, pairs: &[(Uuid, Uuid)]) -> Result<HashSet<(Uuid, Uuid)>> {
    if pairs.is_empty() {
        return Ok(HashSet::new());
    }
    let mut conn = db.read("memberships_among").await?;
    let found = members::among(&mut conn, pairs).await?;
    Ok(found.into_iter().collect())
}
