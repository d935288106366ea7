//! Nested lists: the same page of a list for each of many parents, in one statement.
//!
//! `users(first: 50) { nodes { teams(first: 5) } }` asks for fifty pages. A loader collects them as [`Nested`] keys,
//! [`load`] sorts them into groups that differ in the parent alone, and each group is one statement.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::query_builder::QueryFragment;
use diesel::query_dsl::CompatibleType;
use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel::{QueryableByName, Selectable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;
use uuid::Uuid;

use super::pages::{Page, PageRequest};
use super::statement::{Columns, Statement, in_order};
use super::{Failure, Result};

/// One parent's page of a nested list. `L` is whatever else decides what is on it: filter and sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nested<L> {
    /// Whose list.
    pub parent: Uuid,
    /// Which list.
    pub list: L,
    /// Which page of it.
    pub page: PageRequest,
}

/// By the parent alone: one parent is asked for few different pages at a time, and hashing what they share costs more than comparing it.
impl<L> Hash for Nested<L> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parent.hash(state);
    }
}

/// Pages by the keys that asked for them.
pub type Pages<L, T> = HashMap<Nested<L>, Arc<Page<T>>>;

/// The page of every key. `fetch` answers one group of keys: those parents, that list, that page of it.
///
/// # Errors
/// What `fetch` failed with.
pub async fn load<L, T, F>(
    keys: Vec<Nested<L>>,
    fetch: impl Fn(Vec<Uuid>, L, PageRequest) -> F,
) -> crate::error::Result<Pages<L, T>>
where
    L: Clone + Eq,
    F: Future<Output = crate::error::Result<HashMap<Uuid, Page<T>>>>,
{
    let mut found = HashMap::with_capacity(keys.len());
    let mut groups: Vec<(L, PageRequest, Vec<Uuid>)> = Vec::new();
    for Nested { parent, list, page } in keys {
        // They are few, and comparing with each costs less than hashing all that they have.
        let same = |group: &&mut (L, PageRequest, Vec<Uuid>)| group.0 == list && group.1 == page;
        match groups.iter_mut().find(same) {
            Some((.., parents)) => parents.push(parent),
            None => groups.push((list, page, vec![parent])),
        }
    }
    for (list, request, parents) in groups {
        let pages = fetch(parents, list.clone(), request.clone()).await?;
        found.extend(pages.into_iter().map(|(parent, page)| {
            let key = Nested {
                parent,
                list: list.clone(),
                page: request.clone(),
            };
            (key, Arc::new(page))
        }));
    }
    Ok(found)
}

/// A parent's id, and the columns of a row of its list.
type Columned<T> = (SqlUuid, Columns<T>);

#[derive(QueryableByName)]
struct CountOf {
    #[diesel(sql_type = SqlUuid)]
    parent: Uuid,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The page of every parent, and how many rows each list has if asked for: pipelined, one round trip.
///
/// `columns` is `SELECT …`, without a column named `parent`; `from` makes ` FROM … WHERE …`, in which `p.parent` is the parent's
/// id; the list is in the order of `order` and `id`, two of the columns that the inner statement knows.
pub(crate) async fn pages<T>(
    conn: &AsyncPgConnection,
    parents: Vec<Uuid>,
    columns: &'static str,
    from: impl Fn() -> Statement,
    (order, id): (&'static str, &'static str),
    request: &PageRequest,
) -> Result<HashMap<Uuid, Page<T>>>
where
    T: Selectable<Pg> + Send + 'static,
    (Uuid, T): FromSqlRow<Columned<T>, Pg>,
    Columned<T>: CompatibleType<(Uuid, T), Pg, SqlType = Columned<T>> + 'static,
    T::SelectExpression: QueryFragment<Pg>,
    Pg: QueryMetadata<Columned<T>>,
{
    debug_assert!(in_order::<T>(columns), "not the model's: {columns}");
    let each = |select: &'static str| {
        Statement::new(select)
            .bind(parents.clone())
            .sql("::uuid[]) AS p (parent) CROSS JOIN LATERAL (")
    };
    let list = each("SELECT p.parent, x.* FROM unnest(")
        .append(Statement::new(columns).append(from()))
        .keyset(order, id, false, request)
        .sql(") x");
    let rows = async {
        Ok::<_, Failure>(
            list.rows::<Columned<T>>()
                .load::<(Uuid, T)>(&mut &*conn)
                .await?,
        )
    };
    let totals = async {
        if !request.count {
            return Ok(HashMap::new());
        }
        let counted: Vec<CountOf> = each("SELECT p.parent, x.count FROM unnest(")
            .append(Statement::new("SELECT count(*) AS count").append(from()))
            .sql(") x")
            .load(&mut &*conn)
            .await?;
        Ok::<_, Failure>(
            counted
                .into_iter()
                .map(|row| (row.parent, row.count))
                .collect(),
        )
    };
    let (rows, totals) = try_join(rows, totals).await?;
    let mut lists: HashMap<Uuid, Vec<T>> = HashMap::with_capacity(parents.len());
    for (parent, row) in rows {
        lists.entry(parent).or_default().push(row);
    }
    Ok(parents
        .into_iter()
        .map(|parent| {
            let rows = lists.remove(&parent).unwrap_or_default();
            let total = totals.get(&parent).copied();
            (parent, Page::of(request, rows, total))
        })
        .collect())
}
