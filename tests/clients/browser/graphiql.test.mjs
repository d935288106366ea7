import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

const origin = new URL(process.env.KEYSTEAD_URL).origin;
const key = process.env.KEYSTEAD_KEY;
const shots = new URL('../../../target/browser/', import.meta.url).pathname;
const WAIT = { timeout: 20_000 };

let context;
let page;
let profile;
const requests = [];
const complaints = [];

before(async () => {
  mkdirSync(shots, { recursive: true });
  profile = mkdtempSync(join(tmpdir(), 'keystead-browser-'));
  context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    viewport: { width: 1400, height: 850 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  page = context.pages()[0] ?? (await context.newPage());
  context.on('request', (request) => requests.push({ url: request.url(), headers: request.headers() }));
  page.on('websocket', (socket) => requests.push({ url: socket.url(), headers: {} }));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
});

after(async () => {
  await context?.close();
  if (profile) rmSync(profile, { recursive: true, force: true });
});

// What stands in one of GraphiQL's editors: operation.graphql, response.json …
const editorText = (name) =>
  page.evaluate(
    (end) => globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.endsWith(end)).getValue(),
    name,
  );

async function writeQuery(text) {
  await page.evaluate(
    (value) =>
      globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.endsWith('operation.graphql')).setValue(value),
    text,
  );
  // GraphiQL takes over what was written after a short pause.
  await page.waitForTimeout(300);
}

async function run(done) {
  await page.click('.graphiql-execute-button');
  const deadline = Date.now() + WAIT.timeout;
  for (;;) {
    const text = await editorText('response.json');
    if (text) {
      const answer = JSON.parse(text);
      if (done(answer)) return answer;
    }
    assert.ok(Date.now() < deadline, `the answer expected did not come; the last was ${text}`);
    await page.waitForTimeout(100);
  }
}

async function ask(query) {
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query }),
  });
  return (await response.json()).data;
}

test('the page opens and shows the documentation', async () => {
  await page.goto(`${origin}/`);
  await page.waitForSelector('.graphiql-execute-button', WAIT);
  await page.getByRole('link', { name: 'Query', exact: true }).click(WAIT);
  await page.getByRole('link', { name: 'checkPermission', exact: true }).first().waitFor(WAIT);
  await page.screenshot({ path: join(shots, 'docs.png') });
});

test('without a key the default query answers, and the viewer is null', async () => {
  const { data, errors } = await run((answer) => answer.data);
  assert.equal(errors, undefined);
  assert.equal(data.viewer, null);
  assert.match(data.serverInfo.version, /\d/);
});

test('a wrong key is refused in words', async () => {
  await page.fill('#api-key', `ks_${'0'.repeat(37)}`);
  await page.getByRole('button', { name: 'Use key' }).click();
  await page.locator('output.refused').waitFor(WAIT);
});

test('with the key the default query knows the viewer', async () => {
  const { viewer } = await ask('{ viewer { user { username } } }');
  await page.fill('#api-key', key);
  await page.getByRole('button', { name: 'Use key' }).click();
  await page.getByText(viewer.user.username).first().waitFor(WAIT);
  const { data } = await run((answer) => answer.data?.viewer);
  assert.equal(data.viewer.user.username, viewer.user.username);
  await page.screenshot({ path: join(shots, 'query.png') });
});

test('the explorer builds a query by clicks', async () => {
  await writeQuery('');
  await page.getByRole('button', { name: 'Show GraphiQL Explorer' }).click();
  const field = (name) => page.locator('.docExplorerWrap').getByText(name, { exact: true }).first();
  await field('roles').click(WAIT);
  await field('name').click(WAIT);
  await page.waitForTimeout(500);
  assert.match(await editorText('operation.graphql'), /\{\s*roles\s*\{\s*name\s*\}\s*\}/);
  const { data } = await run((answer) => answer.data?.roles);
  assert.ok(data.roles.some(({ name }) => name === 'ADMIN'), JSON.stringify(data));
  await page.screenshot({ path: join(shots, 'explorer.png') });
});

test('a subscription over WebSocket tells of a change', async () => {
  await writeQuery('subscription { auditEvents { action target } }');
  await page.click('.graphiql-execute-button');
  const name = `browser-${process.pid}-${Date.now()}`;
  const { createUser } = await ask(`mutation { createUser(input: { username: "${name}" }) { user { id } } }`);
  const { id } = createUser.user;
  try {
    // Changes go on until one is heard: the first may come before the server listens.
    for (let n = 0; n < 40 && !(await editorText('response.json')).includes(id); n += 1) {
      await ask(`mutation { updateUser(input: { id: "${id}", name: "Name ${n}" }) { user { id } } }`);
      await page.waitForTimeout(250);
    }
    assert.equal(JSON.parse(await editorText('response.json')).data.auditEvents.target, id);
    await page.screenshot({ path: join(shots, 'subscription.png') });
  } finally {
    await page.click('.graphiql-execute-button');
    await ask(`mutation { deleteUser(input: { id: "${id}" }) { deletedUserId } }`);
  }
});

test('the editor marks what the schema does not have', async () => {
  await writeQuery('{ viewer { nobody } }');
  await page.waitForFunction(
    () => globalThis.__MONACO.editor.getModelMarkers({}).some(({ message }) => message.includes('"nobody"')),
    undefined,
    WAIT,
  );
});

test('a reload keeps the key, another tab does not have it', async () => {
  await page.reload();
  await page.getByRole('button', { name: 'Forget key' }).waitFor(WAIT);
  const other = await context.newPage();
  await other.goto(`${origin}/`);
  await other.waitForSelector('.graphiql-execute-button', WAIT);
  assert.equal(await other.getByRole('button', { name: 'Forget key' }).count(), 0);
  await other.close();
});

test('the key is in the session storage and nowhere else', async () => {
  const kept = await page.evaluate(() => [JSON.stringify(localStorage), JSON.stringify(sessionStorage), document.cookie]);
  assert.ok(!kept[0].includes('ks_'), kept[0]);
  assert.ok(kept[1].includes(key));
  assert.equal(kept[2], '');
  assert.ok(requests.every(({ url }) => !url.includes('ks_')));
  assert.ok(requests.some(({ headers }) => headers.authorization === `Bearer ${key}`));
});

test('no request left the origin, and nothing complained', () => {
  const host = new URL(origin).host;
  const foreign = requests.map(({ url }) => url).filter((url) => !/^(data|blob):/.test(url) && new URL(url).host !== host);
  assert.deepEqual(foreign, []);
  // The wrong key was answered with 401, which the browser reports.
  assert.deepEqual(complaints.filter((text) => !text.includes('status of 401')), []);
});
