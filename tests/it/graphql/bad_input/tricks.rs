//! What is tried at a place, by its type and its name.

use serde_json::{Value, json};

use super::places::Place;
use super::state::Ground;

/// A trick: its name, and the value; `None` leaves the place out.
pub type Trick = (&'static str, Option<Value>);

/// Every trick for that place.
pub fn tricks(place: &Place, ground: &Ground) -> Vec<Trick> {
    let mut tricks: Vec<Trick> = vec![("missing", None), ("null", Some(Value::Null))];
    let mut add = |name, value: Value| tricks.push((name, Some(value)));
    match place.shape {
        "list" => {
            add("not a list", json!(7));
            add("[]", json!([]));
            add("[null]", json!([null]));
            add("10,000 items", json!(vec![item(place, ground); 10_000]));
            add(
                "the same twice",
                json!([item(place, ground), item(place, ground)]),
            );
        }
        "input" => {
            add("{}", json!({}));
            add("wrong type", json!("text"));
            add("unknown field", json!({"nonsense": 1}));
            add("a list of it", json!([7]));
        }
        "enum" => {
            add("unknown value", json!("NONSENSE"));
            add("lower case", json!("admin"));
            add("wrong type", json!(1));
        }
        _ => scalars(place, ground, &mut add),
    }
    tricks
}

fn item(place: &Place, ground: &Ground) -> Value {
    match place.ty.inner_named_type().as_str() {
        "ID" => json!(ground.world.ids["$user"]),
        "Cidr" => json!("192.0.2.0/24"),
        "String" => json!("model.use"),
        input => super::base::sample(input, ground),
    }
}

fn scalars(place: &Place, ground: &Ground, add: &mut impl FnMut(&'static str, Value)) {
    let long = "x".repeat(10_000);
    match place.ty.inner_named_type().as_str() {
        "ID" => {
            add("wrong type", json!({}));
            add("a number", json!(7));
            add("empty", json!(""));
            add("too long", json!(long));
            add("not an id", json!("nonsense"));
            let user = &ground.world.ids["$user"];
            let kinds = ["$user", "$team", "$key", "$role", "$permission", "$event"];
            for (name, kind) in [
                "a user's",
                "a team's",
                "a key's",
                "a role's",
                "a permission's",
                "an event's",
            ]
            .into_iter()
            .zip(kinds)
            {
                add(name, json!(ground.world.ids[kind]));
            }
            for (name, prefix) in [
                ("unknown user", "user"),
                ("unknown team", "team"),
                ("unknown key", "key"),
                ("unknown role", "role"),
                ("unknown permission", "perm"),
                ("unknown event", "event"),
            ] {
                add(name, json!(format!("{prefix}_7zzzzzzzzzzzzzzzzzzzzzzzzz")));
            }
            add("upper case", json!(user.to_uppercase()));
            add("cut", json!(user[..user.len() - 1]));
            add(
                "more than 128 bits",
                json!("user_8zzzzzzzzzzzzzzzzzzzzzzzzz"),
            );
            add("NUL", json!(format!("{user}\u{0}")));
        }
        "Int" => {
            for (name, value) in [
                ("0", json!(0)),
                ("-1", json!(-1)),
                ("100", json!(100)),
                ("101", json!(101)),
                ("2^31", json!(2_147_483_648_u64)),
                ("1.5", json!(1.5)),
                ("wrong type", json!("1")),
            ] {
                add(name, value);
            }
        }
        "Boolean" => {
            add("wrong type", json!("true"));
            add("a number", json!(1));
        }
        "DateTime" => {
            for (name, value) in [
                ("past", "2029-12-31T23:59:59Z"),
                ("long past", "1969-12-31T23:59:59Z"),
                ("year 300000", "300000-01-01T00:00:00Z"),
                ("not a date", "yesterday"),
                ("empty", ""),
                ("no such day", "2031-02-30T00:00:00Z"),
                ("without zone", "2031-01-01T00:00:00"),
                ("nanoseconds", "2031-01-01T00:00:00.123456789Z"),
                ("NUL", "2031-01-01T00:00:00Z\u{0}"),
            ] {
                add(name, json!(value));
            }
            add("too long", json!(long));
            add("wrong type", json!(1_900_000_000));
        }
        "Duration" => {
            for (name, value) in [
                ("negative", "-P1D"),
                ("none", "PT0S"),
                ("huge", "P300000Y"),
                ("endless", "P99999999999999999999D"),
                ("empty", ""),
                ("not a duration", "a day"),
                ("bare P", "P"),
            ] {
                add(name, json!(value));
            }
            add("too long", json!(long));
            add("wrong type", json!(86_400));
        }
        "Cidr" => {
            for (name, value) in [
                ("bits set", "10.0.0.1/8"),
                ("no such address", "999.1.1.1/8"),
                ("no such length", "::/129"),
                ("empty", ""),
                ("everything", "0.0.0.0/0"),
                ("NUL", "10.0.0.0/8\u{0}"),
            ] {
                add(name, json!(value));
            }
            add("too long", json!(long));
            add("wrong type", json!(10));
        }
        "Usd" => {
            for (name, value) in [
                ("negative", json!("-0.01")),
                ("not a number", json!("NaN")),
                ("endless", json!("Infinity")),
                (
                    "40 digits",
                    json!("1234567890123456789012345678901234567890"),
                ),
                ("huge", json!(1e300)),
                ("below a millionth", json!("0.0000001")),
                ("empty", json!("")),
                ("wrong type", json!(true)),
                ("an object", json!({})),
                ("too long", json!(long)),
                ("NUL", json!("1\u{0}")),
            ] {
                add(name, value);
            }
        }
        "JSON" => {
            add("a list", json!([1]));
            add("a text", json!("text"));
            add("nested 17 deep", nested(17));
            add("nested 120 deep", nested(120));
            add("1 MB", json!({"a": "x".repeat(1_000_000)}));
            add("17 kB", json!({"a": "x".repeat(17_000)}));
            add("NUL", json!({"a\u{0}": 1}));
            add("NUL inside", json!({"a": ["\u{0}"]}));
        }
        _ => {
            add("wrong type", json!(7));
            add("an object", json!({}));
            add("empty", json!(""));
            add("blank", json!(" \u{3000} "));
            add("too long", json!(long));
            add("decomposed", json!("Ame\u{301}lie"));
            add("invisible", json!("a\u{200b}b"));
            add("right to left", json!("a\u{202e}b"));
            add("NUL", json!("a\u{0}b"));
            add("line break", json!("a\nb"));
            for wildcard in ["%", "_", "\\", "'", "*", ":", "&", "!"] {
                add("wildcard or operator", json!(wildcard));
            }
            if matches!(place.last(), "after" | "before") {
                cursors(place, ground, add);
            }
        }
    }
}

fn cursors(place: &Place, ground: &Ground, add: &mut impl FnMut(&'static str, Value)) {
    let other = if place.field == "permissions" {
        &ground.cursors[0]
    } else {
        &ground.cursors[2]
    };
    add("of another list", json!(other));
    add("of another order", json!(ground.cursors[1]));
    let mut tampered = ground.cursors[0].clone();
    tampered.replace_range(0..1, if tampered.starts_with('A') { "B" } else { "A" });
    add("tampered", json!(tampered));
}

fn nested(levels: usize) -> Value {
    (0..levels).fold(json!(1), |value, _| json!({ "a": value }))
}
