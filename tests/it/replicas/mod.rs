//! Several servers on one database: what each remembers, and that no change is answered before all know.

mod memory;
