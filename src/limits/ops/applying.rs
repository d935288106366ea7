//! Which limits apply to a key: its own, its owner's, and of a team's key those of the membership, of the team and of all teams above it.
//! What was found is remembered as the key itself is: under a lease, while nothing that it depends on has changed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use uuid::Uuid;

use crate::db::Db;
use crate::db::coalesce::Coalescer;
use crate::error::Result;
use crate::limits::model::{Budget, Limits, Rates, Subject};
use crate::limits::store::rows;
use crate::permissions::ops::facts::Identified;
use crate::replicas::Stamp;
use crate::replicas::model::Tag;
use crate::secrets::Digest;
use crate::teams;

/// Keys whose limits are remembered at once.
const MAX_KNOWN: u64 = 100_000;
/// How long they are remembered at most, whatever happens.
const KEPT: Duration = Duration::from_secs(300);

/// A key, or its owner without one, as far as limits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Who {
    /// The key.
    pub key: Option<Uuid>,
    /// Its owner, or who used something without a key.
    pub user: Uuid,
    /// The team that the key was made for, or for which it was used.
    pub team: Option<Uuid>,
}

impl Who {
    /// A key that was found.
    pub fn of(key: &Identified) -> Self {
        Who {
            key: Some(key.key_id),
            user: key.user_id,
            team: key.team_id,
        }
    }
}

/// The limits of one subject that apply.
#[derive(Debug)]
pub struct Applies {
    /// Whose they are.
    pub subject: Subject,
    /// What holds.
    pub limits: Limits,
}

impl Applies {
    /// The member, of limits for each member.
    pub fn member(&self, who: &Who) -> Option<Uuid> {
        matches!(self.subject, Subject::EachMember(_)).then_some(who.user)
    }

    /// The counter of what is limited by the minute.
    pub fn counter(&self, who: &Who) -> Uuid {
        self.counter_of(self.limits.id, who)
    }

    /// The counter of a budget.
    pub fn counter_of(&self, id: Uuid, who: &Who) -> Uuid {
        match self.member(who) {
            None => id,
            Some(member) => {
                let both = [id.into_bytes(), member.into_bytes()].concat();
                let mut bytes = [0; 16];
                bytes.copy_from_slice(&Digest::of(&both).as_bytes()[..16]);
                Uuid::from_bytes(bytes)
            }
        }
    }

    /// What is allowed by the minute and at once, at that moment.
    pub fn rates(&self, now: DateTime<Utc>) -> Rates {
        self.limits.rates_at(now)
    }
}

struct Entry {
    applying: Arc<Vec<Applies>>,
    tags: Vec<Tag>,
    stamp: Stamp,
}

/// Finds the limits that apply to keys, and remembers them.
pub struct Applying {
    db: Db,
    known: Cache<Who, Arc<Entry>>,
    finding: Arc<Coalescer<Who, Arc<Entry>>>,
}

impl Applying {
    /// Over that database.
    pub fn new(db: Db) -> Self {
        let all = db.clone();
        let finding = Coalescer::new(2, move |keys: Vec<Who>| {
            let db = all.clone();
            async move { find(&db, keys).await }
        });
        Applying {
            db,
            known: Cache::builder()
                .max_capacity(MAX_KNOWN)
                .time_to_live(KEPT)
                .build(),
            finding,
        }
    }

    /// The limits that apply to the key.
    ///
    /// # Errors
    /// `SERVICE_UNAVAILABLE` when the database cannot be reached.
    pub async fn to(&self, who: Who) -> Result<Arc<Vec<Applies>>> {
        if let Some(known) = self.known(&who) {
            return Ok(known);
        }
        let Some(entry) = self.finding.load(who).await? else {
            return Ok(Arc::default());
        };
        Ok(self.remembered(who, entry))
    }

    /// The limits that apply to each of these: what is not remembered is found together.
    ///
    /// # Errors
    /// As [`Applying::to`].
    pub async fn to_all(&self, all: Vec<Who>) -> Result<HashMap<Who, Arc<Vec<Applies>>>> {
        let mut found = HashMap::with_capacity(all.len());
        let mut unknown = Vec::new();
        for who in all {
            match self.known(&who) {
                Some(known) => {
                    found.insert(who, known);
                }
                None => unknown.push(who),
            }
        }
        if !unknown.is_empty() {
            let entries = find(&self.db, unknown).await?;
            found.extend(
                entries
                    .into_iter()
                    .map(|(who, entry)| (who, self.remembered(who, entry))),
            );
        }
        Ok(found)
    }

    fn known(&self, who: &Who) -> Option<Arc<Vec<Applies>>> {
        let replicas = self.db.replicas();
        // The lease first: what was answered anywhere before this moment is marked by now.
        if !replicas.holds_lease() {
            return None;
        }
        let entry = self.known.get(who)?;
        replicas
            .marks()
            .hold(&entry.stamp, &entry.tags)
            .then(|| entry.applying.clone())
    }

    fn remembered(&self, who: Who, entry: Arc<Entry>) -> Arc<Vec<Applies>> {
        let applying = entry.applying.clone();
        if self.db.replicas().holds_lease() {
            self.known.insert(who, entry);
        }
        applying
    }
}

async fn find(db: &Db, keys: Vec<Who>) -> Result<HashMap<Who, Arc<Entry>>> {
    // Before anything is read: what changes from here on makes the answer out of date.
    let stamp = db.replicas().marks().stamp();
    let mut teams: Vec<Uuid> = keys.iter().filter_map(|who| who.team).collect();
    teams.sort_unstable();
    teams.dedup();
    let above = teams::ops::upwards(db, teams).await?;
    let of = |who: &Who| -> Vec<Subject> {
        let mut subjects = vec![Subject::User(who.user)];
        subjects.extend(who.key.map(Subject::ApiKey));
        if let Some(team) = who.team {
            let user = who.user;
            subjects.extend([Subject::Member { team, user }, Subject::EachMember(team)]);
            let teams = above.get(&team).into_iter().flatten();
            subjects.extend(teams.copied().map(Subject::Team));
        }
        subjects
    };
    let mut words: Vec<String> = keys.iter().flat_map(of).map(|one| one.word()).collect();
    words.sort_unstable();
    words.dedup();
    let mut conn = db.read("limits_that_apply").await?;
    let rows = rows::held(&mut conn, words, Vec::new(), None).await?;
    drop(conn);
    let held: HashMap<String, Limits> = rows
        .into_iter()
        .map(|(word, held)| (word, held.limits))
        .collect();
    let entry = |who: Who| {
        let subjects = of(&who);
        let tags = subjects.iter().copied().map(tag);
        let found = subjects.iter().filter_map(|subject| {
            let limits = held.get(&subject.word())?.clone();
            Some(Applies {
                subject: *subject,
                limits,
            })
        });
        let entry = Entry {
            applying: Arc::new(without_said(found.collect())),
            tags: tags.collect(),
            stamp: stamp.again(),
        };
        (who, Arc::new(entry))
    };
    Ok(keys.into_iter().map(entry).collect())
}

/// Who remembers that these limits apply depends on this.
pub(super) fn tag(subject: Subject) -> Tag {
    match subject {
        Subject::ApiKey(id) => Tag::ApiKey(id),
        Subject::User(id) | Subject::Member { user: id, .. } => Tag::User(id),
        Subject::Team(id) | Subject::EachMember(id) => Tag::Team(id),
    }
}

/// Takes from what holds for each member whatever is said of this one, and leaves out what limits nothing.
fn without_said(mut all: Vec<Applies>) -> Vec<Applies> {
    let own = all
        .iter()
        .find(|one| matches!(one.subject, Subject::Member { .. }))
        .map(|one| one.limits.clone());
    if let Some(own) = own {
        for each in &mut all {
            if !matches!(each.subject, Subject::EachMember(_)) {
                continue;
            }
            let rates = &mut each.limits.rates;
            rates.requests = rates.requests.filter(|_| own.rates.requests.is_none());
            rates.tokens = rates.tokens.filter(|_| own.rates.tokens.is_none());
            rates.parallel = rates.parallel.filter(|_| own.rates.parallel.is_none());
            let is_said = |budget: &Budget| own.budgets.iter().any(|one| one.name == budget.name);
            each.limits.budgets.retain(|budget| !is_said(budget));
        }
    }
    all.retain(|one| !one.limits.rates.is_empty() || !one.limits.budgets.is_empty());
    all
}
