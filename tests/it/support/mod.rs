//! What tests stand on: a Postgres of their own, a database for each test, an app, and a client for each actor.

mod app;
mod bound;
mod call;
mod certificate;
mod cluster;
mod proxy;
mod receiver;
mod smtp;

pub use app::{Client, Setup, TestApp, told};
pub use bound::Bound;
pub use call::{Answer, Call};
pub use certificate::Authority;
pub use cluster::database;
pub use proxy::Proxy;
pub use receiver::{Answer as HttpAnswer, Arrived, Receiver};
pub use smtp::{Mood, SmtpServer};
