//! What the tests of usage begin with: users, teams, keys, and events of theirs.

use std::fmt::Write;

use chrono::{DateTime, Utc};
use keystead::api_keys::model::NewApiKey;
use keystead::db::ids::{Id, Kind};
use keystead::graphql::settings::Settings;
use keystead::http::Settings as HttpSettings;
use keystead::permissions::model::InstanceRole;
use keystead::users::model::User;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Client, TestApp};
use crate::teams::world::{add, team};

pub const USAGE: &str = "query($filter: UsageFilter, $groupBy: [UsageGroupBy!]! = [], $granularity: UsageGranularity, $timeZone: String! = \"UTC\") {
    usage(filter: $filter, groupBy: $groupBy, granularity: $granularity, timeZone: $timeZone) {
        from to totals { events requests tokens tokensIn tokensOut tokensCached usd }
        series(atMost: 10000) { start end group { apiKeyId userId teamId resource tag }
            events requests tokens tokensIn tokensOut tokensCached usd } } }";

/// Somebody who uses something: with which key, as which user, of which team.
#[derive(Debug, Clone, Copy)]
pub struct Spender {
    pub key: Option<Uuid>,
    pub user: Uuid,
    pub team: Option<Uuid>,
}

/// Something that was used.
#[derive(Debug, Clone)]
pub struct Event {
    pub at: DateTime<Utc>,
    pub by: Spender,
    pub resource: String,
    pub tags: Vec<String>,
    pub requests: i64,
    pub tokens_in: i64,
    pub tokens_out: i64,
    pub tokens_cached: i64,
    pub micros: i64,
    pub state: &'static str,
}

impl Event {
    /// One request that cost so much.
    pub fn of(by: Spender, at: &str, micros: i64) -> Event {
        Event {
            at: at.parse().unwrap(),
            by,
            resource: "/models/a".into(),
            tags: Vec::new(),
            requests: 1,
            tokens_in: 10,
            tokens_out: 5,
            tokens_cached: 2,
            micros,
            state: "SETTLED",
        }
    }
}

/// Ada administers the team `all`, with `ml` below it; Bob is a member of `ml`; `web` is nobody's.
pub struct World {
    pub app: TestApp,
    pub ada: (User, Client),
    pub bob: (User, Client),
    /// `all`, `ml` and `web`.
    pub teams: [Uuid; 3],
    /// Ada for herself, Ada for `all`, Bob for `ml`, Bob for himself.
    pub spenders: Vec<Spender>,
}

impl World {
    pub async fn new() -> World {
        // Whole series are dear, and tests ask for many.
        let api = Settings {
            cost_per_minute: 0,
            ..Settings::default()
        };
        let app = TestApp::with_settings(api, HttpSettings::default()).await;
        let ada = app.user("ada", InstanceRole::Member).await;
        let bob = app.user("bob", InstanceRole::Member).await;
        let all = team(&app, "all", None).await;
        let ml = team(&app, "ml", Some(&all)).await;
        let web = team(&app, "web", None).await;
        add(&app, &all, &ada.0, "ADMIN").await;
        add(&app, &ml, &bob.0, "MEMBER").await;
        let uuid = |id: &String| Id::parse_as(Kind::Team, "team", id).unwrap();
        let teams = [uuid(&all), uuid(&ml), uuid(&web)];
        let mut spenders = Vec::new();
        for (user, team) in [
            (ada.0.id, None),
            (ada.0.id, Some(teams[0])),
            (bob.0.id, Some(teams[1])),
            (bob.0.id, None),
        ] {
            let new = NewApiKey {
                owner: Some(user),
                team,
                ..NewApiKey::default()
            };
            let key = app.generate(new).await.0.id;
            let key = Some(key);
            spenders.push(Spender { key, user, team });
        }
        World {
            app,
            ada,
            bob,
            teams,
            spenders,
        }
    }

    /// Records events as if they had been told, with their sums.
    pub async fn record(&self, events: &[Event]) {
        let client = self.app.app.db.endpoint().client().await.unwrap();
        let mut sql = String::new();
        for chunk in events.chunks(500) {
            for event in chunk {
                let at = event.at.to_rfc3339();
                writeln!(sql, "SELECT usage_partition('{at}');").unwrap();
            }
        }
        sql.push_str("CREATE TEMP TABLE told (LIKE usage_events); INSERT INTO told (id, at, recorded_at, asker_id, api_key_id, user_id, team_id,
            requests, tokens, tokens_in, tokens_out, tokens_cached, micros, resource, tags, counters, state) VALUES ");
        let id = |id: Option<Uuid>| id.map_or("NULL".to_owned(), |id| format!("'{id}'"));
        for (place, event) in events.iter().enumerate() {
            let tags: Vec<String> = event.tags.iter().map(|tag| format!("'{tag}'")).collect();
            write!(
                sql,
                "{}(gen_random_uuid(), '{}', now(), NULL, {}, '{}', {}, {}, {}, {}, {}, {}, {}, '{}', ARRAY[{}]::text[], '{{}}', '{}')",
                if place == 0 { "" } else { ", " },
                event.at.to_rfc3339(),
                id(event.by.key),
                event.by.user,
                id(event.by.team),
                event.requests,
                event.tokens_in + event.tokens_out,
                event.tokens_in,
                event.tokens_out,
                event.tokens_cached,
                event.micros,
                event.resource,
                tags.join(","),
                event.state
            )
            .unwrap();
        }
        sql.push_str("; INSERT INTO usage_events SELECT * FROM told;
            SELECT usage_roll(ARRAY(SELECT ROW(date_bin('15 minutes', at, 'epoch'), user_id, api_key_id, team_id, resource, t.tag, 1, requests,
                tokens, tokens_in, tokens_out, tokens_cached, micros)::usage_quarters
            FROM told CROSS JOIN unnest(array_append(tags, '')) AS t (tag) WHERE state <> 'RELEASED')); DROP TABLE told");
        client.batch_execute(&sql).await.unwrap();
    }
}

/// Asks as the client; the answer must be right.
pub async fn usage(client: &Client, variables: Value) -> Value {
    client.data(USAGE, variables).await["usage"].take()
}

pub fn user_id(user: &User) -> String {
    user.typed_id().to_string()
}

pub fn team_id(id: Uuid) -> String {
    Id::new(Kind::Team, id).to_string()
}

pub fn key_id(id: Uuid) -> String {
    Id::new(Kind::ApiKey, id).to_string()
}

/// Some usage of everybody, for tests that are about something else.
pub async fn some() -> World {
    let world = World::new().await;
    let [ada, all, ml, bob] = [0, 1, 2, 3].map(|place| world.spenders[place]);
    let mut events = vec![
        Event::of(ada, "2029-12-31T23:50:00Z", 1),
        Event::of(all, "2030-01-01T00:00:00Z", 20),
        Event::of(ml, "2030-01-01T00:10:00Z", 300),
        Event::of(bob, "2030-01-01T11:59:59Z", 4_000),
    ];
    events[1].tags = vec!["a".into(), "b".into()];
    events[2].resource = "/models/b".into();
    events[3].tags = vec!["=b".into()];
    world.record(&events).await;
    world
}

/// `usd` of the totals.
pub async fn spent(client: &Client, filter: Value) -> String {
    let answer = usage(client, json!({"filter": filter})).await;
    answer["totals"]["usd"].as_str().unwrap().to_owned()
}
