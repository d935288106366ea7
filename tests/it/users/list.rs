//! `users`: words, filters, orders, pages.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keystead::permissions::model::InstanceRole;
use serde_json::{Value, json};

use crate::support::{Client, TestApp};

async fn page(client: &Client, arguments: &str) -> Value {
    let document = format!(
        "{{ users({arguments}) {{ totalCount edges {{ cursor node {{ username }} }} nodes {{ username }}
            pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
    );
    client.data(&document, json!({})).await["users"].take()
}

fn names(page: &Value) -> Vec<String> {
    let nodes = page["nodes"].as_array().unwrap();
    nodes
        .iter()
        .map(|node| node["username"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn words_find_the_beginnings_of_words() {
    let app = TestApp::new().await;
    let create = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";
    for input in [
        json!({"username": "ada.lovelace", "email": "countess@example.com", "name": "Augusta Ada King"}),
        json!({"username": "bob_100", "name": "Bob O'Brien", "familyName": "\u{c9}va"}),
        json!({"username": "carl-x", "givenName": "Карл", "familyName": "李小龍"}),
    ] {
        app.admin().data(create, json!({ "input": input })).await;
    }
    for (search, expected) in [
        ("ada", vec!["ada.lovelace"]),
        ("LOVE", vec!["ada.lovelace"]),
        ("lace", vec![]),
        ("king countess", vec!["ada.lovelace"]),
        ("king bob", vec![]),
        ("exampl", vec!["ada.lovelace"]),
        ("100", vec!["bob_100"]),
        ("bob_100", vec!["bob_100"]),
        ("o'brien", vec!["bob_100"]),
        ("\u{e9}va", vec!["bob_100"]),
        ("e\u{301}va", vec!["bob_100"]),
        ("кар", vec!["carl-x"]),
        ("李小", vec!["carl-x"]),
        ("", vec![]),
        (" ", vec![]),
        ("%", vec![]),
        ("_", vec![]),
        ("%da%", vec![]),
        ("a*", vec!["ada.lovelace", "admin"]),
        ("ada & bob", vec![]),
        ("ada | bob", vec![]),
        ("!ada", vec!["ada.lovelace"]),
        ("ada <-> king", vec!["ada.lovelace"]),
        ("'ada' \\ :*", vec!["ada.lovelace"]),
        ("ada:* | bob:*", vec![]),
        ("\\'); DROP TABLE users; --", vec![]),
        ("nul\u{0}", vec![]),
        ("\u{202e}ada", vec!["ada.lovelace"]),
    ] {
        let found = app
            .admin()
            .data(
                "query($search: String!) { users(filter: {search: $search}, orderBy: {field: USERNAME}) { totalCount nodes { username } } }",
                json!({ "search": search }),
            )
            .await;
        assert_eq!(names(&found["users"]), expected, "{search:?}");
        assert_eq!(found["users"]["totalCount"], expected.len(), "{search:?}");
    }
}

#[tokio::test]
async fn filters_are_joined_by_and() {
    let app = TestApp::new().await;
    let create = "mutation($input: CreateUserInput!) { createUser(input: $input) { user { id } } }";
    for input in [
        json!({"username": "a", "kind": "SERVICE"}),
        json!({"username": "b", "role": "AUDITOR", "enabled": false}),
        json!({"username": "c", "kind": "SERVICE", "enabled": false}),
    ] {
        app.app.clock.advance(chrono::TimeDelta::days(1));
        app.admin().data(create, json!({ "input": input })).await;
    }
    for (filter, expected) in [
        ("{}", vec!["admin", "a", "b", "c"]),
        ("{kind: SERVICE}", vec!["a", "c"]),
        ("{role: AUDITOR}", vec!["b"]),
        ("{enabled: false}", vec!["b", "c"]),
        ("{enabled: false, kind: SERVICE}", vec!["c"]),
        ("{enabled: null, kind: null}", vec!["admin", "a", "b", "c"]),
        ("{createdFrom: \"2030-01-03T12:00:00Z\"}", vec!["b", "c"]),
        (
            "{createdBefore: \"2030-01-03T12:00:00Z\"}",
            vec!["admin", "a"],
        ),
        (
            "{createdFrom: \"2030-01-02T12:00:00Z\", createdBefore: \"2030-01-03T12:00:00Z\"}",
            vec!["a"],
        ),
        ("{createdFrom: \"9999-01-01T00:00:00Z\"}", vec![]),
        ("{team: \"team_7zzzzzzzzzzzzzzzzzzzzzzzzz\"}", vec![]),
    ] {
        let page = page(&app.admin(), &format!("filter: {filter}")).await;
        assert_eq!(names(&page), expected, "{filter}");
        assert_eq!(page["totalCount"], expected.len(), "{filter}");
    }
}

#[tokio::test]
async fn pages_go_forward_and_backward_in_each_order() {
    let app = TestApp::new().await;
    // All are made at one moment: ids break the tie.
    for number in 0..11 {
        app.user(
            &format!("{}ser{number:02}", if number % 2 == 0 { "u" } else { "U" }),
            InstanceRole::Member,
        )
        .await;
    }
    let admin = app.admin();
    for order in [
        "{field: CREATED_AT}",
        "{field: CREATED_AT, direction: DESC}",
        "{field: USERNAME}",
        "{field: USERNAME, direction: DESC}",
    ] {
        let all = page(&admin, &format!("first: 100, orderBy: {order}")).await;
        let all = names(&all);
        assert_eq!(all.len(), 12);
        if order.contains("USERNAME") {
            let mut sorted = all.clone();
            sorted.sort_by_key(|name| name.to_lowercase());
            if order.contains("DESC") {
                sorted.reverse();
            }
            assert_eq!(all, sorted, "{order}");
        }
        for size in [1, 4, 12] {
            let (mut forward, mut cursor) = (Vec::new(), String::new());
            loop {
                let next = page(&admin, &format!("first: {size}, orderBy: {order} {cursor}")).await;
                assert_eq!(next["totalCount"], json!(12));
                assert_eq!(
                    next["pageInfo"]["hasPreviousPage"],
                    json!(!cursor.is_empty())
                );
                forward.extend(names(&next));
                if next["pageInfo"]["hasNextPage"] == json!(false) {
                    break;
                }
                cursor = format!(", after: {}", next["pageInfo"]["endCursor"]);
            }
            assert_eq!(forward, all, "{order} by {size}");
            let (mut backward, mut cursor) = (Vec::new(), String::new());
            loop {
                let next = page(&admin, &format!("last: {size}, orderBy: {order} {cursor}")).await;
                backward = [names(&next), backward].concat();
                if next["pageInfo"]["hasPreviousPage"] == json!(false) {
                    break;
                }
                cursor = format!(", before: {}", next["pageInfo"]["startCursor"]);
            }
            assert_eq!(backward, all, "{order} by {size}, backward");
        }
        // Between two cursors.
        let edges = page(&admin, &format!("first: 100, orderBy: {order}")).await["edges"].take();
        let between = format!(
            "after: {}, before: {}",
            edges[2]["cursor"], edges[6]["cursor"]
        );
        let between = page(&admin, &format!("first: 100, orderBy: {order}, {between}")).await;
        assert_eq!(names(&between), all[3..6], "{order}");
    }
}

#[tokio::test]
async fn page_arguments_have_their_rules() {
    let app = TestApp::new().await;
    app.user("ada", InstanceRole::Member).await;
    let admin = app.admin();
    let by_time = page(&admin, "first: 1").await["pageInfo"]["endCursor"].take();
    let by_name =
        page(&admin, "first: 1, orderBy: {field: USERNAME}").await["pageInfo"]["endCursor"].take();
    let of_teams = {
        let document = "mutation { createTeam(input: {slug: \"t\", name: \"T\"}) { team { id } } }";
        admin.data(document, json!({})).await;
        admin
            .data("{ teams { pageInfo { endCursor } } }", json!({}))
            .await["teams"]["pageInfo"]["endCursor"]
            .take()
    };
    let mut tampered = URL_SAFE_NO_PAD.decode(by_time.as_str().unwrap()).unwrap();
    *tampered.last_mut().unwrap() ^= 1;
    let tampered = URL_SAFE_NO_PAD.encode(&tampered);
    // A checksum is no secret: a cursor that was made up must do no harm either.
    let made_up = |body: &str| {
        let mut bytes = crc32fast::hash(body.as_bytes()).to_be_bytes().to_vec();
        bytes.extend_from_slice(body.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    };
    let id = "0".repeat(32);
    let nul = made_up(&format!("users:username:TEXT\u{1f}{id}\u{1f}a\u{0}"));
    let no_time = made_up(&format!("users:createdAt\u{1f}{id}\u{1f}yesterday"));
    let far = made_up(&format!(
        "users:createdAt\u{1f}{id}\u{1f}+262000-01-01T00:00:00Z"
    ));
    let mut found = Vec::new();
    for (arguments, name) in [
        ("first: -1".to_owned(), ""),
        ("first: 101".into(), ""),
        ("last: -1".into(), ""),
        ("last: 101".into(), ""),
        ("first: 1, last: 1".into(), ""),
        ("first: 2147483648".into(), ""),
        ("first: 1.5".into(), ""),
        ("first: \"1\"".into(), ""),
        ("after: \"\"".into(), ""),
        ("before: \"never\"".into(), ""),
        (format!("after: {by_name}"), "by name"),
        (
            format!("after: {by_time}, orderBy: {{field: CREATED_AT, direction: DESC}}"),
            "the other direction",
        ),
        (format!("after: {of_teams}"), "of teams"),
        (format!("after: \"{tampered}\""), "tampered"),
        (
            format!("after: \"{nul}\", orderBy: {{field: USERNAME}}"),
            "with NUL",
        ),
        (format!("after: \"{no_time}\""), "without a time"),
        (format!("after: \"{far}\""), "far away"),
    ] {
        let document = format!("{{ users({arguments}) {{ totalCount }} }}");
        let (code, field, message) = admin.error(&document, json!({})).await;
        let message = message
            .split_once("' is ")
            .map_or(message.clone(), |(_, rest)| format!("'…' is {rest}"));
        found.push(format!(
            "{}: {code} {field}: {message}",
            if name.is_empty() { &arguments } else { name }
        ));
    }
    insta::assert_json_snapshot!(found);
    let none = page(&admin, "first: 0").await;
    assert_eq!(none["edges"], json!([]));
    assert_eq!(none["totalCount"], json!(2));
    assert_eq!(none["pageInfo"]["hasNextPage"], json!(true));
}
