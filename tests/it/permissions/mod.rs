//! The permission check, and the domain around it.

mod generate;
mod giving;
mod oracle;
mod paths;
mod privileges;
mod properties;
mod roles;
mod rule;
mod world;
