// People in a browser: an invitation is followed, its form is filled and sent, and the session is kept in a cookie. With and without TLS.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { PASSWORD, WAIT, ask, complains, invite, message, nothingElse, origin, says, secure, shot, unique, visitor } from './people.mjs';

async function team(slug, name) {
  const made = await ask('mutation($input: CreateTeamInput!) { createTeam(input: $input) { team { id } } }', {
    input: { slug: `${slug}-${unique}`, name },
  });
  return made.createTeam.team.id;
}

// Which parts of the page are to be seen.
const seen = (page) =>
  page.evaluate(() => ['form', 'signed-in', 'join', 'problem', 'done', 'next'].filter((id) => document.getElementById(id).offsetParent !== null));

const ada = { email: `ada-${unique}@example.com`, username: `ada-${unique}` };
let blue;
let known;
let link;

test('whoever follows the link is told who invites and to what, and the token leaves the address', async () => {
  blue = await team('blue', 'Blue <b>sky</b> & more');
  link = await invite({ email: ada.email, memberships: [{ team: blue, role: 'ADMIN' }] });
  known = await visitor();
  const { page } = known;
  await page.goto(link);
  await says(page, `invites ${ada.email} into the team Blue <b>sky</b> & more (as its admin).`);
  assert.equal(page.url(), `${origin}/join`);
  assert.deepEqual(await seen(page), ['form']);
  assert.equal(await page.inputValue('[name=username]'), ada.email);
  await shot(page, 'join');
});

test('what is wrong is said at the field that it is about', async () => {
  const { page } = known;
  const send = () => page.getByRole('button', { name: 'Come in' }).click();
  await send();
  assert.equal(await page.evaluate(() => document.querySelector('[name=password]').validity.valueMissing), true);
  await page.fill('[name=password]', 'short');
  await send();
  assert.equal(await page.evaluate(() => document.querySelector('[name=password]').validity.tooShort), true);
  assert.deepEqual(await seen(page), ['form']);
  for (const [field, value, text] of [
    ['password', 'passwordpassword', 'one of the commonest'],
    ['password', ada.email, "the user's own names"],
    ['username', 'no good', 'cannot be the user name: it takes'],
    ['username', 'admin', "There is a user named 'admin' already."],
  ]) {
    await page.fill('[name=username]', ada.username);
    await page.fill('[name=password]', PASSWORD);
    await page.fill(`[name=${field}]`, value);
    await send();
    await complains(page, text);
    assert.equal(await page.getAttribute(`[name=${field}]`, 'aria-invalid'), 'true');
    assert.equal(await page.evaluate(() => document.activeElement.name), field);
    assert.ok((await message(page)).includes('invites'), 'who invites is there yet');
  }
  await shot(page, 'wrong');
  await page.check('[name=reveal]');
  assert.equal(await page.getAttribute('[name=password]', 'type'), 'text');
  await page.uncheck('[name=reveal]');
  assert.equal(await page.getAttribute('[name=password]', 'type'), 'password');
});

test('with a good password the new user is in, by a cookie that no script can read', async () => {
  const { page, context } = known;
  await page.fill('[name=username]', ada.username);
  await page.fill('[name=name]', 'Ada Lovelace');
  await page.fill('[name=password]', PASSWORD);
  await page.getByRole('button', { name: 'Come in' }).click();
  await says(page, `You are signed in as ${ada.username}.`);
  await page.locator('#next').waitFor(WAIT);
  assert.deepEqual(await seen(page), ['next'], 'no secret is shown');
  await shot(page, 'in');
  assert.equal(await page.evaluate(() => document.cookie), '');
  const cookies = await context.cookies();
  assert.equal(cookies.length, 1, JSON.stringify(cookies));
  const [{ name, value, domain, path, httpOnly, secure: only, sameSite, expires }] = cookies;
  assert.deepEqual(
    { name, domain, path, httpOnly, secure: only, sameSite },
    { name: secure ? '__Host-keystead' : 'keystead', domain: new URL(origin).hostname, path: '/', httpOnly: true, secure, sameSite: 'Strict' },
  );
  assert.match(value, /^kss_\w{37}$/);
  assert.ok(Math.abs(expires - Date.now() / 1000 - 14 * 86_400) < 120, `${expires}`);
  const html = await page.content();
  assert.ok(!html.includes('kss_') && !html.includes('ksi_'));
});

test('GraphiQL answers as that user, by the cookie alone', async () => {
  const { page } = known;
  const authorizations = [];
  page.on('request', (request) => authorizations.push(request.headers().authorization));
  await page.getByRole('link', { name: 'Go on to GraphiQL' }).click();
  await page.waitForSelector('.graphiql-execute-button', WAIT);
  const response = () =>
    page.evaluate(() => globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.endsWith('response.json')).getValue());
  await page.locator('output', { hasText: `${ada.username} (MEMBER), signed in` }).waitFor(WAIT);
  await page.click('.graphiql-execute-button');
  for (let n = 0; n < 100 && !(await response()).includes(ada.username); n += 1) await page.waitForTimeout(100);
  assert.equal(JSON.parse(await response()).data.viewer.user.username, ada.username);
  assert.deepEqual(authorizations.filter(Boolean), []);
  await shot(page, 'graphiql');
});

test('a WebSocket of our own page is that user too', async () => {
  const who = await known.page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
        const send = (message) => socket.send(JSON.stringify(message));
        socket.onopen = () => send({ type: 'connection_init' });
        socket.onclose = (event) => reject(new Error(`closed: ${event.code} ${event.reason}`));
        socket.onmessage = ({ data }) => {
          const { type, payload } = JSON.parse(data);
          if (type === 'connection_ack') send({ id: '1', type: 'subscribe', payload: { query: '{ viewer { user { username } } }' } });
          if (type === 'next') resolve(payload.data.viewer.user.username);
        };
      }),
  );
  assert.equal(who, ada.username);
});

test('the link is good once', async () => {
  const { page, context } = await visitor();
  await page.goto(link);
  await says(page, 'This invitation is not good');
  assert.deepEqual(await seen(page), []);
  await shot(page, 'used');
  await page.reload();
  await says(page, 'Open the link of your invitation again');
  await context.close();
});

test('two who fill in the form at once: one is in, the other is told', async () => {
  const both = await Promise.all([visitor(), visitor()]);
  const fresh = await invite({ email: `two-${unique}@example.com` });
  for (const [n, { page }] of both.entries()) {
    await page.goto(fresh);
    await page.waitForSelector('#form', WAIT);
    await page.fill('[name=username]', `two-${n}-${unique}`);
    await page.fill('[name=password]', PASSWORD);
  }
  await Promise.all(both.map(({ page }) => page.getByRole('button', { name: 'Come in' }).click()));
  const ends = await Promise.all(
    both.map(({ page }) => Promise.race([says(page, 'You are signed in').then(() => 'in'), complains(page, 'This invitation is not good').then(() => 'not')])),
  );
  assert.deepEqual(ends.toSorted(), ['in', 'not']);
  await shot(both[ends.indexOf('not')].page, 'late');
  for (const { context } of both) await context.close();
});

test('whoever is signed in joins with one click, or signs out and comes in as somebody else', async () => {
  const { page, context } = known;
  const red = await team('red', 'Red');
  await page.goto(await invite({ email: `other-${unique}@example.com`, memberships: [{ team: red }] }));
  await page.getByRole('button', { name: `Join as ${ada.username}` }).waitFor(WAIT);
  assert.deepEqual(await seen(page), ['signed-in', 'join']);
  await shot(page, 'signed-in');
  await page.click('#join');
  await says(page, 'You have joined Red.');
  await page.goto(await invite({ email: `else-${unique}@example.com`, memberships: [] }));
  await page.waitForSelector('#signed-in', WAIT);
  assert.deepEqual(await seen(page), ['signed-in'], 'it is into no team');
  await page.click('#sign-out');
  await page.waitForSelector('#form', WAIT);
  assert.deepEqual(await seen(page), ['form']);
  assert.deepEqual(await context.cookies(), []);
});

test('a user that exists already chooses its password', async () => {
  const { user } = await ask('query($by: UserBy!) { user(by: $by) { id } }', { by: { username: ada.username } });
  const { page } = known;
  await page.goto(await invite({ user: user.id }));
  await says(page, `invites ${ada.username}.`);
  assert.equal(await page.inputValue('[name=username]'), ada.username);
  assert.equal(await page.getAttribute('[name=username]', 'readonly'), '');
  await page.fill('[name=password]', 'another 7 green kettles');
  await page.keyboard.press('Enter');
  await says(page, `You are signed in as ${ada.username}.`);
});

test('on a phone everything fits, also in the dark', async () => {
  const { page, context } = await visitor({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true, colorScheme: 'dark' });
  const long = await team('long', 'An extraordinarilylongnamewithoutanyspacesthatnobodywouldchoose of a team');
  await page.goto(await invite({ email: `somebody.with.a.long.name-${unique}@departments.example.com`, memberships: [{ team: long }] }));
  await page.waitForSelector('#form', WAIT);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.ok(await fits());
  for (const part of ['[name=username]', '[name=password]', 'form button']) {
    const { height } = await page.locator(part).boundingBox();
    assert.ok(height >= 40, `${part} is ${height} high`);
  }
  await shot(page, 'phone');
  await page.fill('[name=password]', PASSWORD);
  await page.locator('form button').tap();
  await says(page, 'You are signed in as');
  assert.ok(await fits());
  await shot(page, 'phone-in');
  await context.close();
});

test('a page of another origin borrows nobody', async () => {
  const stranger = createServer((request, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>x</title>'));
  await new Promise((listening) => stranger.listen(0, new URL(origin).hostname, listening));
  try {
    const page = await known.context.newPage();
    const answers = [];
    page.on('response', (response) => {
      if (response.url().startsWith(origin)) answers.push(response);
    });
    await page.goto(`http://${new URL(origin).hostname}:${stranger.address().port}/`);
    const told = await page.evaluate(async (target) => {
      const document_ = '{ viewer { user { username } } }';
      const attempt = async (url, options) => {
        try {
          return (await fetch(url, { credentials: 'include', ...options })).type;
        } catch (error) {
          return error.name;
        }
      };
      const body = JSON.stringify({ query: document_ });
      const url = `${target}/graphql`;
      return [
        await attempt(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
        await attempt(url, { method: 'POST', mode: 'no-cors', body }),
        await attempt(`${url}?query=${encodeURIComponent(document_)}`, { mode: 'no-cors' }),
        await new Promise((closed) => {
          const socket = new WebSocket(`${target.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
          socket.onopen = () => socket.send(JSON.stringify({ type: 'connection_init' }));
          socket.onmessage = ({ data }) => closed(data);
          socket.onclose = ({ code }) => closed(`closed ${code}`);
        }),
      ];
    }, origin);
    assert.equal(told[0], 'TypeError', 'the preflight is not answered');
    const got = answers.map((response) => [response.request().method(), response.status()]);
    assert.ok(got.some(([method, status]) => method === 'POST' && status === 415), JSON.stringify(got));
    assert.ok(got.some(([method, status]) => method === 'GET' && status === 403), JSON.stringify(got));
    assert.equal(told[3], 'closed 1006', 'no WebSocket');
    await page.close();
  } finally {
    stranger.close();
  }
});

nothingElse();
