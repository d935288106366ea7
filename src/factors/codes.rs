//! Codes as people type them: six digits of an app, or a recovery code.

use zeroize::Zeroizing;

use crate::ctx::Random;
use crate::db::ids::ALPHABET;
use crate::secrets::{Digest, Secret};

/// Recovery codes of a user.
pub(super) const RECOVERY_CODES: usize = 10;

/// Characters of a recovery code: 80 bits. So many are not guessed, also by who has their digests.
const RECOVERY: usize = 16;
/// Characters between its hyphens.
const GROUP: usize = 4;
/// Digits of a code of an app.
const DIGITS: usize = 6;

/// A code that somebody has typed.
pub(super) enum Typed {
    /// Six digits.
    Totp(Zeroizing<String>),
    /// What is stored of a recovery code.
    Recovery(Digest),
}

impl Typed {
    /// Reads it: spaces and hyphens do not count, nor do upper and lower case. `None` if it has neither form.
    pub(super) fn read(text: &str) -> Option<Typed> {
        let plain = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let plain: Zeroizing<String> = Zeroizing::new(plain.take(RECOVERY + 1).collect());
        if plain.len() == DIGITS && plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Typed::Totp(plain));
        }
        if plain.len() != RECOVERY {
            return None;
        }
        let read = plain.bytes().map(|byte| match byte.to_ascii_lowercase() {
            b'o' => Some('0'),
            b'i' | b'l' => Some('1'),
            byte => ALPHABET.contains(&byte).then_some(char::from(byte)),
        });
        let read: Zeroizing<String> = Zeroizing::new(read.collect::<Option<_>>()?);
        Some(Typed::Recovery(Digest::of(read.as_bytes())))
    }
}

/// New recovery codes, each with what is stored of it.
pub(super) fn new_recovery_codes(random: &Random) -> (Vec<Secret>, Vec<Digest>) {
    (0..RECOVERY_CODES)
        .map(|_| {
            let plain = Zeroizing::new(random.letters::<RECOVERY>());
            let mut shown = String::with_capacity(RECOVERY + RECOVERY / GROUP);
            for (place, c) in plain.chars().enumerate() {
                if place > 0 && place % GROUP == 0 {
                    shown.push('-');
                }
                shown.push(c);
            }
            (Secret::new(shown), Digest::of(plain.as_bytes()))
        })
        .unzip()
}
