// What tests of people in a browser share: the browser, those who visit, and the administrator who invites them.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';

export const origin = new URL(process.env.KEYSTEAD_URL).origin;
const key = process.env.KEYSTEAD_KEY;
export const secure = origin.startsWith('https:');
const shots = new URL('../../../target/browser/', import.meta.url).pathname;
export const WAIT = { timeout: 20_000 };
export const PASSWORD = 'a horse reads 12 maps';
export const unique = `${process.pid}-${Date.now() % 100_000}`;

let browser;
const complaints = [];
const foreign = [];

before(async () => {
  mkdirSync(shots, { recursive: true });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update'],
  });
});

after(() => browser?.close());

// A browser of its own: nothing is kept from others.
export async function visitor(options = {}) {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 900, height: 700 }, ...options });
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => new URL(request.url()).origin !== origin && foreign.push(request.url()));
  return { context, page };
}

export const shot = (page, name) => page.screenshot({ path: join(shots, `${secure ? 'tls' : 'plain'}-${name}.png`), fullPage: true });

export async function ask(query, variables = {}) {
  const response = await fetch(`${origin}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = await response.json();
  assert.equal(answer.errors, undefined, JSON.stringify(answer.errors));
  return answer.data;
}

export async function invite(input) {
  const made = await ask('mutation($input: CreateInvitationInput!) { createInvitation(input: $input) { link } }', { input });
  const { link } = made.createInvitation;
  assert.ok(link.startsWith(`${origin}/join?token=ksi_`), link);
  return link;
}

export const message = (page) => page.locator('#message').textContent();
export const says = (page, text) => page.locator('#message', { hasText: text }).waitFor(WAIT);
export const complains = (page, text) => page.locator('#problem', { hasText: text }).waitFor(WAIT);

// To be called at the end of a file.
export const nothingElse = () =>
  test('nothing complained, and nothing was asked of anybody else', () => {
    assert.deepEqual(complaints, []);
    assert.deepEqual(foreign, []);
  });
