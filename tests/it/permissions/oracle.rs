//! The rule once more, slowly and obviously, over strings: what the real check is compared with. It shares no code with it.

use keystead::permissions::model::{InstanceRole, TeamRole};

use super::world::{CUSTOM, Row, Team, Who, World};

/// At which minute accounts are looked at, and at which permissions are.
#[derive(Debug, Clone, Copy)]
pub struct When {
    pub status: i64,
    pub rows: i64,
}

pub fn at(minute: i64) -> When {
    When {
        status: minute,
        rows: minute,
    }
}

/// Whether that principal of the world holds the privilege at the path.
pub fn holds(world: &World, who: Who, privilege: &str, path: &str, when: When) -> bool {
    let alive = |enabled: bool, expires: Option<i64>| {
        enabled && expires.is_none_or(|end| end > when.status)
    };
    let user_alive = world
        .user
        .as_ref()
        .is_some_and(|user| alive(user.enabled, user.expires));
    let user_is_admin = world
        .user
        .as_ref()
        .is_some_and(|user| user.role == InstanceRole::Admin);
    let user_holds =
        || user_alive && (user_is_admin || by_walk(world, false, privilege, path, when.rows));
    match who {
        Who::Stranger => false,
        Who::User => user_holds(),
        Who::Team(id) => {
            world.asked_team == Some(id) && by_walk(world, false, privilege, path, when.rows)
        }
        Who::Key => match &world.key {
            None => false,
            Some(key) if !alive(key.enabled && key.team_enabled, key.expires) => false,
            Some(key) if !key.restricted => user_holds(),
            Some(_) => user_holds() && by_walk(world, true, privilege, path, when.rows),
        },
    }
}

fn by_walk(world: &World, of_key: bool, privilege: &str, path: &str, minute: i64) -> bool {
    let rows: Vec<OwnedRow> = world.rows.iter().map(stored).collect();
    let mut current: Vec<&OwnedRow> = Vec::new();
    for node in nodes(path) {
        let applying: Vec<&OwnedRow> = rows
            .iter()
            .filter(|row| row.path == node)
            .filter(|row| row.path == path || row.propagate)
            .filter(|row| row.expires.is_none() || row.expires.unwrap() > minute)
            .collect();
        let of = |test: &dyn Fn(Who) -> bool| -> Vec<&OwnedRow> {
            applying
                .iter()
                .copied()
                .filter(|row| test(row.who))
                .collect()
        };
        let yielded = if of_key {
            of(&|who| who == Who::Key)
        } else {
            let own = of(&|who| who == Who::User && world.user.is_some());
            if own.is_empty() {
                of(&|who| matches!(who, Who::Team(id) if reaches(world, id, minute)))
            } else {
                own
            }
        };
        if !yielded.is_empty() {
            current = yielded;
        }
    }
    let by_status = if of_key {
        Vec::new()
    } else {
        derived_rows(world, minute)
    };
    current.extend(
        by_status
            .iter()
            .filter(|row| nodes(path).contains(&row.path)),
    );
    if current.iter().any(|row| row.role == "NO_ACCESS") {
        return false;
    }
    current.iter().any(|row| includes(row.role, privilege))
}

struct OwnedRow {
    who: Who,
    path: String,
    role: &'static str,
    propagate: bool,
    expires: Option<i64>,
}

/// What comes with a status: it adds, and never hides.
fn derived_rows(world: &World, minute: i64) -> Vec<OwnedRow> {
    let mut rows = Vec::new();
    let derived = |who, path: &str, role| OwnedRow {
        who,
        path: path.to_owned(),
        role,
        propagate: true,
        expires: None,
    };
    if let Some(user) = &world.user {
        if user.role == InstanceRole::Auditor {
            rows.push(derived(Who::User, "/", "AUDITOR"));
        }
        let own = if user.role == InstanceRole::Viewer {
            "SELF_VIEWER"
        } else {
            "SELF"
        };
        rows.push(derived(
            Who::User,
            "/users/user_00000000000000000000000001",
            own,
        ));
        let reaching = |team: &&Team| reaches(world, team.id, minute);
        for team in world.teams.iter().filter(reaching) {
            let path = format!("/teams/team_0000000000000000000000000{}", team.id);
            match team.role.filter(|_| belongs(team, minute)) {
                Some(TeamRole::Admin) => {
                    rows.push(derived(Who::Team(team.id), &path, "TEAM_ADMIN"))
                }
                Some(TeamRole::Member) => {
                    rows.push(derived(Who::Team(team.id), &path, "TEAM_MEMBER"))
                }
                None => {}
            }
        }
    }
    rows
}

fn stored(row: &Row) -> OwnedRow {
    OwnedRow {
        who: row.who,
        path: row.path.to_owned(),
        role: row.role,
        propagate: row.propagate,
        expires: row.expires,
    }
}

/// Whether there is a chain of enabled teams from one that counts as the holder's own up to this one.
fn reaches(world: &World, id: u8, minute: i64) -> bool {
    world.teams.iter().any(|start| {
        let own = belongs(start, minute) || world.asked_team == Some(start.id);
        own && chain(world, start).iter().any(|team| team.id == id)
    })
}

/// Whether the user belongs to the team itself at that minute.
fn belongs(team: &Team, minute: i64) -> bool {
    team.role.is_some() && team.until.is_none_or(|end| end > minute)
}

fn chain<'a>(world: &'a World, start: &'a Team) -> Vec<&'a Team> {
    let mut chain: Vec<&Team> = Vec::new();
    let mut next = Some(start);
    while let Some(team) = next {
        if !team.enabled || chain.len() > world.teams.len() {
            break;
        }
        chain.push(team);
        next = world
            .teams
            .iter()
            .find(|other| Some(other.id) == team.parent);
    }
    chain
}

/// `/a/b` is reached by `/`, `/a`, `/a/b`.
fn nodes(path: &str) -> Vec<String> {
    let mut nodes = vec!["/".to_owned()];
    let mut sofar = String::new();
    for segment in path.split('/').filter(|segment| !segment.is_empty()) {
        sofar = format!("{sofar}/{segment}");
        nodes.push(sofar.clone());
    }
    nodes
}

/// The built-in roles as the documentation has them.
fn includes(role: &str, privilege: &str) -> bool {
    let last = privilege.split('.').next_back().unwrap();
    match role {
        "ADMIN" => true,
        "AUDITOR" | "READ" => last == "read",
        "USE" => last == "use" || includes("READ", privilege),
        "EDIT" => last == "edit" || includes("USE", privilege),
        "MANAGE" => ["manage", "write", "delete"].contains(&last) || includes("EDIT", privilege),
        "NO_ACCESS" => false,
        "SELF" => [
            "user.read",
            "apiKey.read",
            "apiKey.write",
            "permission.read",
            "usage.read",
        ]
        .contains(&privilege),
        "SELF_VIEWER" => {
            ["user.read", "apiKey.read", "permission.read", "usage.read"].contains(&privilege)
        }
        "TEAM_ADMIN" => {
            includes("SELF", privilege)
                || [
                    "audit.read",
                    "invitation.read",
                    "invitation.write",
                    "team.read",
                    "team.write",
                ]
                .contains(&privilege)
        }
        "TEAM_MEMBER" => ["team.read", "user.read"].contains(&privilege),
        custom => CUSTOM
            .iter()
            .any(|(name, privileges)| *name == custom && privileges.contains(&privilege)),
    }
}
