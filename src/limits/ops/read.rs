//! Reading limits with what is used of them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::db::Db;
use crate::error::Result;
use crate::limits::model::{Budget, Held, Increase, Rates, Subject, Used};
use crate::limits::store::rows;

/// The limits of a subject as they are shown.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// What is usual.
    pub rates: Rates,
    /// More of it for a time that is not over.
    pub increase: Option<Increase>,
    /// Budgets, with what is used of each.
    pub budgets: Vec<(Budget, Used)>,
}

/// The limits of these subjects, for loaders; of a member what holds for each as far as nothing else is said of it. One statement.
/// Subjects without limits are left out. `charging` as in [`Terms`](crate::limits::model::Terms).
///
/// # Errors
/// `SERVICE_UNAVAILABLE` when the database cannot be reached.
pub async fn by_subjects(
    db: &Db,
    (now, charging): (DateTime<Utc>, bool),
    subjects: Vec<Subject>,
) -> Result<HashMap<Subject, Arc<Shown>>> {
    let mut words: Vec<String> = Vec::with_capacity(subjects.len());
    let mut members: Vec<Uuid> = Vec::new();
    for subject in &subjects {
        words.push(subject.word());
        if let Subject::Member { team, user } = subject {
            words.push(Subject::EachMember(*team).word());
            members.push(*user);
        }
    }
    let mut conn = db.read("limits_of").await?;
    let rows = rows::held(&mut conn, words, members, Some(now)).await?;
    drop(conn);
    let held: HashMap<String, Held> = rows.into_iter().collect();
    let mut found = HashMap::new();
    for subject in subjects {
        let own = held.get(&subject.word());
        let shown = match subject {
            Subject::Member { team, user } => {
                let each = held.get(&Subject::EachMember(team).word());
                of_member(each, own, user, (now, charging))
            }
            _ => own.map(|own| shown(own, None, (now, charging))),
        };
        if let Some(shown) = shown {
            found.insert(subject, Arc::new(shown));
        }
    }
    Ok(found)
}

fn shown(held: &Held, member: Option<Uuid>, at: (DateTime<Utc>, bool)) -> Shown {
    let (now, charging) = at;
    let used = |budget: &Budget| (budget.clone(), held.used(budget, member, now, charging));
    Shown {
        rates: held.limits.rates,
        increase: held.limits.increase.filter(|increase| now < increase.until),
        budgets: held.limits.budgets.iter().map(used).collect(),
    }
}

/// What holds for a member: what is said of it, and else what holds for each.
fn of_member(
    each: Option<&Held>,
    own: Option<&Held>,
    user: Uuid,
    at: (DateTime<Utc>, bool),
) -> Option<Shown> {
    let each = each.map(|each| shown(each, Some(user), at));
    let own = own.map(|own| shown(own, None, at));
    let (Some(each), Some(own)) = (&each, &own) else {
        return own.or(each);
    };
    let is_said = |budget: &Budget| own.budgets.iter().any(|(own, _)| own.name == budget.name);
    let rest = each.budgets.iter().filter(|(budget, _)| !is_said(budget));
    Some(Shown {
        rates: Rates {
            requests: own.rates.requests.or(each.rates.requests),
            tokens: own.rates.tokens.or(each.rates.tokens),
            parallel: own.rates.parallel.or(each.rates.parallel),
        },
        increase: own.increase.or(each.increase),
        budgets: own.budgets.iter().chain(rest).cloned().collect(),
    })
}
