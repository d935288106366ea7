//! Bad input: every argument of every field and every field of every input, as the schema has them, with every trick that fits its
//! type. What is refused must name the field and the rule, by a documented code, and must have written nothing.

mod base;
mod http;
mod literals;
mod places;
mod state;
mod sweep;
mod tricks;
