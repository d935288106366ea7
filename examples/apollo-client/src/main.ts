// Lists the users, page by page: KEYSTEAD_URL, KEYSTEAD_KEY.
import { makeClient } from './client.ts';
import { USERS, VIEWER } from './operations.ts';

const url = process.env.KEYSTEAD_URL ?? 'http://127.0.0.1:4000';
const key = process.env.KEYSTEAD_KEY;
const client = makeClient({ url, ...(key && { key }), onError: (code, message) => console.error(`${code}: ${message}`) });

const { data: me } = await client.query({ query: VIEWER });
console.log(me?.viewer?.user ? `I am ${me.viewer.user.username}, ${me.viewer.user.role}.` : 'I am nobody: set KEYSTEAD_KEY.');

const users = client.watchQuery({ query: USERS, variables: { first: 20 } });
const shown = users.subscribe({});
let page = (await client.query({ query: USERS, variables: { first: 20 } })).data?.users.pageInfo;
while (page?.hasNextPage) {
  page = (await users.fetchMore({ variables: { after: page.endCursor } })).data?.users.pageInfo;
}
const all = client.readQuery({ query: USERS, variables: { first: 20 } });
shown.unsubscribe();
for (const { node } of all?.users.edges ?? []) {
  console.log(`${node.username}\t${node.teams.nodes.map(({ slug }) => slug).join(', ')}`);
}
await client.close();
