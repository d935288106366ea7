//! Usage: what is recorded, and what is read of it.

mod report;
