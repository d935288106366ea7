//! The documents: what they say is what the program does.

mod errors;
