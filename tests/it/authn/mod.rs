//! Who is calling.

mod viewer;
