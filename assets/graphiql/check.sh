#!/usr/bin/env bash
# Builds GraphiQL from the lock file and compares it, byte for byte, with what is committed in dist/.
set -euo pipefail
cd "$(dirname "$0")"
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
npm ci --loglevel=error --no-progress
node build.mjs "$built" | tail -n 1
if diff -r dist "$built"; then
  echo "dist/ is what the sources make: $(find dist -type f | wc -l) files"
else
  echo "dist/ is stale: run 'npm ci && npm run build' in assets/graphiql and commit dist/" >&2
  exit 1
fi
