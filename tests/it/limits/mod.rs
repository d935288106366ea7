//! Limits: amounts, windows.

mod amounts;
mod calendar;
mod windows;
