//! SQL with its values: a statement whose text depends only on which parts it has, so that it is prepared once.
//!
//! Diesel prepares `sql_query` anew on every use; this node is cached by its text. Values are always bound, never
//! written into the text.

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use diesel::helper_types::SqlTypeOf;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Jsonb, Nullable, Text, Timestamptz, Untyped};
use diesel::{QueryResult, Selectable, sql_types};
use uuid::Uuid;

use super::pages::{Cursor, PageRequest, SortKey};

/// A value of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Bind {
    Bool(bool),
    Bools(Vec<bool>),
    BigInt(i64),
    BigInts(Vec<i64>),
    OptBigInts(Vec<Option<i64>>),
    Text(String),
    OptText(Option<String>),
    Texts(Vec<String>),
    Uuid(Uuid),
    OptUuid(Option<Uuid>),
    Uuids(Vec<Uuid>),
    OptUuids(Vec<Option<Uuid>>),
    Time(DateTime<Utc>),
    Times(Vec<DateTime<Utc>>),
    OptTime(Option<DateTime<Utc>>),
    OptTimes(Vec<Option<DateTime<Utc>>>),
    Bytes(Vec<u8>),
    ByteArrays(Vec<Vec<u8>>),
    Json(serde_json::Value),
}

macro_rules! bind_from {
    ($($type:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$type> for Bind { fn from(value: $type) -> Self { Bind::$variant(value) } })+
    };
}
bind_from!(
    bool => Bool, Vec<bool> => Bools, i64 => BigInt, Vec<i64> => BigInts, Vec<Option<i64>> => OptBigInts, Vec<Option<Uuid>> => OptUuids, Vec<DateTime<Utc>> => Times, String => Text, Option<String> => OptText, Vec<String> => Texts, Uuid => Uuid,
    Option<Uuid> => OptUuid, Vec<Uuid> => Uuids, DateTime<Utc> => Time, Option<DateTime<Utc>> => OptTime,
    Vec<Option<DateTime<Utc>>> => OptTimes, Vec<u8> => Bytes, Vec<Vec<u8>> => ByteArrays, serde_json::Value => Json,
);
impl From<&str> for Bind {
    fn from(value: &str) -> Self {
        Bind::Text(value.to_owned())
    }
}

#[derive(Debug, Clone)]
enum Part {
    Sql(&'static str),
    Bind(Bind),
}

/// A statement being put together: fixed pieces of SQL with values between them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Statement {
    parts: Vec<Part>,
    has_condition: bool,
}

impl Statement {
    /// Begins with a fixed piece.
    pub(crate) fn new(sql: &'static str) -> Self {
        Statement {
            parts: vec![Part::Sql(sql)],
            has_condition: false,
        }
    }

    /// Adds a fixed piece.
    pub(crate) fn sql(mut self, sql: &'static str) -> Self {
        self.parts.push(Part::Sql(sql));
        self
    }

    /// Adds a value.
    pub(crate) fn bind(mut self, value: impl Into<Bind>) -> Self {
        self.parts.push(Part::Bind(value.into()));
        self
    }

    /// Begins the next condition: ` WHERE ` the first time, then ` AND `.
    pub(crate) fn condition(mut self) -> Self {
        self.parts.push(Part::Sql(if self.has_condition {
            " AND "
        } else {
            " WHERE "
        }));
        self.has_condition = true;
        self
    }

    /// Adds `<condition><value>`, with ` WHERE ` or ` AND ` before it.
    pub(crate) fn and(self, condition: &'static str, value: impl Into<Bind>) -> Self {
        self.condition().sql(condition).bind(value)
    }

    /// Adds `<condition><value>` if there is a value.
    pub(crate) fn and_if(self, condition: &'static str, value: Option<impl Into<Bind>>) -> Self {
        match value {
            Some(value) => self.and(condition, value),
            None => self,
        }
    }
}

/// Which rows of a collection a reader may see, by id.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Seen {
    /// All of them.
    All,
    /// These and no others.
    Only(Vec<Uuid>),
    /// All but these.
    AllExcept(Vec<Uuid>),
}

impl Seen {
    /// Whether there is nothing to see.
    pub fn is_none(&self) -> bool {
        matches!(self, Seen::Only(ids) if ids.is_empty())
    }

    /// Whether that row may be seen.
    pub fn contains(&self, id: Uuid) -> bool {
        match self {
            Seen::All => true,
            Seen::Only(ids) => ids.contains(&id),
            Seen::AllExcept(ids) => !ids.contains(&id),
        }
    }
}

impl Statement {
    /// Adds all of another statement.
    pub(crate) fn append(mut self, other: Statement) -> Self {
        self.parts.extend(other.parts);
        self.has_condition |= other.has_condition;
        self
    }

    /// Ends a list: only rows beyond the request's cursors, in the order of `column` and `id`, one more than the page holds.
    pub(crate) fn keyset(
        mut self,
        column: &'static str,
        id: &'static str,
        descending: bool,
        request: &PageRequest,
    ) -> Self {
        let bounds = [
            (&request.after, if descending { ") < (" } else { ") > (" }),
            (&request.before, if descending { ") > (" } else { ") < (" }),
        ];
        for (cursor, comparison) in bounds {
            let Some(Cursor { key, id: row }) = cursor else {
                continue;
            };
            let key = match key {
                SortKey::Time(at) => Bind::Time(*at),
                SortKey::Text(text) => Bind::Text(text.clone()),
            };
            self = self
                .condition()
                .sql("(")
                .sql(column)
                .sql(", ")
                .sql(id)
                .sql(comparison);
            self.parts.push(Part::Bind(key));
            self = self.sql(", ").bind(*row).sql(")");
        }
        let direction = if descending == request.backward {
            " ASC"
        } else {
            " DESC"
        };
        self.sql(" ORDER BY ")
            .sql(column)
            .sql(direction)
            .sql(", ")
            .sql(id)
            .sql(direction)
            .sql(" LIMIT ")
            .bind(request.limit + 1)
    }

    /// Adds a truth value: whether the id in `column` may be seen.
    pub(crate) fn seen(self, column: &'static str, seen: &Seen) -> Self {
        match seen {
            Seen::All => self.sql("true"),
            Seen::Only(ids) => self.sql(column).sql(" = ANY(").bind(ids.clone()).sql(")"),
            Seen::AllExcept(ids) => self.sql(column).sql(" <> ALL(").bind(ids.clone()).sql(")"),
        }
    }
}

impl Statement {
    /// Adds a truth value: what the nearest of some marks upwards says of `g.path`. Of each mark: its path, its word for that path, and its
    /// word for what lies below.
    pub(crate) fn marked_g(
        self,
        (paths, here, below): (Vec<String>, Vec<bool>, Vec<bool>),
    ) -> Self {
        self.sql("(SELECT CASE WHEN m.path = g.path THEN m.here ELSE m.below END FROM unnest(")
            .bind(paths)
            .sql("::text[], ")
            .bind(here)
            .sql("::boolean[], ")
            .bind(below)
            .sql(
                "::boolean[]) AS m (path, here, below)
            WHERE m.path = g.path OR m.path = '/' OR starts_with(g.path, m.path || '/')
            ORDER BY length(m.path) DESC LIMIT 1)",
            )
    }
}

impl QueryFragment<Pg> for Statement {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for part in &self.parts {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Bind(bind) => match bind {
                    Bind::Bool(v) => out.push_bind_param::<Bool, _>(v)?,
                    Bind::Bools(v) => out.push_bind_param::<Array<Bool>, _>(v)?,
                    Bind::BigInt(v) => out.push_bind_param::<BigInt, _>(v)?,
                    Bind::BigInts(v) => out.push_bind_param::<Array<BigInt>, _>(v)?,
                    Bind::OptBigInts(v) => out.push_bind_param::<Array<Nullable<BigInt>>, _>(v)?,
                    Bind::Text(v) => out.push_bind_param::<Text, _>(v)?,
                    Bind::OptText(v) => out.push_bind_param::<Nullable<Text>, _>(v)?,
                    Bind::Texts(v) => out.push_bind_param::<Array<Text>, _>(v)?,
                    Bind::Uuid(v) => out.push_bind_param::<sql_types::Uuid, _>(v)?,
                    Bind::OptUuid(v) => out.push_bind_param::<Nullable<sql_types::Uuid>, _>(v)?,
                    Bind::Uuids(v) => out.push_bind_param::<Array<sql_types::Uuid>, _>(v)?,
                    Bind::OptUuids(v) => {
                        out.push_bind_param::<Array<Nullable<sql_types::Uuid>>, _>(v)?
                    }
                    Bind::Times(v) => out.push_bind_param::<Array<Timestamptz>, _>(v)?,
                    Bind::Time(v) => out.push_bind_param::<Timestamptz, _>(v)?,
                    Bind::OptTime(v) => out.push_bind_param::<Nullable<Timestamptz>, _>(v)?,
                    Bind::OptTimes(v) => {
                        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(v)?
                    }
                    Bind::Bytes(v) => out.push_bind_param::<Bytea, _>(v)?,
                    Bind::ByteArrays(v) => out.push_bind_param::<Array<Bytea>, _>(v)?,
                    Bind::Json(v) => out.push_bind_param::<Jsonb, _>(v)?,
                },
            }
        }
        Ok(())
    }
}

impl QueryId for Statement {
    type QueryId = ();
    // Statements are told apart by their text.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement {
    type SqlType = Untyped;
}

impl<C> diesel::RunQueryDsl<C> for Statement {}

/// The SQL types of all columns of a model, in its order.
pub(crate) type Columns<T> = SqlTypeOf<<T as Selectable<Pg>>::SelectExpression>;

/// A statement that answers with rows of the SQL type `S`: they are read by the places of their columns, which spares long lists the
/// look for each column's name in each row.
#[derive(Debug, Clone)]
pub(crate) struct Rows<S> {
    statement: Statement,
    of: PhantomData<fn() -> S>,
}

/// Whether `select`, a list of columns, begins with all columns of the model in its order: what is read by place depends on it.
pub(crate) fn in_order<T>(select: &str) -> bool
where
    T: Selectable<Pg>,
    T::SelectExpression: QueryFragment<Pg>,
{
    let name = |column: &str| {
        let name = column.rsplit('.').next().unwrap_or_default();
        name.trim().trim_matches('"').to_owned()
    };
    let wanted = diesel::debug_query::<Pg, _>(&T::construct_selection()).to_string();
    // Debug output ends with the values that are bound: none.
    let wanted = wanted.split(" --").next().unwrap_or_default();
    let told = select.trim_start_matches("SELECT ");
    let told: Vec<_> = told.split(',').map(name).collect();
    told == wanted.split(',').map(name).collect::<Vec<_>>()
}

impl Statement {
    /// Says that the columns are those of `S`, in its order.
    pub(crate) fn rows<S>(self) -> Rows<S> {
        Rows {
            statement: self,
            of: PhantomData,
        }
    }
}

impl<S> QueryFragment<Pg> for Rows<S> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.statement.walk_ast(out)
    }
}

impl<S> QueryId for Rows<S> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<S> Query for Rows<S> {
    type SqlType = S;
}

impl<S, C> diesel::RunQueryDsl<C> for Rows<S> {}
