//! Accepting an invitation.

use uuid::Uuid;

use super::paths;
use super::read::present;
use super::rights::{as_inviter, hidden, may_invite};
use super::token::{digest, good, invalid};
use crate::audit::model::Change;
use crate::audit::ops as audit;
use crate::authn::cookie::Cookies;
use crate::authn::password;
use crate::ctx::{Actor, Ctx, Holder};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::factors::model::Offered;
use crate::factors::ops::{self as factors, Second};
use crate::invitations::model::{Acceptance, Accepted, Invitation, Offer};
use crate::invitations::store;
use crate::permissions::model::Principal;
use crate::policy::model::Policy;
use crate::secrets::Digest;
use crate::sessions::model::Method;
use crate::sessions::ops as sessions;
use crate::teams::ops::members;
use crate::users;
use crate::users::model::{NewUser, User};
use crate::users::ops::{Introduction, Newcomer};

const TOKEN: &str = "input.token";

/// Accepts an invitation: makes the user, or gives the one that it is for its names and its password, and signs it in; or lets whoever is
/// signed in join its teams. A token is good once.
///
/// # Errors
/// `NOT_FOUND` for every token that is not good, also if whoever has invited may not do so any more; `BAD_USER_INPUT`; `ALREADY_EXISTS`
/// for a name that is taken, and where the address belongs to a user by now; `CONFLICT` for one who is signed in as somebody else; for a user
/// who has a second factor as [`factors::second`], and `SECOND_FACTOR_REQUIRED`.
pub async fn accept(ctx: &Ctx, wanted: Acceptance) -> Result<Accepted> {
    let digest = digest(TOKEN, wanted.token.expose())?;
    let found = store::by_digest(&mut *ctx.db.read("invitation_by_token").await?, &digest).await?;
    let invitation = good(ctx, TOKEN, found)?;
    let offer = present(&ctx.db, invitation.offer()?).await?;
    if let Offer::Existing(user) = offer {
        let found = users::ops::by_ids(&ctx.db, vec![user]).await?;
        if found.get(&user).is_none_or(|user| !user.can_act(ctx.now())) {
            return Err(invalid(TOKEN));
        }
    }
    match (&ctx.actor, offer) {
        (Actor::Holder(holder), Offer::Existing(user)) if holder.user_id != user => {
            Err(Error::conflict(
                "You are signed in, and this invitation is for another user. Open it where nobody is signed in.",
            ))
        }
        (_, Offer::Existing(user)) => come_in(ctx, digest, user, wanted).await,
        (Actor::Holder(holder), offer) => join(ctx, digest, offer, holder, &wanted).await,
        (_, offer) => begin_anew(ctx, digest, offer, wanted).await,
    }
}

/// Makes a user, and signs it in.
async fn begin_anew(
    ctx: &Ctx,
    digest: Digest,
    offer: Offer,
    wanted: Acceptance,
) -> Result<Accepted> {
    let Offer::New {
        email,
        role,
        memberships,
    } = &offer
    else {
        return Err(invalid(TOKEN));
    };
    let password = wanted.password.ok_or_else(needs_password)?;
    let policy = ctx.policies.present(&ctx.db).await?;
    let defaults = ctx.limit_policies.present(&ctx.db).await?;
    let new = NewUser {
        email: Some(email.clone()),
        name: wanted.name,
        given_name: wanted.given_name,
        family_name: wanted.family_name,
        role: Some(*role),
        password: Some(password.expose().to_owned()),
        memberships: Some(memberships.clone()),
        ..NewUser::named(wanted.username.unwrap_or_else(|| email.clone()))
    };
    let mut newcomer = Newcomer::new(ctx, &policy, &defaults, new)?;
    newcomer.hash(ctx).await?;

    let mut tx = ctx.db.begin("accept_invitation").await?;
    let (before, inviter) = authorise(ctx, &mut tx, &digest, &offer, &policy).await?;
    let mut changes = newcomer
        .insert(&inviter, &mut tx)
        .await
        .map_err(of_newcomer)?;
    let user = newcomer.user;
    changes.push(used(ctx, &mut tx, before, user.id).await?);
    let joined = memberships.iter().map(|each| each.team).collect();
    // Nobody has a second factor before it is there.
    let second = factors::second(ctx, user.id, &Offered::default()).await?;
    sign_in(ctx, tx, (user, second), changes, joined, wanted.cookies).await
}

/// Gives a user that exists its names and its password, and signs it in.
async fn come_in(ctx: &Ctx, digest: Digest, id: Uuid, wanted: Acceptance) -> Result<Accepted> {
    if wanted.username.is_some() {
        return Err(Error::bad_input(
            "input.username",
            "input.username is for a new user. This one has a name to sign in with already.",
        ));
    }
    let secret = wanted.password.ok_or_else(needs_password)?;
    let said = Introduction {
        name: wanted.name,
        given_name: wanted.given_name,
        family_name: wanted.family_name,
    };
    let said = said.checked()?;
    let found = users::ops::by_ids(&ctx.db, vec![id]).await?.remove(&id);
    let mut named = found.ok_or_else(|| invalid(TOKEN))?.as_ref().clone();
    said.clone().put_on(&mut named);
    users::ops::check_password(ctx, "input.password", &secret, &named)?;
    let hash = password::hash(secret, ctx.policy.password_cost).await?;
    let policy = ctx.policies.present(&ctx.db).await?;
    let second = factors::second(ctx, id, &wanted.offered).await?;

    let mut tx = ctx.db.begin("accept_invitation").await?;
    // The user first, as whoever deletes it does.
    let (user, change) = users::ops::introduce(ctx, &mut tx, id, said, hash)
        .await?
        .ok_or_else(|| invalid(TOKEN))?;
    let offer = Offer::Existing(id);
    let (before, _) = authorise(ctx, &mut tx, &digest, &offer, &policy).await?;
    let mut changes = vec![change];
    changes.extend(sessions::end_all(&mut tx, id, None).await?);
    changes.push(used(ctx, &mut tx, before, id).await?);
    let joined = Vec::new();
    sign_in(ctx, tx, (user, second), changes, joined, wanted.cookies).await
}

/// Lets whoever is signed in join the teams. What it is to the instance stays.
async fn join(
    ctx: &Ctx,
    digest: Digest,
    offer: Offer,
    holder: &Holder,
    wanted: &Acceptance,
) -> Result<Accepted> {
    for (field, said) in [
        ("input.username", wanted.username.is_some()),
        ("input.name", wanted.name.is_some()),
        ("input.givenName", wanted.given_name.is_some()),
        ("input.familyName", wanted.family_name.is_some()),
        ("input.password", wanted.password.is_some()),
        ("input.otp", wanted.offered.otp.is_some()),
        ("input.passkey", wanted.offered.passkey.is_some()),
        ("input.cookie", wanted.cookies.is_some()),
    ] {
        if said {
            let message = format!(
                "{field} is for one who is not signed in. You are: leave it out to join with the user that you are."
            );
            return Err(Error::bad_input(field, message));
        }
    }
    if holder.principal != Principal::User(holder.user_id) {
        return Err(Error::forbidden(
            "A restricted key cannot accept an invitation: it would give its user more than it holds. Use another credential.",
        ));
    }
    let Offer::New { memberships, .. } = &offer else {
        return Err(invalid(TOKEN));
    };
    if memberships.is_empty() {
        return Err(Error::conflict(
            "This invitation makes a new user and is into no team, and you are signed in. Open it where nobody is signed in.",
        ));
    }
    let policy = ctx.policies.present(&ctx.db).await?;
    // Joining does not change it, and what is read after the commit can fail.
    let found = users::ops::by_ids(&ctx.db, vec![holder.user_id]).await?;
    let user = found.get(&holder.user_id).ok_or_else(|| invalid(TOKEN))?;

    let mut tx = ctx.db.begin("accept_invitation").await?;
    let (before, inviter) = authorise(ctx, &mut tx, &digest, &offer, &policy).await?;
    let (joined, mut changes) = members::join(&inviter, &mut tx, holder.user_id, memberships)
        .await
        .map_err(|error| hidden(error, TOKEN))?;
    changes.push(used(ctx, &mut tx, before, holder.user_id).await?);
    audit::record(ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(Accepted {
        user: user.as_ref().clone(),
        joined,
        session: None,
        actor: None,
    })
}

/// The invitation, locked and good, and the request as one of whoever answers for it, who may invite to that now.
async fn authorise(
    ctx: &Ctx,
    tx: &mut Tx,
    digest: &Digest,
    offer: &Offer,
    policy: &Policy,
) -> Result<(Invitation, Ctx)> {
    let found = store::lock_by_digest(tx, digest).await?;
    let invitation = good(ctx, TOKEN, found)?;
    let inviter = as_inviter(ctx, tx, invitation.invited_by).await?;
    let inviter = inviter.ok_or_else(|| invalid(TOKEN))?;
    may_invite(&inviter, tx, policy, offer)
        .await
        .map_err(|error| hidden(error, TOKEN))?;
    Ok((invitation, inviter))
}

/// Notes who has accepted.
async fn used(ctx: &Ctx, tx: &mut Tx, before: Invitation, user: Uuid) -> Result<Change> {
    let after = Invitation {
        accepted_at: Some(ctx.now()),
        accepted_by: Some(user),
        ..before.clone()
    };
    store::update(tx, &after).await?;
    let (was, is) = (before.snapshot(), after.snapshot());
    let change = Change::updated("invitation.accept", after.typed_id(), was, is);
    Ok(change.at(paths(&after)))
}

async fn sign_in(
    ctx: &Ctx,
    mut tx: Tx,
    (user, second): (User, Second),
    mut changes: Vec<Change>,
    joined: Vec<Uuid>,
    cookies: Option<Cookies>,
) -> Result<Accepted> {
    let mut fresh = sessions::begin(ctx, &mut tx, &user, Method::Invitation, second).await?;
    changes.append(&mut fresh.changes);
    audit::record(&fresh.ctx, &mut tx, changes).await?;
    tx.commit().await?;

    ctx.events.publish();

    Ok(Accepted {
        user,
        joined,
        actor: Some(fresh.actor()),
        session: Some(fresh.hand_over(cookies)),
    })
}

/// Errors of a new user as they are told to whoever holds the link.
fn of_newcomer(error: Error) -> Error {
    match (error.code, error.field.as_deref()) {
        (Code::AlreadyExists, Some("input.email")) => Error::already_exists(
            TOKEN,
            "There is a user with the address that this invitation is for. Sign in as that user, then open the link again.",
        ),
        (Code::AlreadyExists, _) => error,
        _ => hidden(error, TOKEN),
    }
}

fn needs_password() -> Error {
    Error::bad_input(
        "input.password",
        "input.password is missing: whoever is not signed in says the password that the user is to have.",
    )
}
