//! Lists that the client wants whole: it has no pages for them.

use std::sync::Arc;

use uuid::Uuid;

use super::Asked;
use crate::api_keys;
use crate::api_keys::model::{ApiKey, ApiKeyFilter, ApiKeySort, KeysOf};
use crate::db::nested::Nested;
use crate::db::pages::{Cursor, MAX_PAGE, Page, PageRequest};
use crate::error::Result;
use crate::teams;
use crate::teams::model::{JoinedTeam, MemberFilter, Membership, Team};

/// The rows of a list that is read page after page.
pub(super) struct Rows<T> {
    rows: Vec<T>,
    next: Option<PageRequest>,
}

impl<T: Clone> Rows<T> {
    /// None yet.
    pub(super) fn new() -> Self {
        Rows {
            rows: Vec::new(),
            next: Some(PageRequest::first(MAX_PAGE)),
        }
    }

    /// The page that is to be read now; `None` when all are.
    pub(super) fn next(&mut self) -> Option<PageRequest> {
        self.next.take()
    }

    /// Takes the page that was read; `place` says where a row stands.
    pub(super) fn take(&mut self, page: &Page<T>, place: impl Fn(&T) -> Cursor) {
        self.rows.extend(page.items.iter().cloned());
        let last = page.items.last().filter(|_| page.has_next);
        self.next = last.map(|last| PageRequest {
            after: Some(place(last)),
            ..PageRequest::first(MAX_PAGE)
        });
    }

    /// All of them.
    pub(super) fn all(self) -> Vec<T> {
        self.rows
    }
}

impl Asked {
    /// The keys of a user that the caller may see, oldest first.
    pub(super) async fn keys_of(&self, user: Uuid) -> Result<Vec<Arc<ApiKey>>> {
        let sight = api_keys::ops::sight(&self.ctx);
        let mut keys = Rows::new();
        while let Some(request) = keys.next() {
            let how = Arc::new((request, ApiKeyFilter::default(), sight.clone()));
            let of = KeysOf::Owner(user);
            let page = api_keys::ops::PageOf { of, how };
            let found = self.loaders.api_keys_of.load(page).await?;
            keys.take(&found.unwrap_or_default(), |key: &Arc<ApiKey>| {
                api_keys::ops::cursor(key, ApiKeySort::CreatedAt)
            });
        }
        Ok(keys.all())
    }

    /// The teams of a user that the caller may see, in the order in which it joined them.
    pub(super) async fn teams_of(&self, user: Uuid) -> Result<Vec<Team>> {
        let list = teams::ops::sight(&self.ctx);
        let mut joined = Rows::new();
        while let Some(page) = joined.next() {
            let nested = Nested {
                parent: user,
                list: list.clone(),
                page,
            };
            let found = self.loaders.teams_of.load(nested).await?;
            joined.take(&found.unwrap_or_default(), |row: &JoinedTeam| {
                Cursor::time(row.since, row.team.id)
            });
        }
        Ok(joined.all().into_iter().map(|row| row.team).collect())
    }

    /// The members of a team that the caller may see, in the order in which they joined.
    pub(super) async fn members_of(&self, team: Uuid) -> Result<Vec<Membership>> {
        let list = teams::ops::member_list(&self.ctx, team, MemberFilter::default());
        let mut members = Rows::new();
        while let Some(page) = members.next() {
            let nested = Nested {
                parent: team,
                list: list.clone(),
                page,
            };
            let found = self.loaders.members.load(nested).await?;
            members.take(&found.unwrap_or_default(), |row: &Membership| {
                Cursor::time(row.since, row.user_id)
            });
        }
        Ok(members.all())
    }
}
