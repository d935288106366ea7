//! Worlds in which everything collides: few paths, few roles, teams above teams, and everything about to expire.

use keystead::permissions::model::{InstanceRole, TeamRole};
use proptest::prelude::*;
use proptest::sample::select;

use super::world::{Account, Key, Row, Team, Who, World};

pub const PATHS: [&str; 10] = [
    "/",
    "/a",
    "/a/b",
    "/a/b/c",
    "/a/d",
    "/ab",
    "/users",
    "/users/user_00000000000000000000000001",
    "/teams",
    "/teams/team_00000000000000000000000002",
];

/// Paths that are asked about: those above, and some that no row ever names.
pub fn asked_paths() -> Vec<String> {
    let fresh = PATHS
        .iter()
        .map(|path| format!("{}/fresh", path.trim_end_matches('/')));
    let deeper = ["/a/b/c/fresh/deeper".to_owned(), "/ab/b".to_owned()];
    PATHS
        .iter()
        .map(ToString::to_string)
        .chain(fresh)
        .chain(deeper)
        .collect()
}

pub const PRIVILEGES: [&str; 9] = [
    "a.read",
    "a.use",
    "a.edit",
    "user.read",
    "apiKey.write",
    "team.write",
    "audit.read",
    "x.y",
    "else",
];

const ROLES: [&str; 7] = [
    "READ",
    "EDIT",
    "MANAGE",
    "ADMIN",
    "NO_ACCESS",
    "BUILDER",
    "CLERK",
];

fn expires() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![4 => Just(None), 1 => (-1..=3_i64).prop_map(Some)]
}

fn mostly() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.85)
}

pub fn who() -> impl Strategy<Value = Who> {
    prop_oneof![4 => Just(Who::User), 3 => (1..=4_u8).prop_map(Who::Team), 2 => Just(Who::Key), 1 => Just(Who::Stranger)]
}

pub fn row() -> impl Strategy<Value = Row> {
    let parts = (
        who(),
        select(&PATHS[..]),
        select(&ROLES[..]),
        prop::bool::weighted(0.7),
        expires(),
    );
    parts.prop_map(|(who, path, role, propagate, expires)| Row {
        who,
        path,
        role,
        propagate,
        expires,
    })
}

pub fn account() -> impl Strategy<Value = Account> {
    let role = prop_oneof![
        1 => Just(InstanceRole::Admin),
        2 => Just(InstanceRole::Auditor),
        6 => Just(InstanceRole::Member),
        2 => Just(InstanceRole::Viewer),
    ];
    (role, mostly(), expires()).prop_map(|(role, enabled, expires)| Account {
        role,
        enabled,
        expires,
    })
}

fn team(id: u8) -> impl Strategy<Value = Team> {
    let role = select(vec![
        None,
        None,
        Some(TeamRole::Admin),
        Some(TeamRole::Member),
    ]);
    let parts = (prop::option::of(1..=4_u8), role, mostly(), expires());
    parts.prop_map(move |(parent, role, enabled, until)| Team {
        id,
        parent,
        role,
        enabled,
        until: until.filter(|_| role.is_some()),
    })
}

fn key() -> impl Strategy<Value = Key> {
    let parts = (prop::bool::weighted(0.7), mostly(), mostly(), expires());
    parts.prop_map(|(restricted, enabled, team_enabled, expires)| Key {
        restricted,
        enabled,
        team_enabled,
        expires,
    })
}

/// A user with teams, and perhaps a key.
pub fn world() -> impl Strategy<Value = World> {
    let teams = prop::sample::subsequence(vec![1, 2, 3, 4], 0..=4).prop_flat_map(|ids| {
        ids.into_iter()
            .map(|id| team(id).boxed())
            .collect::<Vec<_>>()
    });
    let parts = (
        account(),
        teams,
        prop::option::of(key()),
        prop::collection::vec(row(), 0..8),
    );
    parts.prop_map(|(user, teams, key, rows)| World {
        user: Some(user),
        asked_team: None,
        teams,
        key,
        rows,
    })
}

/// A team with others above it.
pub fn world_of_team() -> impl Strategy<Value = World> {
    world().prop_map(|mut world| {
        world.teams.iter_mut().for_each(|team| team.role = None);
        World {
            user: None,
            key: None,
            asked_team: world.teams.first().map(|team| team.id),
            ..world
        }
    })
}

/// A world, and the same after a change of one or two things.
pub fn change() -> impl Strategy<Value = (World, World)> {
    let step = prop_oneof![
        3 => row().prop_map(Step::Add),
        3 => any::<prop::sample::Index>().prop_map(Step::Remove),
        2 => (any::<prop::sample::Index>(), expires()).prop_map(|(index, expires)| Step::Expire(index, expires)),
        1 => account().prop_map(Step::Account),
        1 => any::<prop::sample::Index>().prop_map(Step::ToggleTeam),
        1 => key().prop_map(Step::Key),
    ];
    (world(), prop::collection::vec(step, 1..3)).prop_map(|(before, steps)| {
        let after = steps.into_iter().fold(before.clone(), apply);
        (before, after)
    })
}

#[derive(Debug, Clone)]
enum Step {
    Add(Row),
    Remove(prop::sample::Index),
    Expire(prop::sample::Index, Option<i64>),
    Account(Account),
    ToggleTeam(prop::sample::Index),
    Key(Key),
}

fn apply(mut world: World, step: Step) -> World {
    match step {
        Step::Add(row) => world.rows.push(row),
        Step::Remove(index) if !world.rows.is_empty() => {
            world.rows.remove(index.index(world.rows.len()));
        }
        Step::Expire(index, expires) if !world.rows.is_empty() => {
            let index = index.index(world.rows.len());
            world.rows[index].expires = expires;
        }
        Step::Account(account) => world.user = Some(account),
        Step::ToggleTeam(index) if !world.teams.is_empty() => {
            let index = index.index(world.teams.len());
            world.teams[index].enabled ^= true;
        }
        Step::Key(key) => world.key = Some(key),
        _ => {}
    }
    world
}
