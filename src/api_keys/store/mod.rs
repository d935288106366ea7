//! SQL of API keys.

mod lists;
mod notices;
mod rows;

pub(super) use lists::{page, pages_of};
pub(super) use notices::notice_expiring;
pub(super) use rows::{
    by_ids, count_alone, delete, insert, lock, lock_all_of, note_used, rotate, update,
};
