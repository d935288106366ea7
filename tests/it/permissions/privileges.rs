//! Sets of privileges and their algebra.

use keystead::permissions::privilege::{MAX_BYTES, Privilege, PrivilegeSet};
use proptest::prelude::*;

#[test]
fn the_vocabulary() {
    for right in [
        "a",
        "user.read",
        "apiKey.write",
        "Model_2.use",
        "a..b",
        "a.",
    ] {
        assert_eq!(Privilege::parse(right).unwrap().as_str(), right);
    }
    let long = "a".repeat(MAX_BYTES + 1);
    for wrong in [
        "", ".a", "1a", "_a", "a-b", "a b", "é", "aé", "*", "*.read", "a*", &long,
    ] {
        let error = Privilege::parse(wrong).unwrap_err().to_string();
        assert!(
            error.contains("is not a privilege") && error.contains("model.use"),
            "{error}"
        );
    }
    assert!(Privilege::parse(&long[1..]).is_ok());
}

#[test]
fn patterns() {
    let reads = PrivilegeSet::from_patterns(["*.read", "user.read", "user.write"]).unwrap();
    assert_eq!(reads.to_patterns(), ["*.read", "user.write"]);
    for (privilege, expected) in [
        ("user.read", true),
        ("a.b.read", true),
        ("read", true),
        ("user.write", true),
        ("read.x", false),
        ("xread", false),
    ] {
        assert_eq!(
            reads.contains(&Privilege::parse(privilege).unwrap()),
            expected,
            "{privilege}"
        );
    }
    for wrong in ["**", "*.", "*.a.b", "*read", "a.*", "*.*"] {
        assert!(PrivilegeSet::from_patterns([wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn missing_names_what_is_lacking() {
    let set = |patterns: &[&str]| PrivilegeSet::from_patterns(patterns).unwrap();
    let held = set(&["*.read", "a.use"]);
    for (wanted, missing) in [
        (set(&["x.read", "a.use"]), vec![]),
        (set(&["*.use", "a.use"]), vec!["*.use"]),
        (set(&["*"]), vec!["*"]),
        (set(&["b.use", "*.read"]), vec!["b.use"]),
    ] {
        assert_eq!(wanted.missing(&held).to_patterns(), missing);
        assert_eq!(held.is_superset(&wanted), missing.is_empty());
    }
    assert!(PrivilegeSet::all().is_superset(&held) && held.is_superset(&PrivilegeSet::none()));
}

fn privilege() -> impl Strategy<Value = Privilege> {
    "[ab]\\.(read|use|x)|read|c".prop_map(|name| Privilege::parse(&name).unwrap())
}

fn set() -> impl Strategy<Value = PrivilegeSet> {
    prop::collection::vec("[ab]\\.(read|use|x)|read|\\*\\.(read|use)", 0..4).prop_flat_map(
        |patterns| {
            prop::bool::weighted(0.1).prop_map(move |all| {
                let set = PrivilegeSet::from_patterns(&patterns).unwrap();
                if all {
                    set.union(&PrivilegeSet::all())
                } else {
                    set
                }
            })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn algebra(left in set(), right in set(), privilege in privilege()) {
        let (in_left, in_right) = (left.contains(&privilege), right.contains(&privilege));
        prop_assert_eq!(left.clone().union(&right).contains(&privilege), in_left || in_right);
        prop_assert_eq!(left.intersection(&right).contains(&privilege), in_left && in_right);
        prop_assert!(!in_left || in_right || left.missing(&right).contains(&privilege));
        prop_assert!(!left.is_superset(&right) || in_left || !in_right);
        prop_assert!(left.is_superset(&left) && left.clone().union(&right).is_superset(&left));
        prop_assert!(left.is_superset(&left.intersection(&right)));
        let read_back = PrivilegeSet::from_patterns(left.to_patterns()).unwrap();
        prop_assert!(read_back.is_superset(&left) && left.is_superset(&read_back));
    }
}
