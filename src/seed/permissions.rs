//! What teams, some users and all restricted keys hold, row by row; then more of users, until there are as many as wanted.

use super::Plan;
use super::names::MODELS;
use super::rows::Rows;
use super::world::{Dice, Made};
use crate::db::ids::Kind;
use crate::permissions::role;
use rand::Rng;
use uuid::Uuid;

/// How many users hold something at the same project.
const AT_A_PROJECT: usize = 20;

/// Permissions, holder by holder.
pub(super) struct Permissions<'a> {
    dice: Dice,
    users: &'a [Made],
    teams: &'a [Made],
    restricted: &'a [Made],
    /// So many in all; `None`: no more than holders get by themselves.
    wanted: Option<u64>,
    made: u64,
    /// Places that were looked at: two of each team, one of each user, one of each restricted key, and from there on projects.
    place: usize,
}

impl<'a> Permissions<'a> {
    pub(super) fn new(
        plan: &Plan,
        users: &'a [Made],
        teams: &'a [Made],
        restricted: &'a [Made],
    ) -> Permissions<'a> {
        Permissions {
            dice: Dice::new(plan, 5),
            users,
            teams,
            restricted,
            wanted: plan.permissions,
            made: 0,
            place: 0,
        }
    }

    /// About how many rows there are.
    pub(super) fn total(&self) -> u64 {
        let usual = self.teams.len() * 2 + self.users.len() / 20 + self.restricted.len();
        self.wanted.unwrap_or(usual as u64)
    }

    /// Writes the next row, if there is one more.
    pub(super) fn next(&mut self, rows: &mut Rows) -> bool {
        if self.wanted == Some(self.made) {
            return false;
        }
        loop {
            let place = self.place;
            self.place += 1;
            let Some((kind, holder, path, role)) = self.at(place) else {
                return false;
            };
            // Most users hold nothing of their own.
            if let Some(path) = path {
                self.write(rows, kind, holder, &path, role);
                self.made += 1;
                return true;
            }
        }
    }

    /// Who holds what at that place; the path is `None` where nothing is held, and all is where there are no more places.
    fn at(&mut self, place: usize) -> Option<(Kind, Made, Option<String>, Uuid)> {
        let dice = &mut self.dice;
        let roles = [role::READ.id, role::USE.id, role::EDIT.id];
        if let Some(team) = self.teams.get(place / 2) {
            let held = if place.is_multiple_of(2) {
                (format!("/experiments/{}", place / 2 + 1), role::MANAGE.id)
            } else {
                (format!("/models/{}", dice.pick(&MODELS)), role::USE.id)
            };
            return Some((Kind::Team, *team, Some(held.0), held.1));
        }
        let place = place - self.teams.len() * 2;
        if let Some(user) = self.users.get(place) {
            let holds = dice.percent(5);
            let path = holds.then(|| format!("/vms/{}", dice.0.random_range(100..1_000)));
            return Some((Kind::User, *user, path, dice.pick(&roles)));
        }
        let place = place - self.users.len();
        if let Some(key) = self.restricted.get(place) {
            let path = format!("/models/{}", dice.pick(&MODELS));
            return Some((Kind::ApiKey, *key, Some(path), role::USE.id));
        }
        self.wanted?;
        let place = place - self.restricted.len();
        let user = self.users.get(place % self.users.len().max(1))?;
        // A user comes back after all others, and so never to the same project.
        let project = place / AT_A_PROJECT.min(self.users.len()) + 1;
        let path = format!("/projects/{project}");
        Some((Kind::User, *user, Some(path), dice.pick(&roles)))
    }

    fn write(&mut self, rows: &mut Rows, kind: Kind, holder: Made, path: &str, role: Uuid) {
        rows.value(self.dice.id(holder.at));
        for column in [Kind::User, Kind::Team, Kind::ApiKey] {
            rows.optional((column == kind).then_some(holder.id));
        }
        rows.value(path)
            .value(role)
            .value(true)
            .null()
            .time(holder.at)
            .end();
    }
}
