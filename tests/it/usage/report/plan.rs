//! How sums are read: one statement, and by indexes.

use serde_json::{Value, json};

use super::world::{some, team_id, usage, user_id};
use crate::db::plans::prepared;

/// Questions, and the indexes that their statements must use.
fn questions(team: &str, user: &str, key: &str) -> Vec<(Value, Vec<&'static str>)> {
    let year = |mut filter: Value| {
        filter["from"] = json!("2029-01-01T00:00:00Z");
        filter["to"] = json!("2030-01-01T00:00:00Z");
        filter
    };
    let of_team = || year(json!({"team": team}));
    let berlin = "Europe/Berlin";
    vec![
        (
            json!({"filter": of_team(), "granularity": "MONTH"}),
            vec!["usage_team_months_key"],
        ),
        (
            json!({"filter": of_team(), "groupBy": ["KEY"]}),
            vec!["usage_months_team_idx"],
        ),
        (
            json!({"filter": {"team": team, "from": "2029-01-10T00:00:00Z", "to": "2029-11-20T00:00:00Z"}}),
            vec!["usage_team_months_key", "usage_team_days_key"],
        ),
        (
            json!({"filter": of_team(), "granularity": "DAY", "timeZone": berlin}),
            vec!["usage_team_days_key", "usage_team_quarters_key"],
        ),
        (
            json!({"filter": of_team(), "granularity": "DAY", "timeZone": berlin, "groupBy": ["KEY"]}),
            vec!["usage_days_team_idx", "usage_quarters_team_idx"],
        ),
        (
            json!({"filter": year(json!({"user": user})), "granularity": "DAY", "timeZone": berlin}),
            vec!["usage_days_user_idx", "usage_quarters_user_idx"],
        ),
        (
            json!({"filter": year(json!({"apiKey": key})), "granularity": "DAY", "timeZone": berlin, "groupBy": ["TAG"]}),
            vec!["usage_days_api_key_idx", "usage_quarters_api_key_idx"],
        ),
        (
            json!({"filter": year(json!({})), "granularity": "MONTH", "timeZone": berlin, "groupBy": ["TEAM"]}),
            vec!["usage_team_months_slot_idx", "usage_team_quarters_slot_idx"],
        ),
        (
            json!({"filter": year(json!({})), "granularity": "MONTH", "timeZone": berlin, "groupBy": ["USER"]}),
            vec!["usage_months_key", "usage_quarters_key"],
        ),
        (
            json!({"filter": {"team": team, "from": "2029-12-01T00:00:00Z", "to": "2030-01-01T00:00:00Z"}, "granularity": "HOUR"}),
            vec!["usage_team_quarters_key"],
        ),
    ]
}

#[tokio::test]
async fn a_year_is_one_statement_by_index() {
    let world = some().await;
    let admin = world.app.admin();
    let key = super::world::key_id(world.spenders[2].key.unwrap());
    let (team, user) = (team_id(world.teams[0]), user_id(&world.bob.0));
    let client = world.app.app.db.endpoint().client().await.unwrap();
    // So many that the planner has a choice.
    client
        .batch_execute(
            "INSERT INTO usage_days SELECT day, md5('u' || n)::uuid, md5('k' || n)::uuid, md5('t' || n % 50)::uuid, '/m', '', 1, 1, 1, 1, 1, 1, 1
                FROM generate_series('2029-01-01'::timestamptz, '2029-12-31', '1 day') AS day, generate_series(1, 100) AS n;
            INSERT INTO usage_quarters SELECT slot + interval '23 hours', user_id, api_key_id, team_id, resource, tag, 1, 1, 1, 1, 1, 1, 1 FROM usage_days;
            INSERT INTO usage_team_days SELECT slot, team_id, resource, tag, 2, 2, 2, 2, 2, 2, 2 FROM usage_days WHERE team_id IS NOT NULL GROUP BY 1, 2, 3, 4
                ON CONFLICT DO NOTHING;
            INSERT INTO usage_team_quarters SELECT slot + interval '23 hours', team_id, resource, tag, 2, 2, 2, 2, 2, 2, 2 FROM usage_team_days;
            INSERT INTO usage_months SELECT date_trunc('month', slot, 'UTC'), user_id, api_key_id, team_id, resource, tag, 1, 1, 1, 1, 1, 1, 1
                FROM usage_days GROUP BY 1, 2, 3, 4, 5, 6 ON CONFLICT DO NOTHING;
            INSERT INTO usage_team_months SELECT date_trunc('month', slot, 'UTC'), team_id, resource, tag, 2, 2, 2, 2, 2, 2, 2
                FROM usage_team_days GROUP BY 1, 2, 3, 4 ON CONFLICT DO NOTHING;
            ANALYZE",
        )
        .await
        .unwrap();
    let quick = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET plan_cache_mode = force_generic_plan";
    client.batch_execute(quick).await.unwrap();
    for (number, (question, indexes)) in questions(&team, &user, &key).into_iter().enumerate() {
        usage(&admin, question.clone()).await;
        let before = world.app.app.db.statements();
        usage(&admin, question.clone()).await;
        // Who is calling, and the sums.
        assert_eq!(world.app.app.db.statements() - before, 2, "{question}");
        let statements = prepared(&world.app).await;
        let mut plans = Vec::new();
        for (place, (statement, types)) in statements.iter().enumerate() {
            if !statement.contains("FROM parts") {
                continue;
            }
            let (types, nulls) = (types.join(", "), vec!["NULL"; types.len()].join(", "));
            let prepare = format!("PREPARE s{number}_{place} ({types}) AS {statement}");
            client.batch_execute(&prepare).await.unwrap();
            let explain = format!("EXPLAIN (COSTS off) EXECUTE s{number}_{place} ({nulls})");
            let rows = client.query(&explain, &[]).await.unwrap();
            let lines: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
            plans.push(lines.join("\n"));
        }
        let seen: Vec<&String> = plans
            .iter()
            .filter(|plan| plan.contains("Seq Scan"))
            .collect();
        assert!(seen.is_empty(), "{question}\n{}", plans.join("\n\n"));
        let used = |plan: &&String| {
            indexes
                .iter()
                .all(|index| plan.contains(&format!("using {index} ")))
        };
        assert!(
            plans.iter().any(|plan| used(&plan)),
            "{question} {indexes:?}\n{}",
            plans.join("\n\n")
        );
    }
    let texts = prepared(&world.app).await;
    let texts: Vec<&String> = texts
        .keys()
        .filter(|text| text.contains("FROM parts"))
        .collect();
    assert_eq!(texts.len(), 10);
}
