//! Roles: named sets of privileges, of which some are built in.

use std::sync::{Arc, LazyLock};

use uuid::Uuid;

use super::privilege::PrivilegeSet;

/// What [`check`](super::check::check) needs to know of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleFacts {
    /// The role's id.
    pub id: Uuid,
    /// The role's name, unique without regard to case.
    pub name: String,
    /// What the role allows.
    pub privileges: PrivilegeSet,
}

impl RoleFacts {
    /// Whether this is `NO_ACCESS`, beside which nothing else counts.
    pub fn is_no_access(&self) -> bool {
        self.id == NO_ACCESS.id
    }
}

/// A role that comes with Keystead and never changes. Its row in the table `roles` is made by a migration; a test compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// The fixed id, a version 8 UUID.
    pub id: Uuid,
    /// The name, reserved without regard to case.
    pub name: &'static str,
    /// One sentence for people.
    pub description: &'static str,
    /// Names and patterns, in the order of [`PrivilegeSet::to_patterns`].
    pub privileges: &'static [&'static str],
    /// Whether it can be granted. The others come with a status: of a user over itself, or of a team's member.
    pub grantable: bool,
}

const fn built_in(
    number: u128,
    name: &'static str,
    description: &'static str,
    privileges: &'static [&'static str],
    grantable: bool,
) -> BuiltIn {
    let id = Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0000 | number);
    BuiltIn {
        id,
        name,
        description,
        privileges,
        grantable,
    }
}

/// Everything. At `/` it is nearly what an administrator of the instance holds, but a row deeper down can take it away.
pub const ADMIN: BuiltIn = built_in(1, "ADMIN", "Everything there is to do.", &["*"], true);
/// Every read. Users whose instance role is `AUDITOR` hold it at `/`.
pub const AUDITOR: BuiltIn = built_in(
    2,
    "AUDITOR",
    "Read everything, change nothing.",
    &["*.read"],
    true,
);
/// Look at things.
pub const READ: BuiltIn = built_in(3, "READ", "Look at things.", &["*.read"], true);
/// Look at things and use them: call a model, start a virtual machine.
pub const USE: BuiltIn = built_in(
    4,
    "USE",
    "Look at things and use them.",
    &["*.read", "*.use"],
    true,
);
/// Use things and change what is in them.
pub const EDIT: BuiltIn = built_in(
    5,
    "EDIT",
    "Use things and change what is in them.",
    &["*.edit", "*.read", "*.use"],
    true,
);
/// Edit things, make and delete them, and say who may do what with them.
pub const MANAGE: BuiltIn = built_in(
    6,
    "MANAGE",
    "Edit things, make and delete them, and say who may do what with them.",
    &[
        "*.delete", "*.edit", "*.manage", "*.read", "*.use", "*.write",
    ],
    true,
);
/// Nothing, and it wins over every other role at the same node. A row deeper down lifts it.
pub const NO_ACCESS: BuiltIn = built_in(
    7,
    "NO_ACCESS",
    "Nothing; wins over every other role at the same path.",
    &[],
    true,
);
/// What every user but a viewer holds at its own path: read itself and what it uses; make, see and delete its own keys; see and end its own
/// sessions.
pub const SELF: BuiltIn = built_in(
    8,
    "SELF",
    "What a user holds over itself: read itself and what it uses; make, see and delete its own keys; see and end its own sessions.",
    &[
        "apiKey.read",
        "apiKey.write",
        "permission.read",
        "session.read",
        "session.write",
        "usage.read",
        "user.read",
    ],
    false,
);
/// What a user whose instance role is `VIEWER` holds in place of [`SELF`]: only reading, and ending its own sessions.
pub const SELF_VIEWER: BuiltIn = built_in(
    9,
    "SELF_VIEWER",
    "What a viewer holds over itself: read itself, its own keys and what it uses; see and end its own sessions.",
    &[
        "apiKey.read",
        "permission.read",
        "session.read",
        "session.write",
        "usage.read",
        "user.read",
    ],
    false,
);
/// What a team's admin holds at the team's path.
pub const TEAM_ADMIN: BuiltIn = built_in(
    10,
    "TEAM_ADMIN",
    "What a team's admin holds over the team: change it, its members and its keys.",
    &[
        "apiKey.read",
        "apiKey.write",
        "audit.read",
        "invitation.read",
        "invitation.write",
        "permission.read",
        "team.read",
        "team.write",
        "usage.read",
        "user.read",
    ],
    false,
);
/// What a team's member holds at the team's path.
pub const TEAM_MEMBER: BuiltIn = built_in(
    11,
    "TEAM_MEMBER",
    "What a team's member holds over the team: read it and its members.",
    &["team.read", "user.read"],
    false,
);

/// Every built-in role, in the order of their ids.
pub const BUILT_IN: [BuiltIn; 11] = [
    ADMIN,
    AUDITOR,
    READ,
    USE,
    EDIT,
    MANAGE,
    NO_ACCESS,
    SELF,
    SELF_VIEWER,
    TEAM_ADMIN,
    TEAM_MEMBER,
];

static BUILT_IN_FACTS: LazyLock<[Arc<RoleFacts>; 11]> = LazyLock::new(|| {
    BUILT_IN.map(|role| {
        let privileges =
            PrivilegeSet::from_patterns(role.privileges).expect("built-in roles are constants");
        Arc::new(RoleFacts {
            id: role.id,
            name: role.name.to_owned(),
            privileges,
        })
    })
});

impl BuiltIn {
    /// The role as [`check`](super::check::check) takes it.
    pub fn facts(&self) -> Arc<RoleFacts> {
        let index = BUILT_IN
            .iter()
            .position(|role| role.id == self.id)
            .expect("every built-in role is listed");
        BUILT_IN_FACTS[index].clone()
    }

    /// The built-in role with that id.
    pub fn by_id(id: Uuid) -> Option<&'static BuiltIn> {
        BUILT_IN.iter().find(|role| role.id == id)
    }

    /// The built-in role with that name, without regard to case: such names are reserved.
    pub fn by_name(name: &str) -> Option<&'static BuiltIn> {
        BUILT_IN
            .iter()
            .find(|role| role.name.eq_ignore_ascii_case(name))
    }
}
