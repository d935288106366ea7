//! The rows, one after the other. Each table has a generator of random numbers of its own, so that more of one changes nothing in
//! another that was made before it.

use super::keys::Keys;
use super::people::{Teams, Users};
use super::permissions::Permissions;
use super::rows::Rows;
use super::{Plan, Step};
use chrono::{DateTime, TimeDelta, Utc};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

/// The moment after which nothing was made: 2026-11-01T00:00:00Z, in seconds since 1970.
pub(super) const END: i64 = 1_793_491_200;

/// How far back the first user goes.
const HISTORY: TimeDelta = TimeDelta::days(3 * 365);

/// A table to be filled.
#[derive(Clone, Copy)]
pub(super) struct Table {
    pub(super) name: &'static str,
    pub(super) columns: &'static str,
    pub(super) step: Step,
}

pub(super) const USERS: Table = Table {
    name: "users",
    columns: "id, username, email, name, given_name, family_name, kind, role, enabled, expires_at, comment, metadata, created_at, updated_at, last_used_at",
    step: Step::Users,
};
pub(super) const TEAMS: Table = Table {
    name: "teams",
    columns: "id, slug, name, description, parent_id, enabled, metadata, created_at, updated_at",
    step: Step::Teams,
};
pub(super) const MEMBERSHIPS: Table = Table {
    name: "team_memberships",
    columns: "team_id, user_id, role, since",
    step: Step::Memberships,
};
pub(super) const KEYS: Table = Table {
    name: "api_keys",
    columns: "id, owner_id, team_id, name, description, digest, prefix, enabled, restricted, allowed_cidrs, expires_at, last_used_at, last_used_from, metadata, created_by, created_at, updated_at",
    step: Step::Keys,
};
pub(super) const PERMISSIONS: Table = Table {
    name: "permissions",
    columns: "id, user_id, team_id, api_key_id, path, role_id, propagate, created_by, created_at",
    step: Step::Permissions,
};

/// A row that later ones refer to.
#[derive(Clone, Copy)]
pub(super) struct Made {
    pub(super) id: Uuid,
    pub(super) at: DateTime<Utc>,
}

/// Who is in which team: their places among the users and the teams. There are millions of these.
pub(super) struct Membership {
    pub(super) team: u32,
    pub(super) user: u32,
    admin: bool,
}

/// Where all rows come from.
pub(super) struct World {
    plan: Plan,
}

/// Random numbers for one table.
pub(super) struct Dice(pub(super) StdRng);

impl Dice {
    pub(super) fn new(plan: &Plan, table: u64) -> Dice {
        Dice(StdRng::seed_from_u64(
            plan.seed.wrapping_mul(1_000_003).wrapping_add(table),
        ))
    }

    /// Whether something happens that does so `percent` times in a hundred.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.0.random_range(0..100) < percent
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.0.random_range(0..from.len())]
    }

    /// An index below `count`, small ones more often: some teams are large.
    pub(super) fn skewed(&mut self, count: usize) -> usize {
        let x: f64 = self.0.random();
        // The product lies below `count`, and counts are far below 2^52.
        ((x * x * count as f64) as usize).min(count.saturating_sub(1))
    }

    /// A UUIDv7 of that moment.
    pub(super) fn id(&mut self, at: DateTime<Utc>) -> Uuid {
        let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &self.0.random()).into_uuid()
    }

    /// A moment between `from` and the end.
    pub(super) fn since(&mut self, from: DateTime<Utc>) -> DateTime<Utc> {
        let seconds = (end() - from).num_seconds().max(1);
        from + TimeDelta::seconds(self.0.random_range(0..seconds))
    }
}

pub(super) fn end() -> DateTime<Utc> {
    DateTime::from_timestamp(END, 0).unwrap_or_default()
}

/// The moment of the `index`th of `count` rows that are spread over the whole time.
pub(super) fn spread(index: usize, count: usize) -> DateTime<Utc> {
    let done = index as f64 / count.max(1) as f64;
    let seconds = HISTORY.num_seconds() as f64 * done;
    end() - HISTORY + TimeDelta::milliseconds((seconds * 1_000.0) as i64)
}

impl World {
    pub(super) fn new(plan: &Plan) -> World {
        World { plan: plan.clone() }
    }

    pub(super) fn users(&self) -> Users {
        Users::new(&self.plan)
    }

    pub(super) fn teams<'a>(&self, users: &'a [Made]) -> Teams<'a> {
        Teams::new(&self.plan, users)
    }

    /// Each user in up to three teams; whoever comes first into a team is its admin.
    pub(super) fn memberships(&self, users: usize, teams: usize) -> Vec<Membership> {
        let mut dice = Dice::new(&self.plan, 3);
        let mut led = vec![false; teams];
        let mut all = Vec::with_capacity(users * 2);
        for index in 0..users {
            let mut mine: Vec<usize> = Vec::with_capacity(3);
            for _ in 0..dice.0.random_range(1..=3_usize).min(teams) {
                // The first users found the teams, in turn.
                let team = if index < teams && mine.is_empty() {
                    index
                } else {
                    dice.skewed(teams)
                };
                if mine.contains(&team) {
                    continue;
                }
                mine.push(team);
                let admin = !led[team] || dice.percent(3);
                led[team] = true;
                all.push(Membership {
                    team: team as u32,
                    user: index as u32,
                    admin,
                });
            }
        }
        all
    }

    pub(super) fn keys<'a>(
        &self,
        people: (&'a [Made], &'a [Made]),
        memberships: &'a [Membership],
        real: bool,
    ) -> Keys<'a> {
        Keys::new(&self.plan, people, memberships, real)
    }

    pub(super) fn permissions<'a>(
        &self,
        (users, teams): (&'a [Made], &'a [Made]),
        restricted: &'a [Made],
    ) -> Permissions<'a> {
        Permissions::new(&self.plan, users, teams, restricted)
    }
}

/// Writes one membership.
pub(super) fn membership(
    rows: &mut Rows,
    (users, teams): (&[Made], &[Made]),
    Membership { team, user, admin }: &Membership,
) {
    let (team, user) = (teams[*team as usize], users[*user as usize]);
    rows.value(team.id)
        .value(user.id)
        .value(if *admin { "ADMIN" } else { "MEMBER" })
        .time(team.at.max(user.at))
        .end();
}
