mod coalesce;
mod embedded;
mod migrate;
pub mod plans;
mod tls;
