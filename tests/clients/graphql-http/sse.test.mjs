import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'graphql-sse';

const url = `${process.env.KEYSTEAD_URL}/graphql`;
const headers = { authorization: `Bearer ${process.env.KEYSTEAD_KEY}` };

async function all(client, payload) {
  const answers = [];
  for await (const answer of client.iterate(payload)) answers.push(answer);
  return answers;
}

test('a query by server-sent events: one next, then complete', async () => {
  const client = createClient({ url, headers, retryAttempts: 0 });
  const answers = await all(client, { query: '{ viewer { user { username } } }' });
  assert.equal(answers.length, 1);
  assert.ok(answers[0].data.viewer.user.username);
  client.dispose();
});

test('a refused document is an error with its code', async () => {
  const client = createClient({ url, headers, retryAttempts: 0 });
  const seen = await all(client, { query: '{ nothing }' }).then(
    (answers) => answers[0].errors,
    (error) => (Array.isArray(error) ? error : error.response ? error.response.json().then((body) => body.errors) : Promise.reject(error)),
  );
  assert.equal(seen[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
  client.dispose();
});

test('the stream says what it is', async () => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify({ query: '{ serverInfo { version } }' }),
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  const text = await response.text();
  assert.match(text, /^event: ?next\ndata: ?\{"data":/m);
  assert.match(text, /^event: ?complete$/m);
});

test('a subscription tells of changes, and ends when the client goes', async () => {
  const send = async (query) => {
    const response = await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify({ query }) });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  };
  const { createUser } = await send(`mutation { createUser(input: { username: "sse-${process.pid}-${Date.now()}" }) { user { id } } }`);
  const { id } = createUser.user;
  const client = createClient({ url, headers, retryAttempts: 0 });
  let heard = false;
  let refused;
  const stop = client.subscribe(
    { query: 'subscription { auditEvents { action target } }' },
    {
      next: ({ data }) => (heard ||= data.auditEvents.target === id && data.auditEvents.action === 'user.update'),
      error: (error) => (refused = error),
      complete: () => undefined,
    },
  );
  try {
    // Changes go on until one is heard: the first may come before the server listens.
    for (let n = 0; !heard && !refused && n < 40; n += 1) {
      await send(`mutation { updateUser(input: { id: "${id}", name: "Name ${n}" }) { user { id } } }`);
      await pause(250);
    }
  } finally {
    stop();
    client.dispose();
    await send(`mutation { deleteUser(input: { id: "${id}" }) { deletedUserId } }`);
  }
  assert.equal(refused, undefined);
  assert.ok(heard, 'the stream told of no change');
});
