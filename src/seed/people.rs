//! Users and teams, row by row.

use super::Plan;
use super::names::{DEPARTMENTS, DOMAINS, FAMILY, GIVEN, KINDS, SERVICES, SUBJECTS};
use super::rows::Rows;
use super::world::{Dice, Made, end, spread};
use chrono::TimeDelta;
use rand::Rng;
use std::collections::HashMap;

/// Users in the order of their making.
pub(super) struct Users {
    dice: Dice,
    count: usize,
    pub(super) made: Vec<Made>,
    /// How many have a name already, by what it begins with.
    taken: HashMap<String, u32>,
}

impl Users {
    pub(super) fn new(plan: &Plan) -> Users {
        Users {
            dice: Dice::new(plan, 1),
            count: plan.users as usize,
            made: Vec::with_capacity(plan.users as usize),
            taken: HashMap::new(),
        }
    }

    /// Writes the next row, if there is one more.
    pub(super) fn next(&mut self, rows: &mut Rows) -> bool {
        if self.made.len() == self.count {
            return false;
        }
        let dice = &mut self.dice;
        let at = spread(self.made.len(), self.count);
        let id = dice.id(at);
        let service = dice.percent(8);
        let (given, family) = (dice.pick(&GIVEN), dice.pick(&FAMILY));
        let stem = if service {
            format!("{}-{}", dice.pick(&SERVICES), family.1)
        } else {
            format!("{}.{}", given.1, family.1)
        };
        let number = self.taken.entry(stem.clone()).or_insert(0);
        *number += 1;
        let username = if *number == 1 {
            stem
        } else {
            format!("{stem}{number}")
        };
        let role = match dice.0.random_range(0..10_000) {
            0 => "ADMIN",
            1..=50 => "AUDITOR",
            51..=550 => "VIEWER",
            _ => "MEMBER",
        };
        let enabled = !dice.percent(4);
        let expires = dice
            .percent(3)
            .then(|| end() + TimeDelta::days(dice.0.random_range(30..720)));
        let department = dice.pick(&DEPARTMENTS);
        let last_used = dice.percent(80).then(|| dice.since(at));
        rows.value(id).value(&username);
        if service {
            rows.null()
                .value(format_args!("Service {username}"))
                .null()
                .null()
                .value("SERVICE");
        } else {
            let domain = dice.pick(&DOMAINS);
            rows.value(format_args!("{username}@{domain}"))
                .value(format_args!("{} {}", given.0, family.0))
                .value(given.0)
                .value(family.0)
                .value("PERSON");
        }
        rows.value(role)
            .value(enabled)
            .optional_time(expires)
            .optional((!enabled).then_some("Left the company."))
            .value(format_args!(r#"{{"department": "{department}"}}"#))
            .time(at)
            .time(at)
            .optional_time(last_used)
            .end();
        self.made.push(Made { id, at });
        true
    }
}

/// Teams in the order of their making; a parent comes before its children.
pub(super) struct Teams<'a> {
    dice: Dice,
    count: usize,
    pub(super) made: Vec<Made>,
    users: &'a [Made],
}

impl<'a> Teams<'a> {
    pub(super) fn new(plan: &Plan, users: &'a [Made]) -> Teams<'a> {
        Teams {
            dice: Dice::new(plan, 2),
            count: plan.teams as usize,
            made: Vec::with_capacity(plan.teams as usize),
            users,
        }
    }

    /// Writes the next row, if there is one more.
    pub(super) fn next(&mut self, rows: &mut Rows) -> bool {
        let index = self.made.len();
        if index == self.count {
            return false;
        }
        // A team is as old as the user who founds it.
        let at = self
            .users
            .get(index)
            .map_or_else(|| spread(index, self.count), |user| user.at);
        let id = self.dice.id(at);
        let (subject, kind) = (self.dice.pick(&SUBJECTS), self.dice.pick(&KINDS));
        // Ten at the top, ten below each, and so on: four levels hold more than ten thousand.
        let parent = (index >= 10).then(|| self.made[(index - 10) / 10].id);
        let number = index + 1;
        rows.value(id)
            .value(format_args!(
                "{}-{}-{number}",
                subject.to_lowercase(),
                kind.to_lowercase()
            ))
            .value(format_args!("{subject} {kind} {number}"))
            .value(format_args!("{kind} for {}.", subject.to_lowercase()))
            .optional(parent)
            .value(true)
            .value("{}")
            .time(at)
            .time(at)
            .end();
        self.made.push(Made { id, at });
        true
    }
}
