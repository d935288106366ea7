mod coalesce;
mod embedded;
pub mod plans;
mod tls;
