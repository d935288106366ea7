import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CombinedGraphQLErrors } from '@apollo/client';
import { codes, makeClient } from './client.ts';
import { AUDIT_FEED, CREATE_USER, DECISION, DELETE_USER, RENAME_USER, USER, USERS, VIEWER } from './operations.ts';

const url = process.env.KEYSTEAD_URL ?? '';
const key = process.env.KEYSTEAD_KEY ?? '';
const client = makeClient({ url, key });
const run = `apollo-${randomBytes(4).toString('hex')}`;
const ids: string[] = [];

before(async () => {
  for (let n = 0; n < 5; n += 1) {
    const { data } = await client.mutate({
      mutation: CREATE_USER,
      variables: { input: { username: `${run}-${n}`, name: `Number ${n}` } },
    });
    assert.ok(data);
    ids.push(data.createUser.user.id);
  }
});

after(async () => {
  for (const id of ids) {
    await client.mutate({ mutation: DELETE_USER, variables: { input: { id } } });
  }
  await client.close();
});

test('the viewer is the holder of the key', async () => {
  const { data } = await client.query({ query: VIEWER });
  assert.equal(data?.viewer?.user?.role, 'ADMIN');
  assert.ok(data.viewer.apiKey && key.startsWith(data.viewer.apiKey.prefix.replace(/[.…]+$/, '')));
});

test('relayStylePagination joins the pages of a list', async () => {
  const options = { query: USERS, variables: { filter: { search: run }, first: 2 } };
  const users = client.watchQuery(options);
  const subscription = users.subscribe({});
  try {
    const { data: first } = await client.query(options);
    assert.equal(first?.users.edges.length, 2);
    assert.equal(first.users.totalCount, 5);
    let page = first.users.pageInfo;
    let pages = 1;
    while (page.hasNextPage) {
      const { data } = await users.fetchMore({ variables: { after: page.endCursor } });
      assert.ok(data);
      page = data.users.pageInfo;
      pages += 1;
    }
    assert.equal(pages, 3);
    const joined = client.readQuery(options);
    assert.deepEqual(joined?.users.edges.map(({ node }) => node.username).sort(), [0, 1, 2, 3, 4].map((n) => `${run}-${n}`));
  } finally {
    subscription.unsubscribe();
  }
});

test('an optimistic answer shows at once, the real one replaces it', async () => {
  const [id] = ids;
  assert.ok(id);
  const shown: (string | null | undefined)[] = [];
  await client.query({ query: USER, variables: { id } });
  const user = client.watchQuery({ query: USER, variables: { id } });
  const subscription = user.subscribe(({ data }) => {
    const name = data?.user?.name;
    if (name !== undefined && shown.at(-1) !== name) shown.push(name as string | null);
  });
  await client.mutate({
    mutation: RENAME_USER,
    variables: { input: { id, name: 'Renamed' } },
    optimisticResponse: { updateUser: { __typename: 'UpdateUserPayload', user: { __typename: 'User', id, name: 'Renamed (saving)' } } },
  });
  subscription.unsubscribe();
  assert.deepEqual(shown, ['Number 0', 'Renamed (saving)', 'Renamed']);
});

test('an optimistic answer is taken back when the mutation is refused', async () => {
  const [, id] = ids;
  assert.ok(id);
  await client.query({ query: USER, variables: { id } });
  const read = () => client.readQuery({ query: USER, variables: { id } })?.user?.name;
  const saving = client.mutate({
    mutation: RENAME_USER,
    variables: { input: { id, username: '' } },
    optimisticResponse: { updateUser: { __typename: 'UpdateUserPayload', user: { __typename: 'User', id, name: 'Never' } } },
  });
  assert.equal(client.cache.readQuery({ query: USER, variables: { id } }, true)?.user?.name, 'Never');
  await assert.rejects(saving, (error) => codes(error).includes('BAD_USER_INPUT'));
  assert.equal(read(), 'Number 1');
});

test('an error is told by its code and names the field', async () => {
  const told: string[] = [];
  const other = makeClient({ url, key, onError: (code) => told.push(code) });
  await assert.rejects(
    other.mutate({ mutation: CREATE_USER, variables: { input: { username: `${run}-0`.toUpperCase() } } }),
    (error) => {
      assert.deepEqual(codes(error), ['ALREADY_EXISTS']);
      assert.ok(CombinedGraphQLErrors.is(error));
      assert.equal(error.errors[0]?.extensions?.field, 'input.username');
      return true;
    },
  );
  assert.deepEqual(told, ['ALREADY_EXISTS']);
  await other.close();
});

test('a wrong key is UNAUTHENTICATED', async () => {
  const other = makeClient({ url, key: `ks_${'0'.repeat(37)}` });
  await assert.rejects(other.query({ query: VIEWER }), (error) => {
    assert.deepEqual(codes(error), ['UNAUTHENTICATED']);
    return true;
  });
  await other.close();
});

test('a union is read by its possible types', async () => {
  const { data } = await client.query({ query: DECISION, variables: { privilege: 'user.read', path: '/users' } });
  assert.equal(data?.checkPermission.allowed, true);
  assert.ok(['User', 'ApiKey'].includes(data.checkPermission.principal.__typename));
  assert.ok(data.checkPermission.explanation);
});

test('persisted queries: the hash alone, the text once', async () => {
  const sent: { query?: string; hash: string }[] = [];
  const other = makeClient({
    url,
    key,
    fetch: (input, init) => {
      const body = JSON.parse(String(init?.body));
      sent.push({ query: body.query, hash: body.extensions?.persistedQuery?.sha256Hash });
      return fetch(input, init);
    },
  });
  // A document no server has seen before.
  const { gql } = await import('@apollo/client');
  const query = gql(`query Fresh_${randomBytes(6).toString('hex')} { serverInfo { version } }`);
  await other.query({ query, fetchPolicy: 'network-only' });
  await other.query({ query, fetchPolicy: 'network-only' });
  assert.deepEqual(sent.map(({ query: text }) => text !== undefined), [false, true, false]);
  assert.match(sent[0]?.hash ?? '', /^[0-9a-f]{64}$/);
  await other.close();
});

test('a subscription tells of a change', async () => {
  const [, , id] = ids;
  assert.ok(id);
  let heard: string | undefined;
  let refused: unknown;
  const subscription = client.subscribe({ query: AUDIT_FEED }).subscribe({
    next: ({ data }) => {
      if (data?.auditEvents.target === id) heard = data.auditEvents.action;
    },
    error: (error) => (refused = error),
  });
  // Changes go on until one is heard: the first may come before the server listens.
  for (let n = 0; heard === undefined && refused === undefined && n < 40; n += 1) {
    await client.mutate({ mutation: RENAME_USER, variables: { input: { id, name: `Heard ${n}` } } });
    await pause(250);
  }
  subscription.unsubscribe();
  assert.equal(refused, undefined);
  assert.equal(heard, 'user.update');
});
