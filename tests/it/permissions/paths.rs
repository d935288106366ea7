//! Paths have one form, and say what is wrong with any other.

use keystead::permissions::facts::{team_path, user_path};
use keystead::permissions::path::{MAX_BYTES, MAX_SEGMENTS, Path};
use proptest::prelude::*;
use uuid::Uuid;

fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

#[test]
fn canonical_form() {
    for (given, canonical) in [
        ("/", "/"),
        ("/models/gpt-4o", "/models/gpt-4o"),
        ("/%6Dodels/a%2fb", "/models/a%2Fb"),
        ("/a%20b/%c3%a9", "/a%20b/%C3%A9"),
        ("/a:b@c,d;e=f+g!$&'()*~._-", "/a:b@c,d;e=f+g!$&'()*~._-"),
        ("/%3A%40", "/:@"),
        ("/...", "/..."),
        ("/%25", "/%25"),
    ] {
        assert_eq!(path(given).as_str(), canonical);
    }
}

#[test]
fn what_is_wrong_is_said() {
    let long = format!("/{}", "a".repeat(MAX_BYTES));
    let deep = "/a".repeat(MAX_SEGMENTS + 1);
    for (given, said) in [
        ("", "must begin with \"/\""),
        ("users", "must begin with \"/\""),
        ("//", "empty segment"),
        ("/users/", "empty segment"),
        ("/a//b", "empty segment"),
        ("/a/../b", "\".\" and \"..\""),
        ("/%2e%2E", "\".\" and \"..\""),
        ("/a b", "' ' must be percent-encoded, as %20"),
        ("/é", "'é' must be percent-encoded, as %C3%A9"),
        ("/a?b", "'?' must be percent-encoded, as %3F"),
        ("/a\u{202e}", "must be percent-encoded, as %E2%80%AE"),
        ("/%", "two hexadecimal digits"),
        ("/%4", "two hexadecimal digits"),
        ("/%+4", "two hexadecimal digits"),
        ("/%é", "two hexadecimal digits"),
        ("/%ff", "must be UTF-8"),
        ("/%00", "control characters"),
        ("/%C2%85", "control characters"),
        (&long, "at most 512 bytes"),
        (&deep, "at most 16 segments"),
    ] {
        let error = Path::parse(given).unwrap_err().to_string();
        assert!(error.contains(said), "{given:?}: {error}");
        assert!(error.len() < 400, "the value is shortened: {error}");
    }
    assert!(Path::parse(&long[..MAX_BYTES]).is_ok());
    assert!(Path::parse(&deep[2..]).is_ok());
}

#[test]
fn family() {
    let deep = path("/a/b/c");
    assert_eq!(
        deep.ancestors().collect::<Vec<_>>(),
        ["/", "/a", "/a/b", "/a/b/c"]
    );
    assert_eq!(Path::root().ancestors().collect::<Vec<_>>(), ["/"]);
    assert_eq!(deep.parent(), Some(path("/a/b")));
    assert_eq!(path("/a").parent(), Some(Path::root()));
    assert_eq!(Path::root().parent(), None);
    assert!(
        deep.starts_with(&path("/a")) && deep.starts_with(&deep) && deep.starts_with(&Path::root())
    );
    assert!(!path("/ab").starts_with(&path("/a")) && !path("/a").starts_with(&path("/a/b")));
    assert_eq!(path("/a/b").child_of(&path("/a")), Some("b"));
    assert_eq!(path("/a").child_of(&Path::root()), Some("a"));
    assert_eq!(deep.child_of(&path("/a")), None);
    assert_eq!(Path::root().child_of(&Path::root()), None);
}

#[test]
fn joining_encodes() {
    assert_eq!(
        Path::root()
            .join("models")
            .unwrap()
            .join("a/b c%")
            .unwrap()
            .as_str(),
        "/models/a%2Fb%20c%25"
    );
    for wrong in ["", ".", "..", "a\0"] {
        assert!(path("/a").join(wrong).is_err(), "{wrong:?}");
    }
    assert!(path(&"/a".repeat(MAX_SEGMENTS)).join("b").is_err());
    assert!(
        path("/a").join(&"é".repeat(100)).is_err(),
        "600 bytes once encoded"
    );
}

#[test]
fn paths_are_strings_in_json() {
    assert_eq!(serde_json::to_string(&path("/a%2f")).unwrap(), "\"/a%2F\"");
    assert_eq!(
        serde_json::from_str::<Path>("\"/a%2f\"").unwrap(),
        path("/a%2F")
    );
    assert!(serde_json::from_str::<Path>("\"a\"").is_err());
}

#[test]
fn users_and_teams_have_paths_of_typed_ids() {
    let id = Uuid::parse_str("01890a5d-ac96-774b-bcce-b302099a8057").unwrap();
    assert_eq!(
        user_path(id).as_str(),
        "/users/user_01h455vb4pex5vsknk084sn02q"
    );
    assert_eq!(
        team_path(Uuid::max()).as_str(),
        "/teams/team_7zzzzzzzzzzzzzzzzzzzzzzzzz"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn any_text_is_a_path_or_an_error(text in "(/|%|[a-f0-9%/.]|\\PC){0,40}") {
        if let Ok(path) = Path::parse(&text) {
            prop_assert_eq!(&Path::parse(path.as_str()).unwrap(), &path);
            prop_assert!(path.as_str().is_ascii());
            let rebuilt = path.ancestors().skip(1).map(|node| Path::parse(node).unwrap()).last().unwrap_or(Path::root());
            prop_assert_eq!(rebuilt, path);
        }
    }

    #[test]
    fn any_plain_segment_can_be_joined(segment in "[^\\p{Cc}]{1,20}") {
        prop_assume!(segment != "." && segment != "..");
        let joined = Path::parse("/a").unwrap().join(&segment).unwrap();
        prop_assert_eq!(joined.segments().count(), 2);
        prop_assert_eq!(Path::parse(joined.as_str()).unwrap(), joined.clone());
        prop_assert_eq!(joined.parent(), Some(Path::parse("/a").unwrap()));
    }
}
