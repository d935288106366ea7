import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createClient, serverAudits } from 'graphql-http';

const url = `${process.env.KEYSTEAD_URL}/graphql`;
const audits = serverAudits({ url });

test('the suite has its 61 audits', () => assert.equal(audits.length, 61));

for (const { id, name, fn } of audits) {
  test(`${id} ${name}`, async () => {
    const result = await fn();
    if ('response' in result) {
      await result.response.body?.cancel().catch(() => undefined);
    }
    assert.equal(result.status, 'ok', result.reason);
  });
}

test('the graphql-http client gets an answer', async () => {
  const client = createClient({ url, headers: { authorization: `Bearer ${process.env.KEYSTEAD_KEY}` } });
  const answer = await new Promise((resolve, reject) => {
    let last;
    client.subscribe(
      { query: '{ viewer { user { username } } }' },
      { next: (value) => (last = value), error: reject, complete: () => resolve(last) },
    );
  });
  assert.equal(answer.errors, undefined);
  assert.ok(answer.data.viewer.user.username);
});
