// People with passkeys in a browser: one is added on the page, and signs in. The authenticator is the browser's own virtual one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PASSWORD, WAIT, ask, complains, invite, nothingElse, origin, says, secure, shot, unique, visitor } from './people.mjs';

const username = `grace-${unique}`;
const email = `${username}@example.com`;
const parts = ['by-passkey', 'ask', 'enter', 'done', 'add', 'for-password', 'for-proof', 'problem', 'recovery', 'signed-in', 'graphiql'];
const seen = (page) => page.evaluate((all) => all.filter((id) => document.getElementById(id).offsetParent !== null), parts);
const click = (page, name) => page.getByRole('button', { name, exact: true }).click();

let grace;
let authenticator;

test('whoever has come in is offered a passkey', async () => {
  grace = await visitor();
  const { page, context } = grace;
  const devtools = await context.newCDPSession(page);
  await devtools.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  const { authenticatorId } = await devtools.send('WebAuthn.addVirtualAuthenticator', { options });
  authenticator = {
    credentials: async () => (await devtools.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    knowsItsHolder: (isUserVerified) => devtools.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
  };
  await page.goto(await invite({ email }));
  await page.waitForSelector('#form', WAIT);
  await page.fill('[name=username]', username);
  await page.fill('[name=password]', PASSWORD);
  await click(page, 'Come in');
  await says(page, `You are signed in as ${username}.`);
  await page.getByRole('link', { name: 'Add a passkey' }).click();
  await says(page, `You are signed in as ${username}.`);
  await page.locator('#graphiql').waitFor(WAIT);
  assert.equal(page.url(), `${origin}/sign-in`);
  assert.deepEqual(await seen(page), ['add', 'signed-in', 'graphiql']);
  await shot(page, 'passkey-add');
});

test('who is not there makes none', async () => {
  const { page } = grace;
  await authenticator.knowsItsHolder(false);
  await click(page, 'Add a passkey');
  await complains(page, 'No passkey was made.');
  await authenticator.knowsItsHolder(true);
  assert.deepEqual(await authenticator.credentials(), []);
});

test('with the first passkey come recovery codes', async () => {
  const { page } = grace;
  await page.fill('#add [name=name]', 'Virtual <b>key</b>');
  await click(page, 'Add a passkey');
  await says(page, 'You can sign in with the passkey “Virtual <b>key</b>” from now on.');
  const codes = (await page.locator('#codes').textContent()).split('\n');
  assert.equal(codes.length, 10);
  for (const code of codes) assert.match(code, /^\w{4}(-\w{4}){3}$/);
  assert.ok(!(await seen(page)).includes('problem'));
  await shot(page, 'passkey-added');
  const [credential, ...others] = await authenticator.credentials();
  assert.deepEqual(others, []);
  const { isResidentCredential, rpId, userName } = credential;
  assert.deepEqual({ isResidentCredential, rpId, userName }, { isResidentCredential: true, rpId: new URL(origin).hostname, userName: username });
  const { user } = await ask('query($by: UserBy!) { user(by: $by) { secondFactors { kind name } recoveryCodesLeft } }', { by: { username } });
  assert.deepEqual(user, { secondFactors: [{ kind: 'PASSKEY', name: 'Virtual <b>key</b>' }], recoveryCodesLeft: 10 });
});

test('one device keeps one', async () => {
  const { page } = grace;
  await click(page, 'Add a passkey');
  await complains(page, 'This device has a passkey of yours already.');
  assert.equal((await authenticator.credentials()).length, 1);
});

test('it signs in alone, by a cookie that no script can read', async () => {
  const { page, context } = grace;
  await click(page, 'Sign out');
  await page.locator('#by-passkey').waitFor(WAIT);
  assert.deepEqual(await seen(page), ['by-passkey']);
  assert.deepEqual(await context.cookies(), []);
  await shot(page, 'passkey-sign-in');
  await authenticator.knowsItsHolder(false);
  await click(page, 'Sign in with a passkey');
  await complains(page, 'No passkey was used.');
  await authenticator.knowsItsHolder(true);
  for (let times = 0; times < 2; times += 1) {
    await click(page, 'Sign in with a passkey');
    await says(page, `You are signed in as ${username}.`);
    await page.locator('#graphiql').waitFor(WAIT);
    assert.deepEqual(await seen(page), ['add', 'signed-in', 'graphiql'], 'no secret is shown');
    const [{ name, httpOnly, secure: only, sameSite }, ...others] = await context.cookies();
    assert.deepEqual(others, []);
    assert.deepEqual({ name, httpOnly, only, sameSite }, { name: secure ? '__Host-keystead' : 'keystead', httpOnly: true, only: secure, sameSite: 'Strict' });
    assert.equal(await page.evaluate(() => document.cookie), '');
    if (times === 0) {
      await click(page, 'Sign out');
      await page.locator('#by-passkey').waitFor(WAIT);
    }
  }
  const session = await page.evaluate(async () => {
    const body = JSON.stringify({ query: '{ viewer { session { method } } }' });
    const answer = await fetch('/graphql', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return (await answer.json()).data.viewer.session;
  });
  assert.deepEqual(session, { method: 'PASSKEY' });
});

test('on a phone everything fits, also in the dark', async () => {
  const { page, context } = await visitor({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true, colorScheme: 'dark' });
  await page.goto(`${origin}/sign-in`);
  await page.locator('#by-passkey').waitFor(WAIT);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  const { height } = await page.locator('#passkey').boundingBox();
  assert.ok(height >= 40, `${height} high`);
  await shot(page, 'phone-passkey');
  await context.close();
});

nothingElse();
