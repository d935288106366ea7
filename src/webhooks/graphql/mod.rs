//! Webhooks in the API.

mod inputs;
mod mutations;
mod queries;
mod types;

pub use mutations::WebhookMutations;
pub use queries::WebhookQueries;
pub use types::Webhook;
