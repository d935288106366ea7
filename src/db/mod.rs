//! The way to Postgres: a pool of connections, named operations, transactions, typed ids and keyset pages.
//!
//! Only this room and the domains' stores know SQL. A store never takes a connection itself: an operation
//! takes one through [`Db::read`] or [`Db::begin`] (or [`Db::beginning`]), with a name that metrics and errors carry.

pub mod coalesce;
mod connect;
pub mod diagnosis;
pub mod embedded;
mod failure;
pub mod ids;
pub(crate) mod list;
pub mod lock;
mod manager;
pub mod migrate;
pub mod nested;
pub mod pages;
mod pool;
pub mod purge;
pub(crate) mod search;
#[rustfmt::skip]
pub(crate) mod schema;
pub mod statement;
pub(crate) mod tls;
mod tx;

pub use diesel_async::AsyncPgConnection as Connection;

pub use connect::{Endpoint, Tls};
pub use failure::{Failure, Result};
pub use pool::{Conn, Db, Op, PoolSettings};
pub use tx::{Beginning, Begun, Tx};
