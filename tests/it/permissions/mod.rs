//! The permission check, and the domain around it.

mod asking;
mod fixture;
mod generate;
mod giving;
mod granting;
mod listing;
mod meanwhile;
mod oracle;
mod own_roles;
mod paths;
mod privileges;
mod properties;
mod roles;
mod rule;
mod world;
