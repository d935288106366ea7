#!/usr/bin/env bash
# Checks the generated types, then runs the tests against a server: KEYSTEAD_URL, KEYSTEAD_KEY.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
npm ci --loglevel=error --no-progress
committed=$(mktemp -d)
trap 'rm -rf "$committed"' EXIT
cp -R src/generated "$committed/"
npm run --silent codegen -- --silent
if ! diff -r "$committed/generated" src/generated; then
  echo "src/generated is stale: run 'npm run codegen' and commit it" >&2
  exit 1
fi
npm run --silent types
node --import tsx --test --test-reporter=../../tests/clients/summary.mjs src/apollo.test.ts
