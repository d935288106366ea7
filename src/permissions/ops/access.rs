//! The guard of every operation, and the masking rule: what the actor may not see does not exist for it. `NOT_FOUND` for what it may
//! not read, `FORBIDDEN` only where it may read but not act; lists are filtered by the same answers.

use std::sync::LazyLock;

use uuid::Uuid;

use crate::ctx::{Actor, Ctx};
use crate::db::ids::{Id, Kind};
use crate::db::statement::Seen;
use crate::error::{Code, Error, Result};
use crate::permissions::check::{self, check};
use crate::permissions::facts::Facts;
use crate::permissions::gains::{Exempt, Gain, Missing, ensure_may_give, gains, holds_all_of};
use crate::permissions::model::Principal;
use crate::permissions::path::Path;
use crate::permissions::privilege::Privilege;
use crate::permissions::visible::{Territory, Visible, visible};

/// Whether the actor holds the privilege at the path.
pub fn can(ctx: &Ctx, privilege: &'static str, path: &Path) -> bool {
    match &ctx.actor {
        Actor::Keystead => true,
        Actor::Anonymous | Actor::Enrolling(_) => false,
        Actor::Holder(holder) => holds(
            &holder.facts.at(ctx.now()),
            &holder.principal,
            privilege,
            path,
        ),
    }
}

/// Whether a principal with these facts holds the privilege at the path.
pub fn holds(facts: &Facts, principal: &Principal, privilege: &'static str, path: &Path) -> bool {
    check(facts, principal, &constant(privilege), path).allowed
}

/// Whether the actor holds the privilege at one of the paths: an object that belongs to two collections has two.
pub fn can_any(ctx: &Ctx, privilege: &'static str, paths: &[Path]) -> bool {
    paths.iter().any(|path| can(ctx, privilege, path))
}

/// Demands the privilege at the path, for what needs no object: making one, listing all.
///
/// # Errors
/// `UNAUTHENTICATED` for an anonymous request, `FORBIDDEN` naming privilege and path.
pub fn require(ctx: &Ctx, privilege: &'static str, path: &Path) -> Result<()> {
    if can(ctx, privilege, path) {
        return Ok(());
    }
    authenticated(ctx)?;
    Err(lacks(privilege, path))
}

/// Demands `act` at one of the object's paths. The object's absence is told from refusal only to those who hold `read`.
///
/// # Errors
/// `UNAUTHENTICATED`; what `absent` makes, where the actor may not read it; else `FORBIDDEN`.
pub fn require_on(
    ctx: &Ctx,
    read: &'static str,
    act: &'static str,
    paths: &[Path],
    absent: impl FnOnce() -> Error,
) -> Result<()> {
    authenticated(ctx)?;
    if !can_any(ctx, read, paths) {
        return Err(absent());
    }
    match paths.first() {
        Some(first) if !can_any(ctx, act, paths) => Err(lacks(act, first)),
        _ => Ok(()),
    }
}

/// Demands that somebody is calling.
///
/// # Errors
/// `UNAUTHENTICATED`.
pub fn authenticated(ctx: &Ctx) -> Result<()> {
    match &ctx.actor {
        Actor::Keystead => Ok(()),
        _ => ctx.holder().map(|_| ()),
    }
}

/// Which of a collection's objects the actor may see: those of `/users` where it holds `user.read`, and so on.
pub fn seen(ctx: &Ctx, privilege: &'static str, kind: Kind) -> Seen {
    let holder = match &ctx.actor {
        Actor::Keystead => return Seen::All,
        Actor::Anonymous | Actor::Enrolling(_) => return Seen::Only(Vec::new()),
        Actor::Holder(holder) => holder,
    };
    let uuids = |segments: std::collections::BTreeSet<String>| -> Vec<Uuid> {
        segments
            .iter()
            .filter_map(|segment| Id::parse_as(kind, "path", segment).ok())
            .collect()
    };
    match visible(
        &holder.facts.at(ctx.now()),
        &holder.principal,
        &constant(privilege),
        &collection(kind),
    ) {
        Visible::All => Seen::All,
        Visible::Only(segments) => Seen::Only(uuids(segments)),
        Visible::AllExcept(segments) => Seen::AllExcept(uuids(segments)),
    }
}

/// Where in the tree the actor holds the privilege, for lists of what may lie anywhere.
pub fn territory(ctx: &Ctx, privilege: &'static str) -> Territory {
    match &ctx.actor {
        Actor::Keystead => Territory::Everywhere,
        Actor::Anonymous | Actor::Enrolling(_) => Territory::Nowhere,
        Actor::Holder(holder) => crate::permissions::visible::territory(
            &holder.facts.at(ctx.now()),
            &holder.principal,
            &constant(privilege),
        ),
    }
}

/// `/users`, `/teams` …: where the objects of that kind live.
pub fn collection(kind: Kind) -> Path {
    static COLLECTIONS: LazyLock<[(Kind, Path); Kind::ALL.len()]> = LazyLock::new(|| {
        Kind::ALL.map(|kind| {
            let name = match kind {
                Kind::User => "/users",
                Kind::Team => "/teams",
                Kind::ApiKey => "/apiKeys",
                Kind::Role => "/roles",
                Kind::Permission => "/permissions",
                Kind::AuditEvent => "/auditEvents",
                Kind::Reservation => "/reservations",
                Kind::Webhook => "/webhooks",
                Kind::WebhookDelivery => "/webhookDeliveries",
                Kind::LimitPolicy => "/limitPolicies",
                Kind::Policy => "/policies",
                Kind::Invitation => "/invitations",
                Kind::Session => "/sessions",
                Kind::AccessRequest => "/accessRequests",
                Kind::SecondFactor => "/secondFactors",
                Kind::MagicLink => "/magicLinks",
            };
            (kind, Path::parse(name).expect("a constant"))
        })
    });
    let found = COLLECTIONS.iter().find(|(of, _)| *of == kind);
    found
        .map(|(_, path)| path.clone())
        .expect("every kind has one")
}

/// The path of an object, e.g. `/users/user_01…`.
pub fn object(kind: Kind, id: Uuid) -> Path {
    collection(kind)
        .join(&Id::new(kind, id).to_string())
        .expect("a typed id is a segment")
}

fn constant(privilege: &'static str) -> Privilege {
    Privilege::parse(privilege).expect("privileges of the guard are constants")
}

fn lacks(privilege: &str, path: &Path) -> Error {
    Error::new(
        Code::Forbidden,
        format!(
            "This needs the privilege {privilege} at {}, which you do not hold.",
            path.as_str()
        ),
    )
}

/// Refuses a change that would give `principal` rights which the actor lacks: it is measured by what the principal holds
/// `after` and did not hold `before`.
///
/// # Errors
/// `FORBIDDEN` naming the right, the path, and from when on.
pub fn may_give(
    ctx: &Ctx,
    before: &Facts,
    after: &Facts,
    principal: &Principal,
    exempt: &[Exempt],
) -> Result<()> {
    let Actor::Holder(holder) = &ctx.actor else {
        return authenticated(ctx);
    };
    let gained = gains(before, after, principal);
    ensure_may_give(
        &holder.facts.at(ctx.now()),
        &holder.principal,
        &gained,
        exempt,
    )
    .map_err(refusal)
}

/// Refuses to hand out `gains` that the actor lacks.
///
/// # Errors
/// As [`may_give`].
pub fn may_give_gains(ctx: &Ctx, gains: &[Gain]) -> Result<()> {
    let Actor::Holder(holder) = &ctx.actor else {
        return authenticated(ctx);
    };
    let facts = holder.facts.at(ctx.now());
    ensure_may_give(&facts, &holder.principal, gains, &[]).map_err(refusal)
}

/// Whether the actor may give anything: it holds everything at every path, whatever permissions say.
pub fn holds_everything(ctx: &Ctx) -> bool {
    match &ctx.actor {
        Actor::Keystead => true,
        Actor::Anonymous | Actor::Enrolling(_) => false,
        Actor::Holder(holder) => {
            check::holds_everything(&holder.facts.at(ctx.now()), &holder.principal)
        }
    }
}

/// Refuses to let the actor act as `other`: what answers as it needs all that it holds.
///
/// # Errors
/// As [`may_give`].
pub fn may_act_as(ctx: &Ctx, other: &Facts, principal: &Principal) -> Result<()> {
    let Actor::Holder(holder) = &ctx.actor else {
        return authenticated(ctx);
    };
    holds_all_of(
        &holder.facts.at(ctx.now()),
        &holder.principal,
        other,
        principal,
    )
    .map_err(refusal)
}

fn refusal(missing: Missing) -> Error {
    let mut text = missing.to_string();
    if let Some(first) = text.get(..1) {
        let first = first.to_uppercase();
        text.replace_range(..1, &first);
    }
    Error::forbidden(format!("{text}."))
}
