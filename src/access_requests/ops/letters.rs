//! The mails: to whoever could give what is asked for, and to whoever has asked.

use serde_json::json;

use super::asked::by_ids;
use super::places;
use crate::access_requests::model::{Access, AccessRequest};
use crate::ctx::Ctx;
use crate::error::Result;
use crate::mail::model::{Mail, Template, written};
use crate::permissions::gains::Gain;
use crate::permissions::model::TeamRole;
use crate::permissions::ops::{read, who_may};
use crate::permissions::privilege::PrivilegeSet;
use crate::permissions::role::RoleFacts;
use crate::users::model::User;
use crate::{teams, users};

/// Reviewers who are sent a mail, at most.
const TOLD: usize = 50;
/// Roles that are named; of more their number is said.
const NAMED: usize = 5;

/// Mails to those who could give by hand what is asked for, and are not who asks. Not within a transaction.
pub(super) async fn to_reviewers(ctx: &Ctx, request: &AccessRequest) -> Result<Vec<Mail>> {
    let asked = request.asked()?;
    let Some(wants) = described(ctx, &asked).await? else {
        return Ok(Vec::new());
    };
    let (privilege, gains) = match &asked {
        Access::Membership { .. } => (teams::ops::WRITE, Vec::new()),
        Access::Permissions(_) => (read::WRITE, gains(ctx, request, &asked).await?),
    };
    let mut people = who_may(ctx, privilege, &places(request)?, &gains).await?;
    people.retain(|id| *id != request.user_id);
    let mut ids = people.clone();
    ids.push(request.user_id);
    let found = users::ops::by_ids(&ctx.db, ids).await?;
    let requester = found.get(&request.user_id).map(|user| user.shown_name());
    let people = people.iter().filter_map(|id| found.get(id));
    let letter = |user: &std::sync::Arc<User>| {
        let values = json!({
            "requester": requester, "wants": wants, "until": request.until.map(written),
            "justification": request.justification, "request": request.typed_id().to_string(),
        });
        let name = Some(user.shown_name().to_owned());
        Some(Mail::new(
            user.email.clone()?,
            name,
            Template::AccessRequested,
            values,
        ))
    };
    Ok(people.filter_map(letter).take(TOLD).collect())
}

/// The mail to whoever has asked, of what was decided; `None` where it has no address. Not within a transaction.
pub(super) async fn to_requester(ctx: &Ctx, request: &AccessRequest) -> Result<Option<Mail>> {
    let people = [Some(request.user_id), request.decided_by];
    let people = users::ops::by_ids(&ctx.db, people.into_iter().flatten().collect()).await?;
    let Some(user) = people.get(&request.user_id) else {
        return Ok(None);
    };
    let Some(to) = user.email.clone() else {
        return Ok(None);
    };
    let granted = request.granted()?;
    let about = match &granted {
        Some(granted) => granted.clone(),
        None => request.asked()?,
    };
    let reviewer = request.decided_by.and_then(|id| people.get(&id));
    let gone = || "what does not exist any more".to_owned();
    let values = json!({
        "decision": if granted.is_some() { "approved" } else { "denied" }, "wants": described(ctx, &about).await?.unwrap_or_else(gone),
        "until": request.granted_until.map(written), "reviewer": reviewer.map(|user| user.shown_name()),
        "reason": request.reason, "request": request.typed_id().to_string(),
    });
    let name = Some(user.shown_name().to_owned());
    Ok(Some(Mail::new(to, name, Template::AccessReviewed, values)))
}

/// What whoever gives it must hold.
async fn gains(ctx: &Ctx, request: &AccessRequest, asked: &Access) -> Result<Vec<Gain>> {
    let Access::Permissions(asked) = asked else {
        return Ok(Vec::new());
    };
    let roles = by_ids(&ctx.db, asked.iter()).await?;
    let gain = |each: &crate::access_requests::model::RoleAt| {
        let role = roles.get(&each.role)?;
        let facts = RoleFacts {
            id: role.id,
            name: role.name.clone(),
            privileges: PrivilegeSet::from_patterns(&role.privileges).ok()?,
        };
        let propagate = each.propagate;
        Some(Gain::of_grant(
            &each.path,
            &facts,
            propagate,
            ctx.now(),
            request.until,
        ))
    };
    Ok(asked.iter().filter_map(gain).collect())
}

/// What it is, as it follows "asks for"; `None` for a place in a team that is not there.
async fn described(ctx: &Ctx, access: &Access) -> Result<Option<String>> {
    match access {
        Access::Permissions(asked) => {
            let roles = by_ids(&ctx.db, asked.iter()).await?;
            let one = |each: &crate::access_requests::model::RoleAt| {
                let role = roles.get(&each.role)?;
                Some(format!("{} at {}", role.name, each.path))
            };
            let all: Vec<String> = asked.iter().filter_map(one).collect();
            Ok(Some(match all.len().saturating_sub(NAMED) {
                0 => all.join(", "),
                more => format!("{} and {more} more", all[..NAMED].join(", ")),
            }))
        }
        Access::Membership { team, role } => {
            let found = teams::ops::by_ids(&ctx.db, vec![*team]).await?;
            let admin = match role {
                TeamRole::Admin => " as its admin",
                TeamRole::Member => "",
            };
            let named = |team: &std::sync::Arc<teams::model::Team>| {
                format!("a place in the team {}{admin}", team.name)
            };
            Ok(found.get(team).map(named))
        }
    }
}
