//! Nobody can hand out more than they hold.

use keystead::permissions::facts::{team_path, user_path};
use keystead::permissions::gains::{Exempt, Gain, Missing, ensure_may_give, gains, holds_all_of};
use keystead::permissions::model::{InstanceRole, TeamRole};
use keystead::permissions::path::Path;
use proptest::prelude::*;

use super::generate::{PRIVILEGES, asked_paths, change, who, world};
use super::oracle::{When, at, holds};
use super::world::{Who, World, id, minutes, now, role};

/// A privilege that the pattern stands for and that no role names.
fn example_of(pattern: &str) -> String {
    pattern.replace('*', "never.named")
}

/// What the actor holds: its accounts as they are now, its permissions as they will be.
fn actor_holds(actor: &World, privilege: &str, path: &str, minute: i64) -> bool {
    holds(
        actor,
        Who::User,
        privilege,
        path,
        When {
            status: 0,
            rows: minute,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn what_is_not_a_gain_is_not_gained((before, after) in change(), who in who()) {
        let gains = gains(&before.facts(), &after.facts(), &who.principal());
        for minute in 0..4 {
            let covered = |path: &Path, privilege: &str| gains.iter().any(|gain| {
                gain.from <= minutes(minute)
                    && gain.until.is_none_or(|until| minutes(minute) < until)
                    && path.starts_with(&gain.path)
                    && gain.privileges.contains(&privilege.parse().unwrap())
            });
            for path in asked_paths() {
                for privilege in PRIVILEGES {
                    let gained = holds(&after, who, privilege, &path, at(minute))
                        && !holds(&before, who, privilege, &path, at(minute));
                    prop_assert!(!gained || covered(&Path::parse(&path).unwrap(), privilege), "{} at {}", privilege, path);
                }
            }
        }
    }

    #[test]
    fn who_may_give_holds_what_is_gained((before, after) in change(), who in who(), actor in world()) {
        let gains = gains(&before.facts(), &after.facts(), &who.principal());
        match ensure_may_give(&actor.facts(), &Who::User.principal(), &gains, &[]) {
            Ok(()) => for minute in 0..4 {
                for path in asked_paths() {
                    for privilege in PRIVILEGES {
                        let gained = holds(&after, who, privilege, &path, at(minute))
                            && !holds(&before, who, privilege, &path, at(minute));
                        prop_assert!(!gained || actor_holds(&actor, privilege, &path, minute), "{} at {}", privilege, path);
                    }
                }
            },
            Err(missing) => {
                let privilege = example_of(&missing.privilege);
                let below = if missing.below { "/never-named" } else { "" };
                let path = format!("{}{below}", if missing.below && missing.path.is_root() { "" } else { missing.path.as_str() });
                let minute = missing.from.map_or(0, |from| (from - now()).num_minutes());
                let lacking = !actor_holds(&actor, &privilege, &path, minute);
                let gained = holds(&after, who, &privilege, &path, at(minute)) && !holds(&before, who, &privilege, &path, at(minute));
                prop_assert!(lacking && gained, "{} is no reason: {} at {}", missing, privilege, path);
            }
        }
    }

    #[test]
    fn everybody_holds_what_they_hold(world in world()) {
        let facts = world.facts();
        prop_assert_eq!(holds_all_of(&facts, &Who::User.principal(), &facts, &Who::User.principal()), Ok(()));
    }
}

fn may_give(actor: &World, before: &World, after: &World) -> Result<(), Missing> {
    let gains = gains(&before.facts(), &after.facts(), &Who::User.principal());
    ensure_may_give(&actor.facts(), &Who::User.principal(), &gains, &[])
}

/// Somebody who holds the role in `/a`; the numbers of users do not matter there.
fn holder(role: &'static str) -> World {
    World::default().grant(Who::User, "/a", role)
}

#[test]
fn a_right_that_is_held_can_be_given() {
    assert_eq!(
        may_give(&holder("EDIT"), &World::default(), &holder("READ")),
        Ok(())
    );
}

#[test]
fn a_right_that_is_not_held_cannot_be_given_and_is_named() {
    let missing = may_give(&holder("READ"), &World::default(), &holder("EDIT")).unwrap_err();
    assert_eq!(
        missing.to_string(),
        "nobody can hand out more than they hold: you lack *.edit at /a"
    );
}

#[test]
fn a_right_that_is_lacking_further_down_cannot_be_given_with_propagation() {
    let actor = holder("EDIT").grant(Who::User, "/a/b", "READ");
    let missing = may_give(&actor, &World::default(), &holder("EDIT")).unwrap_err();
    assert_eq!(
        (missing.privilege.as_str(), missing.path.as_str()),
        ("*.edit", "/a/b")
    );
    let here = World::default().here(Who::User, "/a", "EDIT");
    assert_eq!(may_give(&actor, &World::default(), &here), Ok(()));
    let hidden = holder("EDIT").grant(Who::User, "/a/b", "NO_ACCESS");
    assert_eq!(
        may_give(&actor, &World::default(), &hidden),
        Ok(()),
        "what is not gained below need not be held there"
    );
}

#[test]
fn taking_no_access_away_gives_what_it_hid() {
    let hidden = holder("EDIT").grant(Who::User, "/a/b", "NO_ACCESS");
    assert!(may_give(&World::default(), &hidden, &holder("EDIT")).is_err());
    assert_eq!(may_give(&holder("EDIT"), &hidden, &holder("EDIT")), Ok(()));
}

#[test]
fn taking_an_own_row_away_gives_what_it_hid_of_a_team() {
    let in_team = World::default()
        .team(2, None, Some(TeamRole::Member))
        .grant(Who::Team(2), "/a", "EDIT");
    let hidden = in_team.clone().grant(Who::User, "/a", "READ");
    assert_eq!(
        may_give(&holder("READ"), &hidden, &in_team)
            .unwrap_err()
            .privilege,
        "*.edit"
    );
}

#[test]
fn what_lasts_longer_is_more() {
    let until = |minute| World::default().row(Who::User, "/a", "READ", true, Some(minute));
    assert_eq!(may_give(&until(10), &World::default(), &until(10)), Ok(()));
    let missing = may_give(&until(10), &until(10), &until(20)).unwrap_err();
    assert_eq!(missing.from, Some(minutes(10)));
    assert!(
        missing
            .to_string()
            .ends_with("you lack *.read at /a from 2026-03-01T12:10:00Z on"),
        "{missing}"
    );
    assert_eq!(may_give(&holder("READ"), &until(10), &until(20)), Ok(()));
}

#[test]
fn a_row_that_hides_for_a_while_hides_no_gift() {
    let hidden = World::default().row(Who::User, "/a", "NO_ACCESS", true, Some(10));
    let after = hidden.clone().grant(Who::User, "/a", "EDIT");
    assert_eq!(
        may_give(&World::default(), &hidden, &after)
            .unwrap_err()
            .from,
        Some(minutes(10))
    );
}

#[test]
fn whoever_makes_an_administrator_holds_everything() {
    let admin = World::default().role(InstanceRole::Admin);
    let everything = World::default().grant(Who::User, "/", "ADMIN");
    assert_eq!(may_give(&admin, &World::default(), &admin), Ok(()));
    assert_eq!(may_give(&everything, &World::default(), &admin), Ok(()));
    let nearly = everything.grant(Who::User, "/a", "MANAGE");
    assert_eq!(
        may_give(&nearly, &World::default(), &admin)
            .unwrap_err()
            .path
            .as_str(),
        "/a"
    );
}

#[test]
fn a_grant_by_hand_reaches_as_far_as_it_propagates() {
    let path = Path::parse("/a").unwrap();
    let grant = |propagate| vec![Gain::of_grant(&path, &role("EDIT"), propagate, now(), None)];
    let actor = World::default().here(Who::User, "/a", "EDIT").facts();
    assert_eq!(
        ensure_may_give(&actor, &Who::User.principal(), &grant(false), &[]),
        Ok(())
    );
    let missing = ensure_may_give(&actor, &Who::User.principal(), &grant(true), &[]).unwrap_err();
    assert!(missing.below);
}

#[test]
fn what_a_user_holds_over_itself_can_be_exempt() {
    let clerk = World::default().grant(Who::User, "/users", "CLERK").facts();
    let (before, after) = (
        World {
            user: None,
            ..World::default()
        }
        .facts(),
        World::default().facts(),
    );
    let gains = gains(&before, &after, &Who::User.principal());
    assert_eq!(gains.len(), 2, "at its own path and below");
    assert!(gains.iter().all(|gain| gain.path == user_path(id(1))));
    let clerk_id = keystead::permissions::model::Principal::User(id(1));
    assert_eq!(
        ensure_may_give(&clerk, &clerk_id, &gains, &[Exempt::over_itself(id(1))]),
        Ok(())
    );
    let stranger = Who::Stranger.principal();
    assert!(ensure_may_give(&clerk, &stranger, &gains, &[Exempt::over_itself(id(2))]).is_err());
}

#[test]
fn what_a_team_s_maker_holds_over_it_can_be_exempt() {
    let member = World::default();
    let admin = World::default().team(2, None, Some(TeamRole::Admin));
    let gains = gains(&member.facts(), &admin.facts(), &Who::User.principal());
    assert!(gains.iter().all(|gain| gain.path == team_path(id(2))));
    let actor = member.facts();
    assert!(ensure_may_give(&actor, &Who::User.principal(), &gains, &[]).is_err());
    assert_eq!(
        ensure_may_give(
            &actor,
            &Who::User.principal(),
            &gains,
            &[Exempt::over_new_team(id(2))]
        ),
        Ok(())
    );
}
