mod embedded;
mod plans;
