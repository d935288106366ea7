//! Who may do something somewhere: asked in order to tell them.

use std::collections::HashMap;

use uuid::Uuid;

use super::{access, facts};
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::permissions::facts::Facts;
use crate::permissions::gains::{Gain, ensure_may_give};
use crate::permissions::model::Principal;
use crate::permissions::path::Path;
use crate::permissions::store::holders;

/// Users that are looked at, at most: owners of the paths before administrators.
const LOOKED_AT: i64 = 200;

/// The users who hold the privilege at one of the paths, and all of `gains`: whoever could do it by hand. Of many more than can be told
/// only some.
///
/// # Errors
/// `SERVICE_UNAVAILABLE`.
pub async fn who_may(
    ctx: &Ctx,
    privilege: &'static str,
    paths: &[Path],
    gains: &[Gain],
) -> Result<Vec<Uuid>> {
    let mut above: Vec<String> = Vec::new();
    for path in paths {
        above.extend(path.ancestors().map(|each| each.to_string()));
    }
    above.sort();
    above.dedup();
    let teams = access::collection(Kind::Team);
    let team = |path: &Path| Id::parse_as(Kind::Team, "path", path.child_of(&teams)?).ok();
    let teams: Vec<Uuid> = paths.iter().filter_map(team).collect();
    let mut conn = ctx.db.read("who_may").await?;
    let looked_at =
        holders::candidates(&mut conn, privilege, above, teams, ctx.now(), LOOKED_AT).await?;
    let principals: Vec<Principal> = looked_at.iter().copied().map(Principal::User).collect();
    let found: HashMap<Principal, Facts> =
        facts::of_principals(&mut conn, ctx.now(), &principals).await?;
    let may = |principal: &Principal| {
        found.get(principal).is_some_and(|facts| {
            let mut paths = paths.iter();
            paths.any(|path| access::holds(facts, principal, privilege, path))
                && ensure_may_give(facts, principal, gains, &[]).is_ok()
        })
    };
    let may: Vec<&Principal> = principals.iter().filter(|each| may(each)).collect();
    Ok(may.into_iter().map(Principal::id).collect())
}
