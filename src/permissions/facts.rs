//! Facts: everything [`check`](super::check::check) needs to know about one holder, and nothing more.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use ring::digest::{Context, SHA256};
use uuid::Uuid;

use super::model::{InstanceRole, Principal, TeamRole, lasts_as_long};
use super::path::Path;
use super::role::{self, BuiltIn, RoleFacts};

/// One permission: the principal holds the role at the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionFact {
    /// The row's id; for a derived permission a version 8 UUID made of its content.
    pub id: Uuid,
    /// Who holds it.
    pub principal: Principal,
    /// Where.
    pub path: Path,
    /// What it allows.
    pub role: Arc<RoleFacts>,
    /// Whether it also applies below the path.
    pub propagate: bool,
    /// From this moment on it never applies.
    pub expires_at: Option<DateTime<Utc>>,
    /// The user who granted it.
    pub created_by: Option<Uuid>,
    /// When it was granted; for a derived permission, when the status began.
    pub created_at: DateTime<Utc>,
    /// Whether it comes with a status (of a user over itself, of a member over its team) instead of a row.
    pub derived: bool,
}

impl PermissionFact {
    /// Whether it applies at that moment at a node on the way: at its own path, or below it if it propagates.
    pub(crate) fn applies(&self, below: bool, when: DateTime<Utc>) -> bool {
        (self.propagate || !below) && self.expires_at.is_none_or(|end| when < end)
    }

    fn derived(
        principal: Principal,
        path: Path,
        role: &BuiltIn,
        propagate: bool,
        (since, until): (DateTime<Utc>, Option<DateTime<Utc>>),
    ) -> Arc<Self> {
        Arc::new(Self {
            id: derived_id(&principal, &path, role.id),
            principal,
            path,
            role: role.facts(),
            propagate,
            expires_at: until,
            created_by: None,
            created_at: since,
            derived: true,
        })
    }
}

/// The same derived permission has the same id wherever it is computed.
fn derived_id(principal: &Principal, path: &Path, role: Uuid) -> Uuid {
    let mut hash = Context::new(&SHA256);
    hash.update(match principal {
        Principal::User(_) => b"user",
        Principal::Team(_) => b"team",
        Principal::ApiKey(_) => b"key_",
    });
    hash.update(principal.id().as_bytes());
    hash.update(role.as_bytes());
    hash.update(path.as_str().as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash.finish().as_ref()[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// What is known of the user: the holder itself, or the owner of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserFacts {
    /// The user's id.
    pub id: Uuid,
    /// What the user is to the instance.
    pub role: InstanceRole,
    /// A disabled user holds nothing.
    pub enabled: bool,
    /// From this moment on the user holds nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// When the user was made.
    pub created_at: DateTime<Utc>,
}

/// What is known of a team: one of the user's, or the holder itself, or an ancestor of such a one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamFacts {
    /// The team's id.
    pub id: Uuid,
    /// The team above it, whose permissions count as this team's own.
    pub parent: Option<Uuid>,
    /// What the user is to the team; `None` where it is only an ancestor of the user's teams.
    pub role: Option<TeamRole>,
    /// A disabled team gives nothing, and lets nothing of its ancestors through.
    pub enabled: bool,
    /// When the user joined; when the team was made, where it is only an ancestor.
    pub since: DateTime<Utc>,
    /// From this moment on the user does not belong to the team; `None` where it is only an ancestor.
    pub until: Option<DateTime<Utc>>,
}

impl TeamFacts {
    /// What the user is to the team at that moment.
    pub fn role_at(&self, when: DateTime<Utc>) -> Option<TeamRole> {
        self.role
            .filter(|_| self.until.is_none_or(|end| when < end))
    }
}

/// What is known of the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFacts {
    /// The key's id.
    pub id: Uuid,
    /// Whether it has permissions of its own, within its owner's; if not, it answers as its owner.
    pub restricted: bool,
    /// A disabled key holds nothing.
    pub enabled: bool,
    /// From this moment on the key holds nothing.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether the team it was made for is enabled; true where it was made for none. The key of a disabled team holds nothing.
    pub team_enabled: bool,
}

/// What [`Facts::new`] makes facts of. For a user: `user`, with its teams and their ancestors. For a key: `key`, and its owner as
/// for a user. For a team: `team`, and itself with its ancestors in `teams`.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// The user, or the key's owner.
    pub user: Option<UserFacts>,
    /// The team whose own rights are asked for.
    pub team: Option<Uuid>,
    /// Teams and their ancestors, in any order.
    pub teams: Vec<TeamFacts>,
    /// The key.
    pub key: Option<KeyFacts>,
    /// The stored permissions of all of them; those of anybody else are ignored.
    pub permissions: Vec<Arc<PermissionFact>>,
}

/// Everything [`check`](super::check::check) needs to know about one holder at one moment: stored permissions and derived ones, by path.
/// Cloning is cheap, and so is looking at the same holder at another moment.
#[derive(Debug, Clone)]
pub struct Facts {
    now: DateTime<Utc>,
    held: Arc<Held>,
}

#[derive(Debug, Default)]
struct Held {
    given: Given,
    nodes: HashMap<Path, Node>,
}

/// The permissions at one path, by who holds them.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) own: Vec<Arc<PermissionFact>>,
    pub(crate) teams: Vec<Arc<PermissionFact>>,
    pub(crate) key: Vec<Arc<PermissionFact>>,
    /// Derived ones, whosever: they add to what a walk yields.
    pub(crate) derived: Vec<Arc<PermissionFact>>,
}

impl Facts {
    /// Puts the facts in order: adds the derived permissions, drops what reaches the holder in no way, and sorts by path.
    pub fn new(now: DateTime<Utc>, given: Given) -> Self {
        let reaching = reaching_teams(&given);
        let derived = derived_permissions(&given, &reaching);
        let mut nodes = HashMap::<Path, Node>::new();
        for permission in given.permissions.iter().chain(&derived) {
            let (user, key) = (given.user.as_ref(), given.key.as_ref());
            let is_own = user.is_some_and(|user| permission.principal == Principal::User(user.id));
            let is_keys = key.is_some_and(|key| permission.principal == Principal::ApiKey(key.id));
            let is_teams =
                matches!(permission.principal, Principal::Team(id) if reaching.contains_key(&id));
            if !(is_own || is_keys || is_teams) {
                continue;
            }
            let node = nodes.entry(permission.path.clone()).or_default();
            let place = match permission.principal {
                _ if permission.derived => &mut node.derived,
                Principal::User(_) => &mut node.own,
                Principal::Team(_) => &mut node.teams,
                Principal::ApiKey(_) => &mut node.key,
            };
            place.push(as_reaching(permission, &reaching));
        }
        Self {
            now,
            held: Arc::new(Held { given, nodes }),
        }
    }

    /// The facts of nobody, who holds nothing.
    pub fn nobody(now: DateTime<Utc>) -> Self {
        Self {
            now,
            held: Arc::default(),
        }
    }

    /// The same holder at another moment.
    #[must_use]
    pub fn at(&self, now: DateTime<Utc>) -> Self {
        Self {
            now,
            held: self.held.clone(),
        }
    }

    /// What these facts were made of.
    pub fn given(&self) -> &Given {
        &self.held.given
    }

    /// The moment of which the facts speak.
    pub fn now(&self) -> DateTime<Utc> {
        self.now
    }

    /// The user, or the key's owner.
    pub fn user(&self) -> Option<&UserFacts> {
        self.held.given.user.as_ref()
    }

    /// The key.
    pub fn key(&self) -> Option<&KeyFacts> {
        self.held.given.key.as_ref()
    }

    /// The team whose own rights these are.
    pub fn team(&self) -> Option<Uuid> {
        self.held.given.team
    }

    /// Teams and their ancestors, as given.
    pub fn teams(&self) -> &[TeamFacts] {
        &self.held.given.teams
    }

    /// Every permission that reaches the holder, stored or derived, in no order.
    pub fn permissions(&self) -> impl Iterator<Item = &Arc<PermissionFact>> {
        let nodes = self.held.nodes.values();
        nodes.flat_map(|node| {
            node.own
                .iter()
                .chain(&node.teams)
                .chain(&node.key)
                .chain(&node.derived)
        })
    }

    /// Every path that a permission names, in no order.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.held.nodes.keys()
    }

    pub(crate) fn node(&self, path: &str) -> Option<&Node> {
        self.held.nodes.get(path)
    }
}

/// The permission for as long as it reaches the holder: what a team gives ends with the last membership through which it gives it.
fn as_reaching(permission: &Arc<PermissionFact>, reaching: &Reaching) -> Arc<PermissionFact> {
    let Principal::Team(team) = permission.principal else {
        return permission.clone();
    };
    match reaching.get(&team) {
        Some(Some(end)) if permission.expires_at.is_none_or(|own| own > *end) => {
            Arc::new(PermissionFact {
                expires_at: Some(*end),
                ..(**permission).clone()
            })
        }
        _ => permission.clone(),
    }
}

/// Teams whose permissions reach the holder, and until when; `None` is for ever.
type Reaching = HashMap<Uuid, Option<DateTime<Utc>>>;

/// The teams whose permissions reach the holder: its own, and upwards from each as long as they are enabled; and until when.
fn reaching_teams(given: &Given) -> Reaching {
    let by_id: HashMap<Uuid, &TeamFacts> = given.teams.iter().map(|team| (team.id, team)).collect();
    let mut reaching = Reaching::new();
    for start in &given.teams {
        if start.role.is_none() && given.team != Some(start.id) {
            continue;
        }
        let asked = given.team == Some(start.id);
        let end = start.until.filter(|_| !asked);
        let mut next = Some(start);
        while let Some(team) = next.filter(|team| team.enabled) {
            let held = reaching.get(&team.id);
            if held.is_some_and(|held| lasts_as_long(*held, end)) {
                break;
            }
            reaching.insert(team.id, end);
            next = team.parent.and_then(|parent| by_id.get(&parent).copied());
        }
    }
    reaching
}

fn derived_permissions(given: &Given, reaching: &Reaching) -> Vec<Arc<PermissionFact>> {
    let Some(user) = &given.user else {
        return Vec::new();
    };
    let own = Principal::User(user.id);
    let mut derived = Vec::with_capacity(2 + given.teams.len());
    if user.role == InstanceRole::Auditor {
        derived.push(PermissionFact::derived(
            own,
            Path::root(),
            &role::AUDITOR,
            true,
            (user.created_at, None),
        ));
    }
    let of_self = if user.role == InstanceRole::Viewer {
        &role::SELF_VIEWER
    } else {
        &role::SELF
    };
    derived.push(PermissionFact::derived(
        own,
        user_path(user.id),
        of_self,
        true,
        (user.created_at, None),
    ));
    for team in given
        .teams
        .iter()
        .filter(|team| reaching.contains_key(&team.id))
    {
        let role = match team.role {
            Some(TeamRole::Admin) => &role::TEAM_ADMIN,
            Some(TeamRole::Member) => &role::TEAM_MEMBER,
            None => continue,
        };
        derived.push(PermissionFact::derived(
            Principal::Team(team.id),
            team_path(team.id),
            role,
            true,
            (team.since, team.until),
        ));
    }
    derived
}

/// The path of a user, `/users/user_…`.
pub fn user_path(id: Uuid) -> Path {
    typed_path("users", "user", id)
}

/// The path of a team, `/teams/team_…`.
pub fn team_path(id: Uuid) -> Path {
    typed_path("teams", "team", id)
}

fn typed_path(collection: &str, kind: &str, id: Uuid) -> Path {
    Path::parse(&format!("/{collection}/{kind}_{}", crockford(id)))
        .expect("typed ids are plain segments")
}

/// The 128 bits as 26 characters of Crockford's base32 in small letters, the first of which holds only three bits.
fn crockford(id: Uuid) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let bits = id.as_u128();
    (0..26)
        .rev()
        .map(|index| char::from(ALPHABET[(bits >> (index * 5)) as usize & 31]))
        .collect()
}
