#!/usr/bin/env bash
# GraphiQL, and people who come in, in a headless Chromium against a running server: KEYSTEAD_URL, KEYSTEAD_KEY; CHROMIUM names the browser if it is not at /usr/bin/chromium.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
npm ci --loglevel=error --no-progress
exec node --test --test-concurrency=1 --test-reporter=../summary.mjs graphiql.test.mjs people.test.mjs
