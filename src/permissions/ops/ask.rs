//! The question, asked over the API: may this principal do that there, and what may it do where?

use super::{access, facts, read};
use crate::ctx::Ctx;
use crate::db::ids::quoted;
use crate::error::{Error, Result};
use crate::permissions::check::{Decision, check, privileges_at};
use crate::permissions::effective::{Effective, effective};
use crate::permissions::facts::Facts;
use crate::permissions::model::Principal;
use crate::permissions::path::Path;
use crate::permissions::privilege::Privilege;

/// An answer with its question.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Who was asked about.
    pub principal: Principal,
    /// What.
    pub privilege: Privilege,
    /// Where.
    pub path: Path,
    /// The answer.
    pub decision: Decision,
}

/// Whether the principal (the actor, if none is given) holds the privilege at the path.
///
/// # Errors
/// `UNAUTHENTICATED`; `NOT_FOUND` for a principal that is not there or may not be seen, `FORBIDDEN` where the actor may see it but not
/// read its permissions; `BAD_USER_INPUT` for what is no privilege or no path.
pub async fn may(
    ctx: &Ctx,
    principal: Option<Principal>,
    privilege: &str,
    path: &str,
) -> Result<Answer> {
    let (privilege, path) = question("", privilege, path)?;
    let (principal, facts) = whose(ctx, principal).await?;
    let decision = check(&facts, &principal, &privilege, &path);
    Ok(Answer {
        principal,
        privilege,
        path,
        decision,
    })
}

/// What is asked: a privilege at a path. `within` stands before the fields' names in errors.
///
/// # Errors
/// `BAD_USER_INPUT` for what is no privilege or no path.
pub fn question(within: &str, privilege: &str, path: &str) -> Result<(Privilege, Path)> {
    let privilege = Privilege::parse(privilege)
        .map_err(|error| Error::bad_input(format!("{within}privilege"), format!("{error}.")))?;
    let path = Path::parse(path)
        .map_err(|error| Error::bad_input(format!("{within}path"), format!("{error}.")))?;
    Ok((privilege, path))
}

/// What the principal (the actor, if none is given) holds at the prefix and at every path below it that its permissions name.
///
/// # Errors
/// As [`may`].
pub async fn everything(
    ctx: &Ctx,
    principal: Option<Principal>,
    prefix: &str,
) -> Result<Vec<Effective>> {
    let prefix = parse("pathPrefix", prefix)?;
    let (principal, facts) = whose(ctx, principal).await?;
    Ok(effective(&facts, &principal, &prefix))
}

/// What the actor holds at the path, as patterns.
///
/// # Errors
/// `UNAUTHENTICATED`; `BAD_USER_INPUT` for what is no path.
pub fn held(ctx: &Ctx, path: &str) -> Result<Vec<String>> {
    let holder = ctx.holder()?;
    let path = parse("path", path)?;
    let facts = holder.facts.at(ctx.now());
    Ok(privileges_at(&facts, &holder.principal, &path, false).to_patterns())
}

fn parse(field: &str, path: &str) -> Result<Path> {
    Path::parse(path).map_err(|error| Error::bad_input(field, format!("{error}.")))
}

/// The facts of whoever is asked about. About itself everybody may ask, about others who may read their permissions.
async fn whose(ctx: &Ctx, principal: Option<Principal>) -> Result<(Principal, Facts)> {
    let holder = ctx.holder()?;
    let principal = match principal {
        None => return Ok((holder.principal, holder.facts.at(ctx.now()))),
        Some(principal) if principal == holder.principal => {
            return Ok((principal, holder.facts.at(ctx.now())));
        }
        Some(principal) => principal,
    };
    let mut conn = ctx.db.read("facts_of_principal").await?;
    let homes = read::homes(&mut conn, principal).await?;
    let found = facts::of_principal(&mut conn, ctx.now(), principal).await?;
    drop(conn);
    let absent = || read::absent("principal", principal);
    let found = found.ok_or_else(absent)?;
    if access::can_any(ctx, read::READ, &homes) {
        return Ok((principal, found));
    }
    if !read::may_see(ctx, principal, &homes).await? {
        return Err(absent());
    }
    Err(Error::forbidden(format!(
        "This needs the privilege {} at {}, which you do not hold: you may only ask about yourself, not about {}.",
        read::READ,
        homes.first().map_or("/", Path::as_str),
        quoted(&principal.typed_id().to_string())
    )))
}
