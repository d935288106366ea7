//! What is wrong with a body that could not be read: the member by its path, its value's kind, and what would be right. Bodies that
//! are right never come here.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use crate::db::ids::quoted;
use crate::error::{Code, Error};

/// What a member must be.
pub enum Wanted {
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// Anything: whoever reads it knows what is wrong with it.
    Any,
    /// An object with these members.
    Object(&'static [Member]),
    /// A list of objects with these members, at most so many of them.
    Objects(&'static [Member], usize),
}

/// A member that an object may have.
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub wanted: Wanted,
}

impl Member {
    /// A member that is a string.
    pub const fn text(name: &'static str) -> Member {
        Member {
            name,
            wanted: Wanted::Text,
        }
    }
}

/// JSON as it was written: members in their order, and as often as they are there. Texts are not kept: some are secrets.
enum Json {
    Null,
    Boolean,
    Number,
    Text,
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    fn kind(&self) -> &'static str {
        match self {
            Json::Null => "null",
            Json::Boolean => "a boolean",
            Json::Number => "a number",
            Json::Text => "a string",
            Json::List(_) => "a list",
            Json::Object(_) => "an object",
        }
    }
}

/// What is wrong with the body that should have been an object with these members and no others.
pub fn of_object(bytes: &[u8], members: &[Member]) -> Error {
    match read(bytes) {
        Ok(body) => object("", &body, members, &[]).unwrap_or_else(unexplained),
        Err(error) => error,
    }
}

/// What is wrong with the body that should have been a list of objects with these members, some of them `needed`, and perhaps others.
pub fn of_list(bytes: &[u8], members: &[Member], needed: &[&str], most: usize) -> Error {
    match read(bytes) {
        Ok(body) => list("", &body, members, needed, most).unwrap_or_else(unexplained),
        Err(error) => error,
    }
}

fn unexplained() -> Error {
    Error::new(Code::BadRequest, "The body cannot be understood.")
}

fn read(bytes: &[u8]) -> Result<Json, Error> {
    if bytes.trim_ascii().is_empty() {
        return Err(Error::new(
            Code::BadRequest,
            "The body is empty. Send JSON.",
        ));
    }
    // The parser's own words may repeat what it read; its place does not.
    serde_json::from_slice(bytes).map_err(|error| {
        Error::new(
            Code::BadRequest,
            format!(
                "The body is not JSON: line {}, column {} is wrong.",
                error.line(),
                error.column()
            ),
        )
    })
}

/// What is wrong with an object. One that needs members may have others too.
fn object(within: &str, value: &Json, members: &[Member], needed: &[&str]) -> Option<Error> {
    let names = || -> String {
        let names: Vec<String> = members
            .iter()
            .map(|one| format!("'{}'", one.name))
            .collect();
        names.join(", ")
    };
    let Json::Object(found) = value else {
        let (what, field) = match within.strip_suffix('.') {
            None => ("The body".to_owned(), None),
            Some(field) => (field.to_owned(), Some(field)),
        };
        let message = format!(
            "{what} is {}. It must be an object with members of {}.",
            value.kind(),
            names()
        );
        return Some(match field {
            None => Error::new(Code::BadRequest, message),
            Some(field) => Error::bad_input(field, message),
        });
    };
    for (place, (name, value)) in found.iter().enumerate() {
        let Some(member) = members.iter().find(|member| member.name == name) else {
            if !needed.is_empty() {
                continue;
            }
            // A name may be a key that was put in the wrong place.
            let name = if name.contains("ks_") { "ks_…" } else { name };
            return Some(Error::bad_input(
                format!("{within}{}", shortened(name)),
                format!(
                    "There is no member {}. There are {}.",
                    quoted(name),
                    names()
                ),
            ));
        };
        let field = format!("{within}{name}");
        if found[..place].iter().any(|(earlier, _)| earlier == name) {
            let message = format!("{field} is given twice. Give it once.");
            return Some(Error::bad_input(field, message));
        }
        let wrong = match &member.wanted {
            _ if matches!(value, Json::Null) => None,
            Wanted::Any => None,
            Wanted::Object(members) => object(&format!("{field}."), value, members, &[]),
            Wanted::Text if matches!(value, Json::Text) => None,
            Wanted::Text => {
                let message = format!("{field} is {}. It must be a string.", value.kind());
                Some(Error::bad_input(field, message))
            }
            Wanted::Texts => texts(&field, value),
            Wanted::Objects(members, most) => list(&field, value, members, &[], *most),
        };
        if wrong.is_some() {
            return wrong;
        }
    }
    needed
        .iter()
        .find(|name| {
            !found
                .iter()
                .any(|(known, value)| known == *name && !matches!(value, Json::Null))
        })
        .map(|name| {
            let field = format!("{within}{name}");
            let message = format!("{field} is missing.");
            Error::bad_input(field, message)
        })
}

fn texts(field: &str, value: &Json) -> Option<Error> {
    let Json::List(items) = value else {
        let message = format!("{field} is {}. It must be a list of strings.", value.kind());
        return Some(Error::bad_input(field, message));
    };
    let place = items.iter().position(|item| !matches!(item, Json::Text))?;
    let field = format!("{field}.{place}");
    let message = format!("{field} is {}. It must be a string.", items[place].kind());
    Some(Error::bad_input(field, message))
}

fn list(
    field: &str,
    value: &Json,
    members: &[Member],
    needed: &[&str],
    most: usize,
) -> Option<Error> {
    let what = if field.is_empty() { "The body" } else { field };
    let refuse = |message: String| match field {
        "" => Error::new(Code::BadRequest, message),
        field => Error::bad_input(field, message),
    };
    let Json::List(items) = value else {
        return Some(refuse(format!(
            "{what} is {}. It must be a list of objects.",
            value.kind()
        )));
    };
    if let Some(error) = size(field, items.len(), most) {
        return Some(error);
    }
    let dot = if field.is_empty() { "" } else { "." };
    items
        .iter()
        .enumerate()
        .find_map(|(index, item)| object(&format!("{field}{dot}{index}."), item, members, needed))
}

/// What is wrong with a list of so many elements.
pub fn size(field: &str, count: usize, most: usize) -> Option<Error> {
    if (1..=most).contains(&count) {
        return None;
    }
    let what = if field.is_empty() { "The body" } else { field };
    let message = format!("{what} has {count} elements. It must have 1 to {most}.");
    let mut error = Error::new(Code::BadUserInput, message);
    error.field = (!field.is_empty()).then(|| field.to_owned());
    Some(error)
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AsWritten)
    }
}

struct AsWritten;

impl<'de> Visitor<'de> for AsWritten {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Boolean)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Number)
    }

    fn visit_str<E>(self, _: &str) -> Result<Json, E> {
        Ok(Json::Text)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}
