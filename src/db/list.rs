//! Lists: one page of rows, and how many there are.

use diesel::deserialize::FromSqlRow;
use diesel::expression::QueryMetadata;
use diesel::pg::Pg;
use diesel::query_builder::QueryFragment;
use diesel::query_dsl::CompatibleType;
use diesel::sql_types::BigInt;
use diesel::{QueryableByName, Selectable};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures_util::future::try_join;

use super::pages::{Page, PageRequest};
use super::statement::{Columns, Statement, in_order};
use super::{Failure, Result};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// A page of a list, and how many rows the whole list has if asked for: pipelined, one round trip.
///
/// `columns` is `SELECT …`, `from` is ` FROM … WHERE …`; the list is in the order of `order` and `id`.
pub(crate) async fn page<T>(
    conn: &AsyncPgConnection,
    columns: &'static str,
    from: Statement,
    (order, id): (&'static str, &'static str),
    descending: bool,
    request: &PageRequest,
) -> Result<Page<T>>
where
    T: Selectable<Pg> + FromSqlRow<Columns<T>, Pg> + Send + 'static,
    Columns<T>: CompatibleType<T, Pg, SqlType = Columns<T>> + 'static,
    T::SelectExpression: QueryFragment<Pg>,
    Pg: QueryMetadata<Columns<T>>,
{
    debug_assert!(in_order::<T>(columns), "not the model's: {columns}");
    let list = Statement::new(columns)
        .append(from.clone())
        .keyset(order, id, descending, request);
    let rows = async { Ok::<_, Failure>(list.rows::<Columns<T>>().load::<T>(&mut &*conn).await?) };
    let total = async {
        if !request.count {
            return Ok(None);
        }
        let counted: Vec<Count> = Statement::new("SELECT count(*) AS count")
            .append(from)
            .load(&mut &*conn)
            .await?;
        Ok::<_, Failure>(counted.iter().map(|row| row.count).next())
    };
    let (rows, total) = try_join(rows, total).await?;
    Ok(Page::of(request, rows, total))
}
