//! Who it was: the keys, users and teams that events name, and whether the actor may record what they use.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use uuid::Uuid;

use super::WRITE;
use super::line::{By, Named};
use crate::api_keys::model::ApiKey;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::error::{Error, Result};
use crate::limits::ops::Who;
use crate::permissions::ops::access;
use crate::users::model::User;
use crate::{api_keys, teams, users};

/// Finds out who these are, in three statements at most. A key counts for its owner, and for the team that it was made for; one that was
/// made for no team, and a user without a key, for a team that the user belongs to.
pub(super) async fn find(ctx: &Ctx, all: HashSet<Named>) -> Result<HashMap<Named, Result<Who>>> {
    let (mut keys, mut people) = (HashSet::new(), HashSet::new());
    for named in &all {
        match named.who {
            By::Key(id) => keys.insert(id),
            By::User(id) => people.insert(id),
        };
    }
    let keys = if keys.is_empty() {
        HashMap::new()
    } else {
        api_keys::ops::by_ids(&ctx.db, keys.into_iter().collect()).await?
    };
    let people = if people.is_empty() {
        HashMap::new()
    } else {
        users::ops::by_ids(&ctx.db, people.into_iter().collect()).await?
    };
    let user = |named: &Named| match named.who {
        By::Key(id) => keys.get(&id).map(|key| key.owner_id),
        By::User(id) => Some(id),
    };
    let pairs: Vec<(Uuid, Uuid)> = all
        .iter()
        .filter_map(|named| named.team.zip(user(named)))
        .collect();
    let belong = teams::ops::memberships_among(&ctx.db, &pairs).await?;
    let found = all.into_iter().map(|named| {
        let who = match named.who {
            By::Key(id) => of_key(ctx, id, keys.get(&id), named.team),
            By::User(id) => of_user(ctx, id, people.get(&id), named.team),
        };
        let who = who.and_then(|who| match named.team {
            // What a key was made for is its team, also if its owner has left that.
            Some(team) if who.team.is_none() => {
                if !belong.contains(&(team, who.user)) {
                    return Err(no_team(team, &who));
                }
                Ok(Who {
                    team: Some(team),
                    ..who
                })
            }
            Some(_) | None => Ok(who),
        });
        (named, who)
    });
    Ok(found.collect())
}

fn of_key(ctx: &Ctx, id: Uuid, key: Option<&Arc<ApiKey>>, team: Option<Uuid>) -> Result<Who> {
    let key = key.ok_or_else(|| api_keys::ops::absent("apiKey", id))?;
    let paths = api_keys::ops::paths(key);
    if !access::can_any(ctx, WRITE, &paths) {
        if !api_keys::ops::may_read(ctx, key) {
            return Err(api_keys::ops::absent("apiKey", id));
        }
        access::require(ctx, WRITE, &paths[0]).map_err(|error| error.at("apiKey"))?;
    }
    if let (Some(own), Some(team)) = (key.team_id, team)
        && own != team
    {
        let message = format!(
            "team is {}, and the key was made for another. Leave it out: what the key uses counts for its team.",
            Id::new(Kind::Team, team)
        );
        return Err(Error::bad_input("team", message));
    }
    Ok(Who {
        key: Some(id),
        user: key.owner_id,
        team: key.team_id,
    })
}

fn of_user(ctx: &Ctx, id: Uuid, user: Option<&Arc<User>>, team: Option<Uuid>) -> Result<Who> {
    if user.is_none() {
        return Err(users::ops::absent("user", id));
    }
    let own = users::ops::path(id);
    let mut paths = vec![own];
    paths.extend(team.map(teams::ops::path));
    if !access::can_any(ctx, WRITE, &paths) {
        if !access::can_any(ctx, users::ops::READ, &paths) {
            return Err(users::ops::absent("user", id));
        }
        access::require(ctx, WRITE, &paths[0]).map_err(|error| error.at("user"))?;
    }
    Ok(Who {
        key: None,
        user: id,
        team: None,
    })
}

fn no_team(team: Uuid, who: &Who) -> Error {
    let message = format!(
        "{} does not belong to a team {}, or you may not see it. Name the team of the key, or one that the user belongs to.",
        Id::new(Kind::User, who.user),
        Id::new(Kind::Team, team)
    );
    Error::not_found("team", message)
}
