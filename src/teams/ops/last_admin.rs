//! A team's last admin does not vanish unnoticed.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::may_read;
use crate::ctx::Ctx;
use crate::db::Tx;
use crate::db::ids::quoted;
use crate::error::{Error, Result};
use crate::teams::store::members::{self, NamedTeam};

/// Refuses to let a user cease to be an admin of its teams (or of that one team) at `end`, if it can act now and no other admin of
/// the team can after `end`.
///
/// The caller has locked the team; for all teams of a user they are locked here.
///
/// # Errors
/// `CONFLICT` naming the teams; `SERVICE_UNAVAILABLE`.
pub(crate) async fn keep(
    ctx: &Ctx,
    tx: &mut Tx,
    user: Uuid,
    team: Option<Uuid>,
    end: DateTime<Utc>,
) -> Result<()> {
    if team.is_none() {
        members::lock_administered(tx, user).await?;
    }
    let teams = members::left_without_admin(tx, user, team, ctx.now(), end).await?;
    if teams.is_empty() {
        return Ok(());
    }
    Err(Error::conflict(format!(
        "This would leave {} without an admin who can act. Make another admin first, or say allowTeamsWithoutAdmin: true.",
        named(ctx, &teams)
    )))
}

/// Teams that the actor may not see are counted, not named.
fn named(ctx: &Ctx, teams: &[NamedTeam]) -> String {
    let seen: Vec<String> = teams
        .iter()
        .filter(|team| may_read(ctx, team.id))
        .map(|team| quoted(&team.slug))
        .collect();
    let hidden = teams.len() - seen.len();
    let noun = if teams.len() == 1 { "team" } else { "teams" };
    match (seen.is_empty(), hidden) {
        (false, 0) => format!("the {noun} {}", seen.join(", ")),
        (false, _) => format!(
            "the {noun} {} and {hidden} that you may not see",
            seen.join(", ")
        ),
        (true, _) => format!("{hidden} {noun} that you may not see"),
    }
}
