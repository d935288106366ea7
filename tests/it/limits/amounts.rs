//! Amounts of money are read exactly, or refused by name.

use keystead::error::Code;
use keystead::limits::amount::Usd;
use proptest::prelude::*;
use serde_json::{Value, from_str};

fn micros(text: &str) -> i64 {
    Usd::parse("input.maxUsd", text).unwrap().micros()
}

fn refusal(value: &Value) -> String {
    let error = Usd::from_json("input.maxUsd", value).unwrap_err();
    assert_eq!(error.code, Code::BadUserInput);
    assert_eq!(error.field.as_deref(), Some("input.maxUsd"));
    error.message
}

#[test]
fn decimal_text_is_read_to_the_millionth() {
    assert_eq!(micros("0"), 0);
    assert_eq!(micros("-0.0"), 0);
    assert_eq!(micros("12.5"), 12_500_000);
    assert_eq!(micros("0.000001"), 1);
    assert_eq!(micros("0.10000000"), 100_000);
    assert_eq!(micros("007"), 7_000_000);
    assert_eq!(micros("999999999.999999"), 999_999_999_999_999);
    assert_eq!(micros("1000000000"), Usd::MAX.micros());
}

#[test]
fn numbers_count_by_their_shortest_decimal_form() {
    let read = |text: &str| {
        let value: Value = from_str(text).unwrap();
        Usd::from_json("usd", &value).unwrap().micros()
    };
    assert_eq!(read("0.1"), 100_000);
    assert_eq!(read("0.000001"), 1);
    assert_eq!(read("1e-6"), 1);
    assert_eq!(read("1.5e2"), 150_000_000);
    assert_eq!(read("1e9"), Usd::MAX.micros());
    assert_eq!(read("999999999.999999"), 999_999_999_999_999);
    assert_eq!(read("0e99"), 0);
    assert_eq!(read("42"), 42_000_000);
}

#[test]
fn what_is_no_amount_is_refused_with_the_reason() {
    let cases: Vec<String> = [
        "\"-1\"",
        "-0.5",
        "-1e-3",
        "\"NaN\"",
        "\"Infinity\"",
        "\"1e3\"",
        "\"\"",
        "\".5\"",
        "\"5.\"",
        "\" 5\"",
        "\"1,5\"",
        "\"$5\"",
        "\"٥\"",
        "\"0.0000001\"",
        "0.0000001",
        "1e-40",
        "1000000000.000001",
        "\"1000000000.000001\"",
        "\"1234567890123456789012345678901234567890\"",
        "1234567890123456789012345678901234567890",
        "1e300",
        "true",
        "null",
        "[1]",
    ]
    .iter()
    .map(|text| format!("{text}: {}", refusal(&from_str(text).unwrap())))
    .collect();
    insta::assert_snapshot!(cases.join("\n"));
    let long = "9".repeat(10_000);
    assert!(refusal(&Value::String(long)).contains("at most 1000000000."));
}

proptest! {
    #[test]
    fn what_is_shown_reads_as_the_same(micros in 0..=Usd::MAX.micros()) {
        let amount = Usd::from_micros(micros);
        let shown = amount.to_string();
        prop_assert_eq!(Usd::parse("usd", &shown).unwrap(), amount);
        let number: Value = from_str(&shown).unwrap();
        prop_assert_eq!(Usd::from_json("usd", &number).unwrap(), amount);
        let exponent: Value = from_str(&format!("{micros}e-6")).unwrap();
        prop_assert_eq!(Usd::from_json("usd", &exponent).unwrap(), amount);
    }
}
