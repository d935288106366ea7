//! Keys, row by row.

use super::Plan;
use super::names::USES;
use super::rows::Rows;
use super::world::{Dice, Made, Membership, end};
use crate::ctx::Random;
use crate::db::ids::{Id, Kind};
use crate::secrets::{Digest, Secret};
use chrono::TimeDelta;
use rand::Rng;
use uuid::Uuid;

/// Keys, owner by owner.
pub(super) struct Keys<'a> {
    dice: Dice,
    /// Set if the secrets are wanted.
    random: Option<Random>,
    users: &'a [Made],
    teams: &'a [Made],
    /// Of users that are still to come.
    memberships: &'a [Membership],
    per_user: u32,
    next_user: usize,
    owner: Option<Made>,
    /// A team of the owner's.
    team: Option<Uuid>,
    /// Keys that the owner still gets.
    left: u32,
    /// Keys that the owner has.
    named: usize,
    /// What the next user gets beyond the average, because the one before it got less.
    spare: u32,
    pub(super) restricted: Vec<Made>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(
        plan: &Plan,
        (users, teams): (&'a [Made], &'a [Made]),
        memberships: &'a [Membership],
        real: bool,
    ) -> Keys<'a> {
        Keys {
            dice: Dice::new(plan, 4),
            random: real.then(|| Random::seeded(plan.seed)),
            users,
            teams,
            memberships,
            per_user: plan.keys_per_user,
            next_user: 0,
            owner: None,
            team: None,
            left: 0,
            named: 0,
            spare: 0,
            restricted: Vec::new(),
        }
    }

    /// Writes the next row, if there is one more, and returns the line for the file of secrets; an empty one if that is not wanted.
    pub(super) fn next(&mut self, rows: &mut Rows) -> Option<String> {
        let owner = self.owner()?;
        let dice = &mut self.dice;
        let at = dice.since(owner.at);
        let id = dice.id(at);
        let secret = self.random.as_ref().map(Secret::generate_api_key);
        // Without a secret: the digest of a text that has not the form of a key, so that none fits.
        let (digest, prefix) = match &secret {
            Some(secret) => (secret.digest(), secret.display_prefix()),
            None => {
                let digest = Digest::of(format!("nobody knows {id}").as_bytes());
                let shown: String = digest.as_bytes()[..2]
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                (digest, format!("ks_{shown}…"))
            }
        };
        let purpose = USES[self.named % USES.len()];
        let round = self.named / USES.len() + 1;
        let restricted = dice.percent(10);
        let team = self.team.filter(|_| dice.percent(10));
        let used = dice.percent(70).then(|| dice.since(at));
        rows.value(id).value(owner.id).optional(team);
        if round == 1 {
            rows.value(purpose);
        } else {
            rows.value(format_args!("{purpose}-{round}"));
        }
        rows.null()
            .bytes(digest.as_bytes())
            .value(prefix)
            .value(!dice.percent(3))
            .value(restricted)
            .value(if dice.percent(5) {
                "{10.0.0.0/8}"
            } else {
                "{}"
            })
            .optional_time(
                dice.percent(30)
                    .then(|| end() + TimeDelta::days(dice.0.random_range(-90..720))),
            )
            .optional_time(used)
            .optional(used.map(|_| {
                format!(
                    "10.{}.{}.{}",
                    dice.0.random_range(0..256),
                    dice.0.random_range(0..256),
                    dice.0.random_range(1..255)
                )
            }))
            .value("{}")
            .value(owner.id)
            .time(at)
            .time(at)
            .end();
        if restricted {
            self.restricted.push(Made { id, at });
        }
        self.named += 1;
        let (key, owner) = (Id::new(Kind::ApiKey, id), Id::new(Kind::User, owner.id));
        let line = |secret: Secret| format!("{key}\t{owner}\t{}\n", secret.expose());
        Some(secret.map(line).unwrap_or_default())
    }

    /// Whose turn it is. Two users share twice the average, so that the sum is exact.
    fn owner(&mut self) -> Option<Made> {
        while self.left == 0 {
            let user = *self.users.get(self.next_user)?;
            let index = self.next_user;
            let pair = self.next_user.is_multiple_of(2) && self.next_user + 1 < self.users.len();
            self.left = if pair {
                self.spare = self.dice.0.random_range(0..=self.per_user);
                self.per_user - self.spare
            } else {
                self.per_user + std::mem::take(&mut self.spare)
            };
            self.next_user += 1;
            self.named = 0;
            self.owner = Some(user);
            let mine = self
                .memberships
                .iter()
                .take_while(|membership| membership.user as usize == index)
                .count();
            let (mine, later) = self.memberships.split_at(mine);
            let team = mine.first().map(|first| self.teams[first.team as usize].id);
            self.team = team;
            self.memberships = later;
        }
        self.left -= 1;
        self.owner
    }
}
