//! SQL of API keys.

mod lists;
mod notices;
mod rows;
mod shown;

pub(super) use lists::{page, pages_of};
pub(super) use notices::notice_expiring;
pub(super) use rows::{
    by_ids, count_alone, delete, insert, lock, lock_all_of, note_used, rotate, update,
};
pub(super) use shown::{insert as keep_shown, of_team as shown_of_team, purge as purge_shown};
