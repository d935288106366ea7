//! What tests stand on: a Postgres of their own, a database for each test, an app, and a client for each actor.

mod app;
pub mod authenticator;
mod bound;
mod call;
mod certificate;
mod cluster;
mod cutting;
mod proxy;
mod receiver;
mod smtp;
mod work;

pub use app::{Client, Setup, TestApp, told};
pub use bound::{Bound, Routes};
pub use call::{Answer, Call};
pub use certificate::Authority;
pub use cluster::database;
pub use cutting::{Cutting, Said, Wanted};
pub use proxy::{Proxy, Side};
pub use receiver::{Answer as HttpAnswer, Arrived, Receiver};
pub use smtp::{Mood, SmtpServer};
pub use work::Work;
