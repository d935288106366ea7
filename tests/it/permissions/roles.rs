//! The roles that are built in.

use std::collections::HashSet;

use keystead::permissions::role::{self, BUILT_IN, BuiltIn};

#[test]
fn each_holds_what_the_one_before_holds() {
    let ladder = [role::READ, role::USE, role::EDIT, role::MANAGE, role::ADMIN];
    for pair in ladder.windows(2) {
        assert!(
            pair[1]
                .facts()
                .privileges
                .is_superset(&pair[0].facts().privileges),
            "{} ⊃ {}",
            pair[1].name,
            pair[0].name
        );
        assert!(
            !pair[0]
                .facts()
                .privileges
                .is_superset(&pair[1].facts().privileges),
            "{} ⊉ {}",
            pair[0].name,
            pair[1].name
        );
    }
    assert!(
        role::NO_ACCESS.facts().privileges.is_empty() && role::NO_ACCESS.facts().is_no_access()
    );
    assert!(
        role::SELF
            .facts()
            .privileges
            .is_superset(&role::SELF_VIEWER.facts().privileges)
    );
    assert!(
        role::TEAM_ADMIN
            .facts()
            .privileges
            .is_superset(&role::TEAM_MEMBER.facts().privileges)
    );
}

#[test]
fn ids_and_names_are_their_own() {
    let ids: HashSet<_> = BUILT_IN.iter().map(|role| role.id).collect();
    let names: HashSet<_> = BUILT_IN.iter().map(|role| role.name).collect();
    assert_eq!((ids.len(), names.len()), (BUILT_IN.len(), BUILT_IN.len()));
    for role in &BUILT_IN {
        assert_eq!(role.id.get_version_num(), 8);
        assert_eq!(
            role.facts().privileges.to_patterns(),
            role.privileges,
            "{}: in the order in which sets are shown",
            role.name
        );
        assert_eq!(BuiltIn::by_id(role.id), Some(role));
        assert_eq!(BuiltIn::by_name(&role.name.to_lowercase()), Some(role));
        assert!(!role.description.is_empty());
    }
    assert_eq!(BuiltIn::by_name("BUILDER"), None);
}

#[test]
fn what_comes_with_a_status_cannot_be_granted() {
    let derived: Vec<_> = BUILT_IN
        .iter()
        .filter(|role| !role.grantable)
        .map(|role| role.name)
        .collect();
    assert_eq!(
        derived,
        ["SELF", "SELF_VIEWER", "TEAM_ADMIN", "TEAM_MEMBER"]
    );
}
