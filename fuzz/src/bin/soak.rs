//! The fuzz target as a plain program, for where cargo-fuzz cannot run: a bounded time of mutated documents.
//!
//! `soak seeds DIRECTORY` writes the seed corpus for cargo-fuzz; `soak times` prints what checking typical documents costs;
//! `soak SECONDS [SEED]` fuzzes on the stack of a worker, one thread per call.

use std::hint::black_box;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use keystead_fuzz::guard::{Guard, Limits};
use keystead_fuzz::{SCHEMA, seeds, try_one};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["seeds", directory] => {
            fs::create_dir_all(directory).expect("a directory");
            for (n, text) in seeds().iter().enumerate() {
                fs::write(format!("{directory}/seed-{n:04}"), text).expect("a file");
            }
        }
        ["times"] => times(),
        [seconds, rest @ ..] => {
            let seconds = seconds.parse().expect("seconds");
            let seed = rest.first().map_or(1, |seed| seed.parse().expect("a seed"));
            thread::Builder::new()
                .stack_size(2 * 1024 * 1024)
                .spawn(move || soak(Duration::from_secs(seconds), seed))
                .expect("a thread")
                .join()
                .expect("no panic");
        }
        [] => eprintln!("soak SECONDS [SEED] | soak seeds DIRECTORY | soak times"),
    }
}

/// A small generator of random numbers (xorshift), so that a run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap_or(0)
    }
}

const PIECES: &[&str] = &[
    "{", "}", "(", ")", "[", "]", "...", ":", "$", "@", "!", "=", "on ", "null", "true", "1", "-",
    "1.5e9", "\"", "\"\"\"", "\\", "\\u{", "\\uD800", "#", "\n", ",", "\u{feff}", "\0", "é",
    "query ", "fragment F on ", "...F ", "...F0 ", "@skip(if: true) ", "__typename ", "a: id ",
    "{ id }", "(first: 5)", "$v1", "[[[[", "{a:", "...{", "subscription ", "__schema ", "Query ",
];

fn soak(time: Duration, seed: u64) {
    let start = Instant::now();
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut pool: Vec<Vec<u8>> = seeds().into_iter().map(String::into_bytes).collect();
    let (mut tried, mut passed, mut slowest) = (0_u64, 0_u64, Duration::ZERO);
    while start.elapsed() < time {
        let mut text = pool[random.below(pool.len())].clone();
        for _ in 0..=random.below(6) {
            wound(&mut text, &pool, &mut random);
        }
        text.truncate(96 * 1024);
        let before = Instant::now();
        let accepted = try_one(&text);
        slowest = slowest.max(before.elapsed());
        tried += 1;
        passed += u64::from(accepted);
        if accepted && text.len() < 4_096 && pool.len() < 20_000 {
            pool.push(text);
        }
    }
    println!("{tried} documents from seed {seed}, {passed} let pass, the slowest took {slowest:?}");
}

fn wound(text: &mut Vec<u8>, pool: &[Vec<u8>], random: &mut Random) {
    let at = random.below(text.len() + 1);
    let until = (at + random.below(24)).min(text.len());
    match random.below(7) {
        0 => drop(text.drain(at..until)),
        1 | 2 => {
            let piece = PIECES[random.below(PIECES.len())].as_bytes();
            text.splice(at..at, piece.iter().copied());
        }
        3 => {
            let copy = text[at..until].repeat(1 + random.below(200));
            text.splice(at..at, copy);
        }
        4 => {
            let other = &pool[random.below(pool.len())];
            let from = random.below(other.len() + 1);
            let to = (from + random.below(400)).min(other.len());
            text.splice(at..until, other[from..to].iter().copied());
        }
        5 => {
            let piece = PIECES[random.below(PIECES.len())].as_bytes();
            text.splice(at..until, piece.iter().copied());
        }
        _ => {
            if let Some(byte) = text.get_mut(at) {
                *byte = u8::try_from(random.below(128)).unwrap_or(b' ');
            }
        }
    }
}

const SMALL: &str = "query Dog($by: PetBy!) { dog(by: $by) { id name age mood } }";
const PAGE: &str = "query People($first: Int!, $after: String) {
  humans(first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
    edges { cursor node { ...Person } }
    totalCount
  }
}
fragment Person on Human {
  id name born __typename
  pets(first: 5, filter: { moods: [HAPPY, SAD], age: 3 }) {
    nodes { __typename ... on Node { id } ... on Named { name friend { name } } ... on Dog { barks(times: 2) tags } }
    pageInfo { hasNextPage endCursor }
  }
  friends(first: 5) { edges { cursor node { id name } } }
}";

/// What the first check of a document costs, and what the next ones do.
fn times() {
    let guard = Guard::new(SCHEMA, Limits::default()).expect("a schema");
    let large = {
        let parts: Vec<String> = (0..29)
            .map(|n| format!("q{n}: human(id: {n}) {{ id name born pets(first: {n}) {{ nodes {{ ... on Dog {{ id name barks(times: {n}) }} }} }} friends {{ edges {{ node {{ id name }} }} }} }}"))
            .collect();
        format!("{{ {} }}", parts.join("\n"))
    };
    for (name, text) in [("small", SMALL), ("page", PAGE), ("large", &large)] {
        let each = |run: &dyn Fn()| {
            run();
            let start = Instant::now();
            let mut count = 0_u32;
            while start.elapsed() < Duration::from_millis(500) {
                for _ in 0..50 {
                    run();
                }
                count += 50;
            }
            start.elapsed() / count
        };
        guard.check(text).expect("valid");
        let first = each(&|| drop(black_box(guard.check_afresh(black_box(text)))));
        let again = each(&|| drop(black_box(guard.check(black_box(text)))));
        println!("{name}, {} bytes: first {first:?}, again {again:?}", text.len());
    }
    for (name, text) in keystead_fuzz::attacks::all() {
        let start = Instant::now();
        let refused = guard.check_afresh(&text).is_err();
        let time = start.elapsed();
        assert!(refused, "accepted: {name}");
        if time > Duration::from_millis(1) {
            println!("refusing {name} took {time:?}");
        }
    }
}
