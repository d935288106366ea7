#!/usr/bin/env bash
# GraphQL over HTTP, WebSocket and SSE as the specifications have it, against a running server: KEYSTEAD_URL, KEYSTEAD_KEY.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
npm ci --loglevel=error --no-progress
exec node --test --test-concurrency=1 --test-reporter=../summary.mjs audits.test.mjs websocket.test.mjs sse.test.mjs
