//! Amounts of money: micro-dollars, exact.

use std::fmt;

use serde_json::{Number, Value};

use crate::db::ids::quoted;
use crate::error::{Error, Result};

/// An amount of US dollars, in millionths; never negative, at most [`Usd::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Usd(i64);

/// Requests of one cost at most.
pub const MAX_REQUESTS: i64 = 1_000_000;
/// Tokens of one cost at most.
pub const MAX_TOKENS: i64 = 1_000_000_000;
/// Micro-dollars of one cost at most: a million dollars.
const MAX_COST: i64 = 1_000_000_000_000;

/// Reads how much of something there was, if it is told: a whole number up to `most`.
///
/// # Errors
/// `BAD_USER_INPUT` naming the field.
pub fn whole(field: &str, value: Option<&Value>, most: i64) -> Result<Option<i64>> {
    let Some(value) = value else {
        return Ok(None);
    };
    let read = value.as_i64().filter(|number| (0..=most).contains(number));
    read.map(Some).ok_or_else(|| {
        let shown: String = value.to_string().chars().take(64).collect();
        let message = format!("{field} is {shown}. It must be a whole number from 0 to {most}.");
        Error::bad_input(field, message)
    })
}

/// Reads what one request costs, in micro-dollars.
///
/// # Errors
/// As [`Usd::parse`]; also for more than a million dollars.
pub fn cost(field: &str, value: &Value) -> Result<i64> {
    let micros = Usd::from_json(field, value)?.micros();
    if micros > MAX_COST {
        let most = Usd::from_micros(MAX_COST);
        let message = format!(
            "{field} is {}. One request costs at most {most}.",
            Usd::from_micros(micros)
        );
        return Err(Error::bad_input(field, message));
    }
    Ok(micros)
}

/// Micro-dollars in a dollar.
const SCALE: i64 = 1_000_000;
/// Decimals that an amount may have.
const DECIMALS: usize = 6;
/// The longest text that is read as an amount, in bytes.
const MAX_TEXT: usize = 64;

impl Usd {
    /// Nothing.
    pub const ZERO: Usd = Usd(0);
    /// The largest amount: a billion dollars. Sixteen digits at most, so a JSON number carries every amount exactly.
    pub const MAX: Usd = Usd(1_000_000_000 * SCALE);

    /// So many micro-dollars, as they are stored.
    pub fn from_micros(micros: i64) -> Self {
        Usd(micros)
    }

    /// Millionths of a dollar.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Reads decimal text such as `12.5`: digits, and up to six after a point. `field` is the input's path, for the error.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for what is no such text, is negative, has a finer part than a millionth, or is more than [`Usd::MAX`].
    pub fn parse(field: &str, text: &str) -> Result<Usd> {
        read(text).map_err(|fault| fault.told(field, text))
    }

    /// Reads a JSON string as [`Usd::parse`] does, or a JSON number: its shortest decimal form counts, so `0.1` is ten cents.
    ///
    /// # Errors
    /// As [`Usd::parse`]; also for what is neither a string nor a number.
    pub fn from_json(field: &str, value: &Value) -> Result<Usd> {
        match value {
            Value::String(text) => Usd::parse(field, text),
            Value::Number(number) => Usd::from_number(field, number),
            _ => Err(Error::bad_input(
                field,
                format!(
                    "{field} is no amount. Give US dollars as decimal text such as \"12.50\", or as a number."
                ),
            )),
        }
    }

    /// Reads a JSON number.
    ///
    /// # Errors
    /// As [`Usd::parse`].
    pub fn from_number(field: &str, number: &Number) -> Result<Usd> {
        let text = number.to_string();
        let read_number = || {
            let (digits, exponent) = text.split_once(['e', 'E']).unwrap_or((&text, "0"));
            let exponent: i32 = exponent.parse().map_err(|_| Fault::Form)?;
            read(&shifted(digits, exponent)?)
        };
        read_number().map_err(|fault| fault.told(field, &text))
    }
}

impl fmt::Display for Usd {
    /// As [`dollars`] writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&dollars(self.0.into()))
    }
}

/// Micro-dollars as the shortest decimal text of dollars: `12.5`, `0`, `0.000001`. A sum of amounts may be more than one amount can be.
pub fn dollars(micros: i128) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let (micros, scale) = (micros.unsigned_abs(), u128::from(SCALE.unsigned_abs()));
    let (whole, rest) = (micros / scale, micros % scale);
    if rest == 0 {
        return format!("{sign}{whole}");
    }
    let decimals = format!("{rest:06}");
    format!("{sign}{whole}.{}", decimals.trim_end_matches('0'))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Form,
    Negative,
    TooFine,
    TooLarge,
}

impl Fault {
    fn told(self, field: &str, text: &str) -> Error {
        let shown = quoted(text);
        let message = match self {
            Fault::Form => format!(
                "{field} is {shown}, which is no amount. Give US dollars as decimal text such as \"12.50\", or as a number."
            ),
            Fault::Negative => {
                format!("{field} is {shown}. An amount is not negative: give 0 or more.")
            }
            Fault::TooFine => format!(
                "{field} is {shown}. An amount has at most {DECIMALS} decimals: a millionth of a dollar is the smallest."
            ),
            Fault::TooLarge => format!("{field} is {shown}. An amount is at most {}.", Usd::MAX),
        };
        Error::bad_input(field, message)
    }
}

fn read(text: &str) -> std::result::Result<Usd, Fault> {
    if text.len() > MAX_TEXT {
        let is_number = text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
        return Err(if is_number {
            Fault::TooLarge
        } else {
            Fault::Form
        });
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, decimals) = match digits.split_once('.') {
        Some((_, "")) => return Err(Fault::Form),
        Some(parts) => parts,
        None => (digits, ""),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(decimals) {
        return Err(Fault::Form);
    }
    let decimals = decimals.trim_end_matches('0');
    let micros = format!("{whole}{decimals:0<DECIMALS$}");
    let is_zero = micros.bytes().all(|byte| byte == b'0');
    if negative && !is_zero {
        return Err(Fault::Negative);
    }
    if decimals.len() > DECIMALS {
        return Err(Fault::TooFine);
    }
    let micros: i64 = micros.parse().map_err(|_| Fault::TooLarge)?;
    if micros > Usd::MAX.0 {
        return Err(Fault::TooLarge);
    }
    Ok(Usd(micros))
}

/// The digits with the point moved by so many places, to the right if positive.
fn shifted(digits: &str, exponent: i32) -> std::result::Result<String, Fault> {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{decimals}");
    if all.bytes().all(|byte| byte == b'0') {
        return Ok("0".into());
    }
    let point = i32::try_from(whole.len()).map_err(|_| Fault::TooLarge)? + exponent;
    let length = i32::try_from(all.len()).map_err(|_| Fault::TooLarge)?;
    let fault = if sign.is_empty() {
        None
    } else {
        Some(Fault::Negative)
    };
    match point {
        ..-32 => Err(fault.unwrap_or(Fault::TooFine)),
        -32..=0 => Ok(format!(
            "{sign}0.{}{all}",
            "0".repeat(point.unsigned_abs() as usize)
        )),
        32.. => Err(fault.unwrap_or(Fault::TooLarge)),
        _ if point >= length => Ok(format!(
            "{sign}{all}{}",
            "0".repeat((point - length).unsigned_abs() as usize)
        )),
        _ => {
            let (whole, decimals) = all.split_at(point.unsigned_abs() as usize);
            Ok(format!("{sign}{whole}.{decimals}"))
        }
    }
}
