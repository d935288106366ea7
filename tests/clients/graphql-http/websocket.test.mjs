import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const url = `${process.env.KEYSTEAD_URL.replace(/^http/, 'ws')}/graphql`;
const authorization = { Authorization: `Bearer ${process.env.KEYSTEAD_KEY}` };
const VIEWER = '{ viewer { user { username } } }';

async function withClient(connectionParams, body) {
  const client = createClient({ url, webSocketImpl: WebSocket, connectionParams, retryAttempts: 0 });
  try {
    return await body(client);
  } finally {
    await client.dispose();
  }
}

async function all(client, payload) {
  const answers = [];
  for await (const answer of client.iterate(payload)) answers.push(answer);
  return answers;
}

test('a query over WebSocket knows the key of connection_init', () =>
  withClient(authorization, async (client) => {
    const [answer, ...more] = await all(client, { query: VIEWER });
    assert.equal(more.length, 0);
    assert.ok(answer.data.viewer.user.username);
  }));

test('without a key the viewer is null', () =>
  withClient(undefined, async (client) => {
    const answers = await all(client, { query: VIEWER });
    assert.deepEqual(answers.map(({ data }) => data), [{ viewer: null }]);
  }));

test('ten operations share a connection', () =>
  withClient(authorization, async (client) => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => all(client, { query: `{ n${n}: serverInfo { version } }` })),
    );
    answers.forEach(([{ data }], n) => assert.ok(data[`n${n}`].version));
  }));

test('a refused operation is one error message, and the connection lives on', () =>
  withClient(authorization, async (client) => {
    await assert.rejects(all(client, { query: '{ nothing }' }), (errors) => {
      assert.ok(Array.isArray(errors), String(errors));
      assert.equal(errors[0].extensions.code, 'GRAPHQL_VALIDATION_FAILED');
      return true;
    });
    const [answer] = await all(client, { query: VIEWER });
    assert.ok(answer.data.viewer.user);
  }));

// A change every quarter of a second, until `heard` says that it was: the first may come before the server listens.
async function changeUntil(heard) {
  const send = async (query) => {
    const response = await fetch(url.replace(/^ws/, 'http'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = await response.json();
    assert.equal(errors, undefined, JSON.stringify(errors));
    return data;
  };
  const name = `socket-${process.pid}-${Date.now()}`;
  const { createUser } = await send(`mutation { createUser(input: { username: "${name}" }) { user { id } } }`);
  try {
    for (let n = 0; !heard(createUser.user.id) && n < 40; n += 1) {
      await send(`mutation { updateUser(input: { id: "${createUser.user.id}", name: "Name ${n}" }) { user { id } } }`);
      await pause(250);
    }
  } finally {
    await send(`mutation { deleteUser(input: { id: "${createUser.user.id}" }) { deletedUserId } }`);
  }
  assert.ok(heard(createUser.user.id), 'the subscription told of no change');
}

test('a subscription tells of changes', () =>
  withClient(authorization, async (client) => {
    const seen = [];
    let refused;
    const stop = client.subscribe(
      { query: 'subscription { auditEvents { action target } }' },
      { next: ({ data }) => seen.push(data.auditEvents), error: (error) => (refused = error), complete: () => undefined },
    );
    await changeUntil((id) => refused || seen.some(({ action, target }) => action === 'user.update' && target === id));
    assert.equal(refused, undefined);
    stop();
  }));

test('4409 for a second subscription of the same id', async () => {
  const feed = 'subscription { auditEvents { action } }';
  assert.equal(await closedAfter([init, subscribe('1', feed), subscribe('1', feed)]), 4409);
});

test('an anonymous subscription is refused, by an error or a close', () =>
  withClient(undefined, async (client) => {
    await assert.rejects(all(client, { query: 'subscription { auditEvents { action } }' }), (errors) => {
      if (Array.isArray(errors)) assert.equal(errors[0].extensions.code, 'UNAUTHENTICATED');
      return true;
    });
  }));

// Opens a socket, sends the messages (after the first `init`, once it is acknowledged) and waits until the server closes it.
async function closedAfter(messages, protocols = ['graphql-transport-ws']) {
  const socket = new WebSocket(url, protocols);
  await once(socket, 'open');
  const closed = once(socket, 'close');
  const timer = setTimeout(() => socket.terminate(), 15_000);
  for (const [n, message] of messages.entries()) {
    socket.send(typeof message === 'string' ? message : JSON.stringify(message));
    if (message === init && n === 0 && messages.length > 1) await Promise.race([once(socket, 'message'), closed]);
  }
  const [code] = await closed;
  clearTimeout(timer);
  return code;
}

const init = { type: 'connection_init', payload: authorization };
const subscribe = (id, query = '{ serverInfo { version } }') => ({ id, type: 'subscribe', payload: { query } });

test('4400 for what is not a message', async () => {
  assert.equal(await closedAfter([init, 'not JSON']), 4400);
  assert.equal(await closedAfter([init, { type: 'nonsense' }]), 4400);
  assert.equal(await closedAfter([init, { type: 'subscribe', payload: { query: VIEWER } }]), 4400);
});

test('4401 for an operation before connection_init', async () => {
  assert.equal(await closedAfter([subscribe('1')]), 4401);
});

test('4403 for a key that does not hold', async () => {
  assert.equal(await closedAfter([{ type: 'connection_init', payload: { Authorization: `Bearer ks_${'0'.repeat(37)}` } }]), 4403);
});

test('4429 for a second connection_init', async () => {
  assert.equal(await closedAfter([init, init]), 4429);
});

test('a ping is answered with a pong', async () => {
  const socket = new WebSocket(url, ['graphql-transport-ws']);
  await once(socket, 'open');
  socket.send(JSON.stringify({ type: 'ping', payload: { n: 1 } }));
  const [data] = await once(socket, 'message');
  assert.equal(JSON.parse(data).type, 'pong');
  socket.close();
});

test('another subprotocol is not spoken', async () => {
  const socket = new WebSocket(url, ['graphql-ws']);
  const outcome = await new Promise((resolve) => {
    socket.on('open', () => socket.send(JSON.stringify(init)));
    socket.on('error', () => resolve('refused'));
    socket.on('close', (code) => resolve(code));
  });
  assert.ok(['refused', 4406].includes(outcome), String(outcome));
  socket.terminate();
});
