//! The first step: one pass over the raw text, in linear time and without allocation, before anything that recurses
//! sees it. Strings, block strings and comments are skipped as the specification reads them, so no bracket hides in
//! one, and none is counted that stands in one.

use super::lexer::{Kind, Lexer};
use super::limits::Limits;
use super::refusal::{Location, Refusal, RefusalCode};

/// Holds bytes, tokens and open brackets to their caps.
pub(super) fn scan(text: &str, limits: &Limits) -> Result<(), Refusal> {
    limits.bytes().hold(text.len() as u64)?;
    let mut lexer = Lexer::new(text);
    let mut tokens: u64 = 0;
    let mut open: u64 = 0;
    loop {
        let token = lexer.next().map_err(|error| {
            Refusal::one(
                RefusalCode::ParseFailed,
                format!("Syntax Error: {}", error.what),
                vec![Location::of(text, error.at)],
            )
        })?;
        match token.kind {
            Kind::End => return Ok(()),
            Kind::BraceL | Kind::BracketL | Kind::ParenL => {
                open += 1;
                let cap = limits.nesting();
                if open > cap.limit {
                    return Err(cap.refuse(open).at(Location::of(text, token.start)));
                }
            }
            Kind::BraceR | Kind::BracketR | Kind::ParenR => open = open.saturating_sub(1),
            _ => {}
        }
        tokens += 1;
        let cap = limits.tokens();
        if tokens > cap.limit {
            return Err(cap.refuse(tokens).at(Location::of(text, token.start)));
        }
    }
}
