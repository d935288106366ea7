mod coalesce;
mod embedded;
pub mod plans;
