//! The rule, sentence by sentence.

use keystead::permissions::check::{Decision, Reason, Refusal, check};
use keystead::permissions::explain::explain;
use keystead::permissions::model::{InstanceRole, TeamRole};
use keystead::permissions::path::Path;
use keystead::permissions::privilege::Privilege;

use super::world::{Who, World};

const MYSELF: &str = "/users/user_00000000000000000000000001";
const TEAM_2: &str = "/teams/team_00000000000000000000000002";

fn ask(world: &World, who: Who, privilege: &str, path: &str) -> Decision {
    let (privilege, path) = (
        Privilege::parse(privilege).unwrap(),
        Path::parse(path).unwrap(),
    );
    check(&world.facts(), &who.principal(), &privilege, &path)
}

/// What decided, as `ROLE at /path`, after whether it is allowed.
fn verdict(world: &World, who: Who, privilege: &str, path: &str) -> String {
    let decision = ask(world, who, privilege, path);
    let rows = decision
        .decided_by
        .iter()
        .map(|each| format!("{} at {}", each.role.name, each.path));
    let rows: Vec<String> = rows.collect();
    let by = if rows.is_empty() {
        "nothing".to_owned()
    } else {
        rows.join(" and ")
    };
    format!("{} by {by}", if decision.allowed { "yes" } else { "no" })
}

fn member() -> World {
    World::default()
}

/// A member of team 2, below team 3.
fn in_team() -> World {
    member()
        .team(2, Some(3), Some(TeamRole::Member))
        .team(3, None, None)
}

#[test]
fn each_sentence() {
    use Who::{Key, Team, User};
    #[rustfmt::skip]
    let cases: Vec<(&str, World, Who, &str, &str, &str)> = vec![
        ("1: a permission holds at its path", member().here(User, "/a", "READ"), User, "a.read", "/a", "yes by READ at /a"),
        ("1: it holds below if it propagates", member().grant(User, "/a", "READ"), User, "a.read", "/a/b/c", "yes by READ at /a"),
        ("1: it does not hold below if it does not", member().here(User, "/a", "READ"), User, "a.read", "/a/b", "no by nothing"),
        ("1: it does not hold above", member().grant(User, "/a/b", "READ"), User, "a.read", "/a", "no by nothing"),
        ("1: segments are whole", member().grant(User, "/a", "READ"), User, "a.read", "/ab", "no by nothing"),
        ("1: expired ones never apply", member().row(User, "/a", "READ", true, Some(0)), User, "a.read", "/a", "no by nothing"),
        ("1: until then they do", member().row(User, "/a", "READ", true, Some(1)), User, "a.read", "/a", "yes by READ at /a"),
        ("1: an expired one hides nothing", member().grant(User, "/", "READ").row(User, "/a", "NO_ACCESS", true, Some(-1)),
            User, "a.read", "/a", "yes by READ at /"),
        ("2: a team's permissions are its members'", in_team().grant(Team(2), "/a", "USE"), User, "a.use", "/a", "yes by USE at /a"),
        ("2: and so are its ancestors'", in_team().grant(Team(3), "/a", "USE"), User, "a.use", "/a", "yes by USE at /a"),
        ("2: they are united at one node", in_team().grant(Team(2), "/a", "BUILDER").grant(Team(3), "/a", "CLERK"),
            User, "x.y", "/a", "yes by BUILDER at /a and CLERK at /a"),
        ("2: own beats team at one node", in_team().grant(Team(2), "/a", "EDIT").grant(User, "/a", "READ"),
            User, "a.edit", "/a", "no by READ at /a"),
        ("2: an own expired one does not", in_team().grant(Team(2), "/a", "EDIT").row(User, "/a", "READ", true, Some(-5)),
            User, "a.edit", "/a", "yes by EDIT at /a"),
        ("2: depth beats kind", in_team().grant(User, "/", "READ").grant(Team(2), "/a", "EDIT"), User, "a.edit", "/a", "yes by EDIT at /a"),
        ("2: another team's do not count", in_team().grant(Team(4), "/a", "USE"), User, "a.use", "/a", "no by nothing"),
        ("3: deeper replaces", member().grant(User, "/", "EDIT").grant(User, "/a", "READ"), User, "a.edit", "/a/b", "no by READ at /a"),
        ("3: and what was above returns below a row that does not propagate",
            member().grant(User, "/", "EDIT").here(User, "/a", "READ"), User, "a.edit", "/a/b", "yes by EDIT at /"),
        ("3: though not at the row itself", member().grant(User, "/", "EDIT").here(User, "/a", "READ"),
            User, "a.edit", "/a", "no by READ at /a"),
        ("3: an empty node leaves it", member().grant(User, "/", "READ").grant(User, "/a/b", "EDIT"), User, "a.read", "/a/d", "yes by READ at /"),
        ("4: NO_ACCESS wins at one node", member().grant(User, "/a", "ADMIN").grant(User, "/a", "NO_ACCESS"),
            User, "a.read", "/a", "no by NO_ACCESS at /a"),
        ("4: also from one team over another", in_team().grant(Team(2), "/a", "EDIT").grant(Team(3), "/a", "NO_ACCESS"),
            User, "a.read", "/a", "no by NO_ACCESS at /a"),
        ("4: it reaches down", member().grant(User, "/", "READ").grant(User, "/a", "NO_ACCESS"), User, "a.read", "/a/b", "no by NO_ACCESS at /a"),
        ("4: it is lifted deeper", member().grant(User, "/a", "NO_ACCESS").grant(User, "/a/b", "READ"), User, "a.read", "/a/b/c", "yes by READ at /a/b"),
        ("4: roles are united", member().grant(User, "/a", "BUILDER").grant(User, "/a", "READ"), User, "a.read", "/a", "yes by READ at /a"),
        ("5: a key without its own answers as its owner", member().free_key().grant(User, "/a", "READ"), Key, "a.read", "/a", "yes by READ at /a"),
        ("5: so its rows do not matter", member().free_key().grant(Key, "/a", "READ"), Key, "a.read", "/a", "no by nothing"),
        ("5: a restricted key needs its own", member().restricted_key().grant(User, "/a", "READ"), Key, "a.read", "/a", "no by nothing"),
        ("5: and its owner's", member().restricted_key().grant(Key, "/a", "READ"), Key, "a.read", "/a", "no by nothing"),
        ("5: it holds what both hold", member().restricted_key().grant(Key, "/", "READ").grant(User, "/a", "EDIT"),
            Key, "a.read", "/a", "yes by READ at / and EDIT at /a"),
        ("5: not what only the owner holds", member().restricted_key().grant(Key, "/", "READ").grant(User, "/a", "EDIT"),
            Key, "a.edit", "/a", "no by READ at /"),
        ("5: the owner may hold it through a team", in_team().restricted_key().grant(Key, "/", "READ").grant(Team(3), "/a", "EDIT"),
            Key, "a.read", "/a", "yes by READ at / and EDIT at /a"),
        ("5: the key's rows do not hide the owner's", member().restricted_key().grant(User, "/", "EDIT").grant(Key, "/a", "READ"),
            User, "a.edit", "/a", "yes by EDIT at /"),
        ("an administrator holds everything", member().role(InstanceRole::Admin), User, "any.thing", "/any/where", "yes by nothing"),
        ("before any walk", member().role(InstanceRole::Admin).grant(User, "/a", "NO_ACCESS"), User, "a.read", "/a", "yes by nothing"),
        ("its free key too", member().role(InstanceRole::Admin).free_key(), Key, "any.thing", "/any", "yes by nothing"),
        ("its restricted key only what the key holds", member().role(InstanceRole::Admin).restricted_key().grant(Key, "/a", "READ"),
            Key, "a.read", "/a", "yes by READ at /a"),
        ("and no more", member().role(InstanceRole::Admin).restricted_key().grant(Key, "/a", "READ"), Key, "a.edit", "/a", "no by READ at /a"),
        ("an auditor reads everything", member().role(InstanceRole::Auditor), User, "audit.read", "/", "yes by AUDITOR at /"),
        ("and changes nothing", member().role(InstanceRole::Auditor), User, "user.write", "/users", "no by AUDITOR at /"),
        ("a member reads itself", member(), User, "user.read", MYSELF, "yes by SELF at /users/user_00000000000000000000000001"),
        ("a member makes its keys", member(), User, "apiKey.write", MYSELF, "yes by SELF at /users/user_00000000000000000000000001"),
        ("a member reads nobody else", member(), User, "user.read", "/users/user_00000000000000000000000002", "no by nothing"),
        ("a viewer reads itself", member().role(InstanceRole::Viewer), User, "user.read", MYSELF,
            "yes by SELF_VIEWER at /users/user_00000000000000000000000001"),
        ("a viewer makes no keys", member().role(InstanceRole::Viewer), User, "apiKey.write", MYSELF,
            "no by SELF_VIEWER at /users/user_00000000000000000000000001"),
        ("a team's member reads it", in_team(), User, "team.read", TEAM_2, "yes by TEAM_MEMBER at /teams/team_00000000000000000000000002"),
        ("and does not change it", in_team(), User, "team.write", TEAM_2, "no by TEAM_MEMBER at /teams/team_00000000000000000000000002"),
        ("its admin does", member().team(2, None, Some(TeamRole::Admin)), User, "team.write", TEAM_2,
            "yes by TEAM_ADMIN at /teams/team_00000000000000000000000002"),
        ("status adds: an auditor reads the audit trail of itself", member().role(InstanceRole::Auditor), User, "audit.read", MYSELF, "yes by AUDITOR at /"),
        ("it hides nothing from above", in_team().grant(User, "/", "MANAGE"), User, "team.write", TEAM_2, "yes by MANAGE at /"),
        ("nothing hides it", in_team().grant(User, TEAM_2, "BUILDER"), User, "team.read", TEAM_2,
            "yes by TEAM_MEMBER at /teams/team_00000000000000000000000002"),
        ("also below", in_team().grant(User, "/teams", "BUILDER"), User, "user.read", "/teams/team_00000000000000000000000002/x",
            "yes by TEAM_MEMBER at /teams/team_00000000000000000000000002"),
        ("but NO_ACCESS wins over it", in_team().grant(User, "/", "NO_ACCESS"), User, "team.read", TEAM_2, "no by NO_ACCESS at /"),
        ("unless it is lifted", in_team().grant(User, "/", "NO_ACCESS").grant(User, "/teams", "BUILDER"), User, "team.read", TEAM_2,
            "yes by TEAM_MEMBER at /teams/team_00000000000000000000000002"),
        ("an ancestor is not one's team", in_team(), User, "team.read", "/teams/team_00000000000000000000000003", "no by nothing"),
    ];
    for (sentence, world, who, privilege, path, expected) in cases {
        assert_eq!(
            verdict(&world, who, privilege, path),
            expected,
            "{sentence}"
        );
    }
}

#[test]
fn a_disabled_team_gives_nothing_and_lets_nothing_through() {
    let world = in_team().team(4, None, Some(TeamRole::Member));
    let mut world = world
        .grant(Who::Team(2), "/a", "READ")
        .grant(Who::Team(3), "/ab", "READ")
        .grant(Who::Team(4), "/x", "READ");
    world.teams[0].enabled = false;
    for (path, expected) in [("/a", false), ("/ab", false), (TEAM_2, false), ("/x", true)] {
        assert_eq!(
            ask(&world, Who::User, "a.read", path).allowed,
            expected,
            "{path}"
        );
    }
}

#[test]
fn a_team_holds_its_own_and_its_ancestors() {
    let mut world = World {
        user: None,
        asked_team: Some(2),
        ..member().team(2, Some(3), None).team(3, None, None)
    };
    world = world
        .grant(Who::Team(2), "/a", "READ")
        .grant(Who::Team(3), "/ab", "READ");
    assert_eq!(
        verdict(&world, Who::Team(2), "a.read", "/a"),
        "yes by READ at /a"
    );
    assert_eq!(
        verdict(&world, Who::Team(2), "a.read", "/ab"),
        "yes by READ at /ab"
    );
    world.teams[0].enabled = false;
    assert_eq!(
        ask(&world, Who::Team(2), "a.read", "/a").reason,
        Reason::Refused(Refusal::Disabled)
    );
}

#[test]
fn whoever_is_disabled_or_expired_holds_nothing() {
    let world = member().role(InstanceRole::Admin).free_key();
    let broken = |change: fn(&mut World)| {
        let mut world = world.clone();
        change(&mut world);
        (
            ask(&world, Who::User, "a.read", "/a").reason,
            ask(&world, Who::Key, "a.read", "/a").reason,
        )
    };
    use Reason::{InstanceAdmin, OwnerRefused, Refused};
    let refused = |refusal| (Refused(refusal), OwnerRefused(refusal));
    assert_eq!(
        broken(|world| world.user.as_mut().unwrap().enabled = false),
        refused(Refusal::Disabled)
    );
    assert_eq!(
        broken(|world| world.user.as_mut().unwrap().expires = Some(0)),
        refused(Refusal::Expired)
    );
    let only_key = |refusal| (InstanceAdmin, Refused(refusal));
    assert_eq!(
        broken(|world| world.key.as_mut().unwrap().enabled = false),
        only_key(Refusal::Disabled)
    );
    assert_eq!(
        broken(|world| world.key.as_mut().unwrap().expires = Some(0)),
        only_key(Refusal::Expired)
    );
}

#[test]
fn facts_say_nothing_of_others() {
    let world = member().role(InstanceRole::Admin);
    assert_eq!(
        ask(&world, Who::Stranger, "a.read", "/a").reason,
        Reason::Refused(Refusal::Unknown)
    );
    assert_eq!(
        ask(&world, Who::Key, "a.read", "/a").reason,
        Reason::Refused(Refusal::Unknown)
    );
    assert_eq!(
        ask(&world, Who::Team(2), "a.read", "/a").reason,
        Reason::Refused(Refusal::Unknown)
    );
}

#[test]
fn derived_permissions_have_the_same_id_everywhere() {
    let id_of = |world: &World| ask(world, Who::User, "user.read", MYSELF).decided_by[0].id;
    assert_eq!(
        id_of(&member()),
        id_of(&in_team().grant(Who::User, "/a", "READ"))
    );
    assert_ne!(
        id_of(&member()),
        id_of(&member().role(InstanceRole::Viewer))
    );
    assert_eq!(id_of(&member()).get_version_num(), 8);
}

#[test]
fn a_decision_explains_itself() {
    let explained = |world: &World, who, path: &str| {
        let (privilege, path) = (
            Privilege::parse("a.edit").unwrap(),
            Path::parse(path).unwrap(),
        );
        explain(
            &check(&world.facts(), &Who::principal(who), &privilege, &path),
            "ada",
            &privilege,
            &path,
        )
    };
    let team = in_team().grant(Who::Team(2), "/a", "EDIT");
    assert_eq!(
        explained(&team, Who::User, "/a/b"),
        "ada may a.edit at /a/b: it is included in the role EDIT through a team at /a."
    );
    assert_eq!(
        explained(&team, Who::User, "/b"),
        "ada may not a.edit at /b: no permission applies at this path."
    );
    let read = team.clone().grant(Who::User, "/a", "READ");
    assert_eq!(
        explained(&read, Who::User, "/a"),
        "ada may not a.edit at /a: it is not included in the role READ at /a, which decides at this path."
    );
    let none = read.clone().grant(Who::User, "/a", "NO_ACCESS");
    assert_eq!(
        explained(&none, Who::User, "/a"),
        "ada may not a.edit at /a: the role NO_ACCESS at /a takes everything away."
    );
    let admin = member().role(InstanceRole::Admin);
    assert_eq!(
        explained(&admin, Who::User, "/a"),
        "ada may a.edit at /a: an administrator of the instance holds everything."
    );
    let key = read.restricted_key().grant(Who::Key, "/", "EDIT");
    assert_eq!(
        explained(&key, Who::Key, "/a"),
        "ada may not a.edit at /a: a key holds at most what its owner holds, and it is not included in the role READ at /a, \
         which decides at this path."
    );
}
