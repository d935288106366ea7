#!/usr/bin/env bash
# relay-compiler must accept the schema and find its artifacts up to date; then the tests against a server: KEYSTEAD_URL, KEYSTEAD_KEY.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
npm ci --loglevel=error --no-progress
npm run --silent relay -- --validate
npm run --silent types
node --import tsx --test --test-reporter=../../tests/clients/summary.mjs src/relay.test.ts
