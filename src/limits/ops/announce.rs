//! Telling that budgets are used up, or that somebody should know: events of the trail.

use serde_json::json;

use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::ctx::Ctx;
use crate::db::ids::{Id, Kind};
use crate::error::Result;
use crate::limits::model::{Notice, Reached, Subject};
use crate::limits::store::notices;
use crate::permissions::ops::access;
use crate::permissions::path::Path;

/// Notices that one transaction tells at most.
const AT_ONCE: i64 = 500;

/// Records `budget.soft` and `budget.exhausted` for every budget whose soft amount, or whose maximum, has been spent and of which that was
/// not said yet: once for each window and amount, and of a budget for each member once for each of them, however many servers do this at
/// the same time. Returns how many were told.
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached; the rest is told the next time.
pub async fn announce(ctx: &Ctx) -> Result<usize> {
    access::authenticated(ctx)?;
    let mut told = 0;
    loop {
        let mut tx = ctx.db.begin("announce_budgets").await?;
        let found = notices::take(&mut tx, ctx.now(), AT_ONCE).await?;
        let count = found.len();
        audit::record(ctx, &mut tx, found.iter().map(event).collect()).await?;
        tx.commit().await?;

        if count > 0 {
            ctx.events.publish();
        }
        told += count;
        if count == 0 {
            return Ok(told);
        }
    }
}

fn event(notice: &Notice) -> Change {
    let (action, soft, max) = match notice.reached {
        Reached::Soft(soft) => ("budget.soft", Some(soft), notice.budget.max),
        Reached::Max(max) => ("budget.exhausted", notice.budget.soft, max),
    };
    let window = notice.budget.window.at(notice.since);
    let member = notice.member.map(|user| Id::new(Kind::User, user));
    let after = json!({
        "budget": notice.budget.name, "member": member.map(|id| id.to_string()), "spent": notice.spent.to_string(),
        "softUsd": soft.map(|soft| soft.to_string()), "maxUsd": max.to_string(), "windowStart": window.start, "resetsAt": window.end,
    });
    Change::created(action, notice.subject.target(), after).at(paths(notice))
}

/// Where the subject lies: whoever may read what happens there reads of it.
fn paths(notice: &Notice) -> Vec<Path> {
    let user = |id| access::object(Kind::User, id);
    let team = |id| access::object(Kind::Team, id);
    let mut paths = match notice.subject {
        Subject::ApiKey(_) => Vec::new(),
        Subject::User(id) => vec![user(id)],
        Subject::Team(id) | Subject::EachMember(id) | Subject::Member { team: id, .. } => {
            vec![team(id)]
        }
    };
    paths.extend(notice.member.map(user));
    if let Some((owner, of_team)) = notice.key_of {
        paths.push(user(owner));
        paths.extend(of_team.map(team));
    }
    paths
}
