import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { gql } from '@urql/core';
import { codes, makeClient } from './client.mjs';

const url = process.env.KEYSTEAD_URL;
const key = process.env.KEYSTEAD_KEY;
const client = makeClient({ url, key });
const run = `urql-${randomBytes(4).toString('hex')}`;
const ids = [];

const CREATE = gql`
  mutation Create($input: CreateUserInput!) {
    createUser(input: $input) {
      user {
        id
        username
        name
      }
      apiKey {
        id
      }
      secret
    }
  }
`;
const DELETE = gql`
  mutation Delete($input: DeleteUserInput!) {
    deleteUser(input: $input) {
      deletedUserId
    }
  }
`;
const RENAME = gql`
  mutation Rename($input: UpdateUserInput!) {
    updateUser(input: $input) {
      user {
        id
        name
      }
    }
  }
`;
const USERS = gql`
  query Users($filter: UserFilter, $first: Int!, $after: String) {
    users(filter: $filter, first: $first, after: $after) {
      edges {
        cursor
        node {
          id
          username
          name
        }
      }
      pageInfo {
        endCursor
        hasNextPage
      }
      totalCount
    }
  }
`;
const USER = gql`
  query User($id: ID!) {
    user(by: { id: $id }) {
      id
      username
      name
    }
  }
`;
const VIEWER = gql`
  query Viewer {
    viewer {
      user {
        id
        username
      }
    }
  }
`;

async function must(promise) {
  const { data, error } = await promise;
  if (error) throw error;
  return data;
}

before(async () => {
  for (let n = 0; n < 4; n += 1) {
    const { createUser } = await must(client.mutation(CREATE, { input: { username: `${run}-${n}`, name: `Number ${n}` } }));
    ids.push(createUser.user.id);
  }
});

after(async () => {
  for (const id of ids) await must(client.mutation(DELETE, { input: { id } }));
});

test('relayPagination joins the pages', async () => {
  const filter = { search: run };
  const seen = [];
  let after_ = null;
  do {
    const { users } = await must(client.query(USERS, { filter, first: 2, after: after_ }));
    assert.equal(users.totalCount, 4);
    seen.push(users.edges.length);
    after_ = users.pageInfo.hasNextPage ? users.pageInfo.endCursor : null;
  } while (after_);
  assert.deepEqual(seen, [2, 4]);
});

test('the normalised cache answers without a request', async () => {
  const { user } = await must(client.query(USER, { id: ids[0] }, { requestPolicy: 'cache-only' }));
  assert.equal(user.username, `${run}-0`);
});

test('an optimistic change shows, then the real one', async () => {
  const shown = [];
  const { unsubscribe } = client.query(USER, { id: ids[0] }).subscribe(({ data }) => {
    if (data?.user && shown.at(-1) !== data.user.name) shown.push(data.user.name);
  });
  const renaming = client.mutation(RENAME, { input: { id: ids[0], name: 'Renamed' } }).toPromise();
  await must(renaming);
  unsubscribe();
  assert.deepEqual(shown, ['Number 0', 'Renamed']);
});

test('an error comes with its code', async () => {
  const { error } = await client.mutation(CREATE, { input: { username: `${run}-0` } });
  assert.deepEqual(codes(error), ['ALREADY_EXISTS']);
});

test('when a key is rotated, the client goes on with the new one', async () => {
  const made = await must(
    client.mutation(CREATE, { input: { username: `${run}-service`, kind: 'SERVICE', apiKey: { name: 'first' } } }),
  );
  ids.push(made.createUser.user.id);
  let secret = made.createUser.secret;
  let asked = 0;
  const service = makeClient({ url, key: secret, newKey: async () => ((asked += 1), secret) });
  assert.equal((await must(service.query(VIEWER, {}))).viewer.user.username, `${run}-service`);

  const rotated = await must(
    client.mutation(
      gql`
        mutation Rotate($input: RotateApiKeyInput!) {
          rotateApiKey(input: $input) {
            apiKey {
              id
            }
            secret
          }
        }
      `,
      { input: { id: made.createUser.apiKey.id } },
    ),
  );
  secret = rotated.rotateApiKey.secret;
  const { viewer } = await must(service.query(VIEWER, {}, { requestPolicy: 'network-only' }));
  assert.equal(viewer.user.username, `${run}-service`);
  assert.equal(asked, 1);
});

test('persisted queries go by their hash', async () => {
  const sent = [];
  const other = makeClient({
    url,
    key,
    fetch: (input, init) => {
      sent.push(JSON.parse(init.body).query !== undefined);
      return fetch(input, init);
    },
  });
  const query = gql(`query Fresh_${randomBytes(6).toString('hex')} { serverInfo { version } }`);
  await must(other.query(query, {}, { requestPolicy: 'network-only' }));
  await must(other.query(query, {}, { requestPolicy: 'network-only' }));
  assert.deepEqual(sent, [false, true, false]);
});

test('a subscription by server-sent events tells of a change', async () => {
  let heard;
  let refused;
  const feed = gql`
    subscription {
      auditEvents {
        id
        action
        target
      }
    }
  `;
  const { unsubscribe } = client.subscription(feed, {}).subscribe(({ data, error }) => {
    refused ??= error;
    if (data?.auditEvents.target === ids[1]) heard = data.auditEvents.action;
  });
  // Changes go on until one is heard: the first may come before the server listens.
  for (let n = 0; heard === undefined && refused === undefined && n < 40; n += 1) {
    await must(client.mutation(RENAME, { input: { id: ids[1], name: `Heard ${n}` } }));
    await pause(250);
  }
  unsubscribe();
  assert.equal(refused, undefined);
  assert.equal(heard, 'user.update');
});
