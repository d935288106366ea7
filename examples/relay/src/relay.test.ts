import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import {
  commitMutation,
  createOperationDescriptor,
  fetchQuery,
  getSingularSelector,
  type GraphQLTaggedNode,
  type MutationParameters,
  type OperationType,
} from 'relay-runtime';
import { makeEnvironment } from './environment.ts';
import deleteUser, { type UsersDeleteMutation } from './__generated__/UsersDeleteMutation.graphql.ts';
import listFragment, { type Users_list$data } from './__generated__/Users_list.graphql.ts';
import nextPage, { type UsersListQuery } from './__generated__/UsersListQuery.graphql.ts';
import usersQuery, { type UsersQuery } from './__generated__/UsersQuery.graphql.ts';
import userQuery, { type UsersUserQuery } from './__generated__/UsersUserQuery.graphql.ts';
import createUser, { type operationsCreateUserMutation } from './__generated__/operationsCreateUserMutation.graphql.ts';
import nodesQuery, { type operationsNodesQuery } from './__generated__/operationsNodesQuery.graphql.ts';

const environment = makeEnvironment(process.env.KEYSTEAD_URL ?? '', process.env.KEYSTEAD_KEY ?? '');
const run = `relay-${randomBytes(4).toString('hex')}`;
const filter = { search: run };
const ids: string[] = [];

function ask<T extends OperationType>(query: GraphQLTaggedNode, variables: T['variables']): Promise<T['response']> {
  return fetchQuery<T>(environment, query, variables).toPromise() as Promise<T['response']>;
}

function change<T extends MutationParameters>(mutation: GraphQLTaggedNode, variables: T['variables']): Promise<T['response']> {
  return new Promise((onCompleted, onError) => commitMutation<T>(environment, { mutation, variables, onCompleted, onError }));
}

// The list as the component sees it in the store, all pages joined.
function list(): Users_list$data {
  const descriptor = createOperationDescriptor(usersQuery, { filter, first: 2 });
  const { data } = environment.lookup(descriptor.fragment);
  const selector = getSingularSelector(listFragment, data);
  assert.ok(selector);
  return environment.lookup(selector).data as unknown as Users_list$data;
}

before(async () => {
  for (let n = 0; n < 3; n += 1) {
    const { createUser: made } = await change<operationsCreateUserMutation>(createUser, { input: { username: `${run}-${n}` } });
    ids.push(made.user.id);
  }
});

after(async () => {
  for (const id of ids) {
    await change<UsersDeleteMutation>(deleteUser, { input: { id }, connections: [] });
  }
});

test('a connection grows page by page in the store', async () => {
  const descriptor = createOperationDescriptor(usersQuery, { filter, first: 2 });
  const kept = environment.retain(descriptor);
  await ask<UsersQuery>(usersQuery, { filter, first: 2 });
  const first = list();
  assert.equal(first.users.totalCount, 3);
  assert.equal(first.users.edges.length, 2);
  const { pageInfo } = first.users as unknown as { pageInfo: { endCursor: string; hasNextPage: boolean } };
  assert.equal(pageInfo.hasNextPage, true);
  await ask<UsersListQuery>(nextPage, { filter, first: 2, after: pageInfo.endCursor });
  const found = list().users.edges.map(({ node }) => node.id);
  assert.deepEqual([...found].sort(), [...ids].sort());
  kept.dispose();
});

test('a refetchable fragment asks node(id)', async () => {
  const [id] = ids;
  assert.ok(id);
  const { node } = await ask<UsersUserQuery>(userQuery, { id });
  assert.ok(node);
});

test('nodes(ids) keeps the order, and null for what is not there', async () => {
  const wanted = [ids[2], ids[0]] as string[];
  const { nodes } = await ask<operationsNodesQuery>(nodesQuery, { ids: [...wanted, 'user_00000000000000000000000000'] });
  assert.deepEqual(nodes.map((node) => node?.id), [...wanted, undefined]);
  assert.equal(nodes[0]?.__typename, 'User');
});

test('a deletion takes the edge out of the connection', async () => {
  const descriptor = createOperationDescriptor(usersQuery, { filter, first: 10 });
  const kept = environment.retain(descriptor);
  await ask<UsersQuery>(usersQuery, { filter, first: 10 });
  const id = ids.pop();
  assert.ok(id);
  await change<UsersDeleteMutation>(deleteUser, { input: { id }, connections: [list().users.__id] });
  assert.deepEqual(list().users.edges.map(({ node }) => node.id).sort(), [...ids].sort());
  kept.dispose();
});

test('an error has its code', async () => {
  await assert.rejects(
    change<operationsCreateUserMutation>(createUser, { input: { username: `${run}-0` } }),
    (error: Error & { code?: string }) => error.code === 'ALREADY_EXISTS',
  );
});
