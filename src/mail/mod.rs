//! Mails: what people are told where they are, outside Keystead.
//!
//! - A mail is put into the outbox in the transaction of the change that it tells of ([`ops::send`]), and sent after commit; it is written
//!   from its template when it is sent.
//! - Templates are a text and an HTML file each, embedded, and overridden by files of the same names in the folder `mail_templates`
//!   ([`templates`]). HTML is escaped; values have no control characters, so that no value can add a header or a line.
//! - It goes to the SMTP server that is configured, or else into a file ([`post`]). Its Message-ID is the parcel's id: a mail that had to be
//!   sent twice can be told from two.
//! - Links are made of `public_url`: what a request says of the host is never believed.

pub mod model;
pub mod ops;
pub mod post;
pub mod templates;
