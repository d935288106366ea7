//! What some of the keys used lately, so that there is something to look at.

use tokio_postgres::{Error, Transaction};

/// Makes about four events a day of the last two weeks for each of the first 200 keys, with their sums. Unlike all else it ends now: what was
/// used long ago is not what one looks at first. Returns how many events there are.
pub(super) async fn make(tx: &Transaction<'_>) -> Result<u64, Error> {
    tx.batch_execute("SELECT usage_partition(now() - days * interval '1 day') FROM generate_series(0, 14, 7) AS days")
        .await?;
    let made = tx
        .query_one(
            "WITH used AS (
                SELECT k.id, k.owner_id, k.team_id, hashtextextended(k.id::text, n) & 2147483647 AS h, n
                FROM (SELECT id, owner_id, team_id FROM api_keys ORDER BY id LIMIT 200) k CROSS JOIN generate_series(0, 55) AS n
            ), told AS (
                INSERT INTO usage_events (id, at, recorded_at, api_key_id, user_id, team_id, requests, tokens, tokens_in, tokens_out,
                    tokens_cached, micros, resource, tags, counters, state)
                SELECT gen_random_uuid(), now() - (n * 21600 + h % 21600) * interval '1 second', now(), id, owner_id, team_id, 1,
                    200 + h % 7000 + h % 900, 200 + h % 7000, h % 900, h % 200, 100 + h % 30000,
                    '/models/' || (ARRAY['gpt-4o', 'gpt-4o-mini', 'claude-sonnet', 'llama-3'])[h % 4 + 1],
                    CASE WHEN h % 3 = 0 THEN '{batch}' ELSE '{chat}' END::text[], '{}', 'SETTLED'
                FROM used RETURNING *
            ), lines AS (
                SELECT array_agg(ROW(date_bin('15 minutes', at, 'epoch'), user_id, api_key_id, team_id, resource, t.tag, 1, requests, tokens,
                    tokens_in, tokens_out, tokens_cached, micros)::usage_quarters) AS rows
                FROM told CROSS JOIN unnest(array_append(tags, '')) AS t (tag)
            ) SELECT (SELECT count(*) FROM told), usage_roll(coalesce(rows, '{}')) FROM lines",
            &[],
        )
        .await?;
    let made: i64 = made.get(0);
    Ok(made.unsigned_abs())
}
