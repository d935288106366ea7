//! Search by words: what a person types becomes a `tsquery` in which every word may be the beginning of one.

use unicode_normalization::UnicodeNormalization;

/// Words of a search at most; the rest is ignored.
const MAX_WORDS: usize = 16;

/// The `tsquery` of a search text. Every run of letters and digits is a word; anything else, `%` and `_` among it, only
/// separates; like what is stored, it is compared in NFC. A text without words finds nothing.
pub(crate) fn prefixes(text: &str) -> String {
    let normal: String = text.nfc().collect();
    let words: Vec<String> = normal
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(|word| format!("'{}':*", word.to_lowercase()))
        .collect();
    words.join(" & ")
}
