//! The dialects: what clients of other systems say, and what they hear.

mod wandb;
