//! The outbox: what is committed is delivered, once in the good case and at least once in the bad.

mod killed;
mod workers;
