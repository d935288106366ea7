//! The mail with the link.

use serde_json::json;

use crate::ctx::Ctx;
use crate::error::Result;
use crate::invitations::model::{Invitation, Offer};
use crate::mail::model::{Mail, Template, written};
use crate::secrets::Secret;
use crate::{teams, users};

/// Teams that are named; of more their number is said.
const NAMED: usize = 3;

/// The mail to the address that the invitation is for; `None` where there is none. Not within a transaction.
pub(super) async fn letter(
    ctx: &Ctx,
    invitation: &Invitation,
    link: &Secret,
) -> Result<Option<Mail>> {
    let people = [Some(invitation.invited_by), invitation.user_id];
    let people = users::ops::by_ids(&ctx.db, people.into_iter().flatten().collect()).await?;
    let user = invitation.user_id.and_then(|id| people.get(&id));
    let known = user.and_then(|user| user.email.clone());
    let Some(to) = invitation.email.clone().or(known) else {
        return Ok(None);
    };
    let inviter = people.get(&invitation.invited_by);
    let values = json!({
        "inviter": inviter.map(|user| user.shown_name()), "purpose": purpose(ctx, invitation).await?,
        "link": link.expose(), "expires": written(invitation.expires_at),
    });
    let name = user.map(|user| user.shown_name().to_owned());
    Ok(Some(Mail::new(to, name, Template::Invitation, values)))
}

/// To what, as it follows "invites you to".
async fn purpose(ctx: &Ctx, invitation: &Invitation) -> Result<String> {
    let Offer::New { memberships, .. } = invitation.offer()? else {
        return Ok("sign in".to_owned());
    };
    let ids: Vec<_> = memberships.iter().map(|each| each.team).collect();
    let found = teams::ops::by_ids(&ctx.db, ids.clone()).await?;
    let mut names: Vec<&str> = ids
        .iter()
        .filter_map(|id| found.get(id))
        .map(|team| team.name.as_str())
        .collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    Ok(match (names.as_slice(), more) {
        ([], _) => "become a user".to_owned(),
        ([one], _) => format!("join the team {one}"),
        (names, 0) => format!("join the teams {}", names.join(", ")),
        (names, more) => format!("join the teams {} and {more} more", names.join(", ")),
    })
}
