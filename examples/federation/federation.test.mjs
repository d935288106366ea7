import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { composeServices } from '@apollo/composition';
import { ApolloGateway, RemoteGraphQLDataSource } from '@apollo/gateway';
import { ApolloServer } from '@apollo/server';
import { parse } from 'graphql';
import { startProjects, typeDefs } from './projects.mjs';

const url = `${process.env.KEYSTEAD_URL}/graphql`;
const key = process.env.KEYSTEAD_KEY;
const run = `federation-${randomBytes(4).toString('hex')}`;

const quiet = { debug() {}, info() {}, warn: console.warn, error: console.error };

async function keystead(query, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

let made;
let projects;
let server;

// Sends a query to the gateway as the holder of `secret`.
async function ask(query, secret = key) {
  const { body } = await server.executeOperation({ query }, { contextValue: { authorization: secret && `Bearer ${secret}` } });
  return body.singleResult;
}

before(async () => {
  const { createUser } = await keystead(
    `mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } apiKey { id } secret } }`,
    { input: { username: run, name: 'Ada', apiKey: { name: 'deploy' } } },
  );
  const { createTeam } = await keystead(
    `mutation ($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }`,
    { input: { slug: run, name: 'Compilers', members: [{ user: createUser.user.id, role: 'ADMIN' }] } },
  );
  made = { user: createUser.user.id, apiKey: createUser.apiKey.id, secret: createUser.secret, team: createTeam.team.id };
  projects = await startProjects([
    { id: '1', title: 'Engine', owner: { id: made.user }, team: { id: made.team }, deployedWith: { id: made.apiKey } },
  ]);

  const { _service } = await keystead('{ _service { sdl } }');
  const composed = composeServices([
    { name: 'keystead', url, typeDefs: parse(_service.sdl) },
    { name: 'projects', url: projects.url, typeDefs },
  ]);
  assert.deepEqual(composed.errors?.map(({ message }) => message) ?? [], []);

  const gateway = new ApolloGateway({
    supergraphSdl: composed.supergraphSdl,
    buildService: ({ url: serviceUrl }) =>
      new RemoteGraphQLDataSource({
        url: serviceUrl,
        willSendRequest({ request, context }) {
          if (context.authorization) request.http.headers.set('authorization', context.authorization);
        },
      }),
  });
  const starting = new ApolloServer({ gateway, logger: quiet });
  await starting.start();
  server = starting;
});

after(async () => {
  await server?.stop();
  await projects?.stop();
  if (made) {
    await keystead(
      `mutation ($team: DeleteTeamInput!, $user: DeleteUserInput!) {
        deleteTeam(input: $team) { deletedTeamId }
        deleteUser(input: $user) { deletedUserId }
      }`,
      { team: { id: made.team }, user: { id: made.user } },
    );
  }
});

test('the subgraph gives User, Team and ApiKey a key', async () => {
  const { _service } = await keystead('{ _service { sdl } }');
  for (const type of ['User', 'Team', 'ApiKey']) {
    assert.match(_service.sdl, new RegExp(`type ${type} [^{]*@key\\(fields: "id"`));
  }
});

test('User, Team and ApiKey resolve by key from the other subgraph', async () => {
  const { data, errors } = await ask(`{
    projects {
      title
      owner { id username name }
      team { id slug members(first: 5) { nodes { role user { username } } } }
      deployedWith { id name status owner { username } }
    }
  }`);
  assert.equal(errors, undefined, JSON.stringify(errors));
  const [project] = JSON.parse(JSON.stringify(data.projects));
  assert.deepEqual(project.owner, { id: made.user, username: run, name: 'Ada' });
  assert.equal(project.team.slug, run);
  assert.deepEqual(project.team.members.nodes, [{ role: 'ADMIN', user: { username: run } }]);
  assert.deepEqual(project.deployedWith, { id: made.apiKey, name: 'deploy', status: 'ACTIVE', owner: { username: run } });
});

test('the other subgraph adds a field to User', async () => {
  const { data, errors } = await ask(`{ user(by: { username: "${run}" }) { username projects { title } } }`);
  assert.equal(errors, undefined, JSON.stringify(errors));
  assert.deepEqual(JSON.parse(JSON.stringify(data.user)), { username: run, projects: [{ title: 'Engine' }] });
});

test('mutations pass through the gateway', async () => {
  const { data, errors } = await ask(`mutation { updateUser(input: { id: "${made.user}", name: "Ada L." }) { user { name projects { title } } } }`);
  assert.equal(errors, undefined, JSON.stringify(errors));
  assert.deepEqual(JSON.parse(JSON.stringify(data.updateUser.user)), { name: 'Ada L.', projects: [{ title: 'Engine' }] });
});

test('an entity is seen with the rights of who asks', async () => {
  const nobody = await ask('{ projects { title owner { username } } }', '');
  assert.equal(nobody.data, null);
  assert.ok(nobody.errors.length > 0);
});
