//! The check, and what is built on it, against the slow implementation on generated worlds.

use keystead::permissions::check::{check, privileges_at};
use keystead::permissions::effective::effective;
use keystead::permissions::path::Path;
use keystead::permissions::privilege::Privilege;
use keystead::permissions::visible::{territory, visible};
use proptest::prelude::*;

use super::generate::{PATHS, PRIVILEGES, asked_paths, who, world, world_of_team};
use super::oracle::{at, holds};
use super::world::{Who, World, minutes};

fn agrees(world: &World, who: Who, minute: i64) -> Result<(), TestCaseError> {
    let facts = world.facts().at(minutes(minute));
    for path in asked_paths() {
        for privilege in PRIVILEGES {
            let expected = holds(world, who, privilege, &path, at(minute));
            let (parsed, name) = (
                Path::parse(&path).unwrap(),
                Privilege::parse(privilege).unwrap(),
            );
            let decision = check(&facts, &who.principal(), &name, &parsed);
            prop_assert_eq!(
                decision.allowed,
                expected,
                "{} at {}: {:?}",
                privilege,
                path,
                decision
            );
            let set = privileges_at(&facts, &who.principal(), &parsed, false);
            prop_assert_eq!(
                set.contains(&name),
                expected,
                "the set at {} says otherwise: {:?}",
                path,
                set
            );
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn check_answers_as_the_rule_says(world in world(), who in who(), minute in 0..4_i64) {
        agrees(&world, who, minute)?;
    }

    #[test]
    fn check_answers_for_teams_as_the_rule_says(world in world_of_team(), minute in 0..4_i64) {
        if let Some(team) = world.asked_team {
            agrees(&world, Who::Team(team), minute)?;
        }
    }

    #[test]
    fn only_what_was_decided_upon_is_named(world in world(), who in who(), path in prop::sample::select(&PATHS[..])) {
        let (facts, path) = (world.facts(), Path::parse(path).unwrap());
        for privilege in PRIVILEGES {
            let privilege = Privilege::parse(privilege).unwrap();
            let decision = check(&facts, &who.principal(), &privilege, &path);
            for permission in &decision.decided_by {
                prop_assert!(path.starts_with(&permission.path));
                prop_assert!(permission.path == path || permission.propagate);
                prop_assert!(permission.expires_at.is_none_or(|end| end > facts.now()));
                prop_assert!(!decision.allowed || permission.role.privileges.contains(&privilege));
            }
        }
    }

    #[test]
    fn visible_is_the_check_on_each_child(
        world in world(), who in who(), collection in prop::sample::select(&PATHS[..]), minute in 0..4_i64,
    ) {
        let facts = world.facts().at(minutes(minute));
        let parent = Path::parse(collection).unwrap();
        for privilege in PRIVILEGES {
            let visible = visible(&facts, &who.principal(), &Privilege::parse(privilege).unwrap(), &parent);
            let segments = PATHS.iter().flat_map(|path| path.split('/')).filter(|segment| !segment.is_empty());
            for segment in segments.chain(["fresh"]) {
                let child = format!("{}/{segment}", collection.trim_end_matches('/'));
                let expected = holds(&world, who, privilege, &child, at(minute));
                prop_assert_eq!(visible.contains(segment), expected, "{} at {}: {:?}", privilege, child, visible);
            }
        }
    }

    #[test]
    fn the_territory_is_where_the_check_says_yes(world in world(), who in who(), minute in 0..4_i64) {
        let facts = world.facts().at(minutes(minute));
        for privilege in PRIVILEGES {
            let territory = territory(&facts, &who.principal(), &Privilege::parse(privilege).unwrap());
            for path in asked_paths() {
                let expected = holds(&world, who, privilege, &path, at(minute));
                prop_assert_eq!(territory.contains(&Path::parse(&path).unwrap()), expected, "{} at {}", privilege, path);
            }
        }
    }

    #[test]
    fn effective_says_what_is_held_anywhere_below(
        world in world(), who in who(), prefix in prop::sample::select(&PATHS[..]), minute in 0..4_i64,
    ) {
        let facts = world.facts().at(minutes(minute));
        let listed = effective(&facts, &who.principal(), &Path::parse(prefix).unwrap());
        let under = format!("{}/", prefix.trim_end_matches('/'));
        for asked in asked_paths().iter().filter(|path| *path == prefix || path.starts_with(&under)) {
            let asked_path = Path::parse(asked).unwrap();
            let nearest = listed.iter().rfind(|entry| asked_path.starts_with(&entry.path)).unwrap();
            let set = if nearest.path == asked_path { &nearest.privileges } else { &nearest.below };
            for privilege in PRIVILEGES {
                let expected = holds(&world, who, privilege, asked, at(minute));
                prop_assert_eq!(set.contains(&Privilege::parse(privilege).unwrap()), expected, "{} at {}", privilege, asked);
            }
        }
    }
}
