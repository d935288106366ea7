//! Loaders, one for each edge, shared by all requests: they load rows, many keys a statement. Rights are decided
//! afterwards, for each actor, in memory; so sharing is safe.

use std::sync::Arc;

use uuid::Uuid;

use crate::ctx::Clock;
use crate::db::Db;
use crate::db::coalesce::Coalescer;
use crate::db::nested::Nested;
use crate::db::pages::Page;
use crate::factors;
use crate::limits::{self, model::Subject};
use crate::permissions::model::{Permission, PermissionList, Role};
use crate::permissions::ops::read;
use crate::permissions::ops::roles;
use crate::sessions;
use crate::teams::model::{JoinedTeam, MemberList, Membership, Team, TeamList};
use crate::users::model::UserSight;
use crate::{api_keys, audit, teams, users, webhooks};

/// Batches of one loader that may be under way at once.
const LANES: usize = 2;

/// Pages of a nested list, by parent.
pub type Lists<L, T> = Arc<Coalescer<Nested<L>, Arc<Page<T>>>>;

/// Every loader.
pub struct Loaders {
    /// Users by id.
    pub users: Arc<Coalescer<Uuid, Arc<users::model::User>>>,
    /// Whether somebody with that sight sees the user.
    pub users_seen: Arc<Coalescer<(Uuid, UserSight), ()>>,
    /// Teams by id.
    pub teams: Arc<Coalescer<Uuid, Arc<Team>>>,
    /// The teams below a team.
    pub teams_below: Lists<TeamList, Team>,
    /// The teams of a user.
    pub teams_of: Lists<TeamList, JoinedTeam>,
    /// The memberships of a user.
    pub memberships_of: Lists<TeamList, Membership>,
    /// The members of a team.
    pub members: Lists<MemberList, Membership>,
    /// Keys by id.
    pub api_keys: Arc<Coalescer<Uuid, Arc<api_keys::model::ApiKey>>>,
    /// Pages of keys by owner or team.
    pub api_keys_of: Arc<Coalescer<api_keys::ops::PageOf, Page<Arc<api_keys::model::ApiKey>>>>,
    /// Roles by id.
    pub roles: Arc<Coalescer<Uuid, Arc<Role>>>,
    /// Permissions by id.
    pub permissions: Arc<Coalescer<Uuid, Arc<Permission>>>,
    /// What a principal itself holds.
    pub permissions_of: Lists<PermissionList, Permission>,
    /// The limits of a subject, with what is used of them.
    pub limits: Arc<Coalescer<Subject, Arc<limits::ops::Shown>>>,
    /// Sessions by id.
    pub sessions: Arc<Coalescer<Uuid, Arc<sessions::model::Session>>>,
    /// Second factors by id.
    pub factors: Arc<Coalescer<Uuid, Arc<factors::model::Factor>>>,
    /// The second factors of a user.
    pub factors_of: Arc<Coalescer<Uuid, Vec<Arc<factors::model::Factor>>>>,
    /// How many recovery codes a user has, if any.
    pub recovery_codes_of: Arc<Coalescer<Uuid, i64>>,
    /// Webhooks by id.
    pub webhooks: Arc<Coalescer<Uuid, Arc<webhooks::model::Webhook>>>,
    /// Audit events by id.
    pub audit_events: Arc<Coalescer<Uuid, Arc<audit::model::AuditEvent>>>,
    /// Pages of the events about one object.
    pub audit_events_of_target:
        Arc<Coalescer<audit::ops::PageOf, Arc<Page<audit::model::AuditEvent>>>>,
}

/// A loader over an operation that takes the database and many keys.
macro_rules! loader {
    ($db:expr, $fetch:path) => {{
        let db = $db.clone();
        Coalescer::new(LANES, move |keys| {
            let db = db.clone();
            async move { $fetch(&db, keys).await }
        })
    }};
}

impl Loaders {
    /// Loaders over that database; `charging`: whether reservations that run out are charged.
    pub fn new(db: &Db, clock: &Clock, charging: bool) -> Arc<Self> {
        let api_keys_of = {
            let (db, clock) = (db.clone(), clock.clone());
            Coalescer::new(LANES, move |wanted| {
                let (db, now) = (db.clone(), clock.now());
                async move { api_keys::ops::pages_of(&db, now, wanted).await }
            })
        };
        let limits = {
            let (db, clock) = (db.clone(), clock.clone());
            Coalescer::new(LANES, move |subjects| {
                let (db, now) = (db.clone(), clock.now());
                async move { limits::ops::by_subjects(&db, (now, charging), subjects).await }
            })
        };
        Arc::new(Loaders {
            users: loader!(db, users::ops::by_ids),
            users_seen: loader!(db, users::ops::seen_among),
            teams: loader!(db, teams::ops::by_ids),
            teams_below: loader!(db, teams::ops::children),
            teams_of: loader!(db, teams::ops::teams_of),
            memberships_of: loader!(db, teams::ops::memberships_of),
            members: loader!(db, teams::ops::members_of),
            api_keys: loader!(db, api_keys::ops::by_ids),
            api_keys_of,
            roles: loader!(db, roles::by_ids),
            permissions: loader!(db, read::by_ids),
            permissions_of: loader!(db, read::pages),
            limits,
            sessions: loader!(db, sessions::ops::by_ids),
            factors: loader!(db, factors::ops::by_ids),
            factors_of: loader!(db, factors::ops::of_users),
            recovery_codes_of: loader!(db, factors::ops::recovery_codes_of),
            webhooks: loader!(db, webhooks::ops::by_ids),
            audit_events: loader!(db, audit::ops::by_ids),
            audit_events_of_target: loader!(db, audit::ops::pages),
        })
    }
}
