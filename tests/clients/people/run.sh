#!/usr/bin/env bash
# People who come in, in a headless Chromium against a running server that speaks TLS: KEYSTEAD_URL, KEYSTEAD_KEY; CHROMIUM as in ../browser.
set -euo pipefail
cd "$(dirname "$0")/../browser"
: "${KEYSTEAD_URL:?the address of the server, https://localhost:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
npm ci --loglevel=error --no-progress
# Its certificate is its own.
NODE_TLS_REJECT_UNAUTHORIZED=0 NODE_NO_WARNINGS=1 exec node --test --test-concurrency=1 --test-reporter=../summary.mjs people.test.mjs passkeys.test.mjs
