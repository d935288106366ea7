#!/usr/bin/env bash
# Starts a server in a temporary folder and runs every client against it: tests/clients/run.sh [BINARY [SUITE…]]
# The binary is target/debug/keystead unless one is given; suites are named by their folders (examples/ci, tests/clients/browser …).
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
binary=$(realpath "${1:-target/debug/keystead}")
shift || true
[ -x "$binary" ] || { echo "no binary at $binary: run 'cargo build' first" >&2; exit 2; }

plain=(
  tests/clients/graphql-http
  tests/clients/browser
  examples/apollo-client
  examples/relay
  examples/urql
  examples/python-gql
  examples/ci
  tests/clients/wandb
)
federated=(examples/federation)
ruled=(tests/clients/proxies)
secure=(tests/clients/people)
if [ $# -gt 0 ]; then
  plain=()
  federated=()
  ruled=()
  secure=()
  for suite in "$@"; do
    suite=${suite%/}
    case $suite in
      examples/federation) federated+=("$suite") ;;
      tests/clients/proxies) ruled+=("$suite") ;;
      tests/clients/people) secure+=("$suite") ;;
      *) plain+=("$suite") ;;
    esac
  done
fi

folder=$(mktemp -d)
server=
stop() {
  [ -n "$server" ] || return 0
  kill -TERM "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}
trap 'stop; rm -rf "$folder"' EXIT

# Starts the server, with the settings given as NAME=VALUE, and waits until it is ready.
start() {
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  export KEYSTEAD_URL=${scheme:-http}://${host:-127.0.0.1}:$port
  (cd "$folder" && exec env -u DATABASE_URL -u KEYSTEAD_URL -u KEYSTEAD_KEY KEYSTEAD_LISTEN="127.0.0.1:$port" KEYSTEAD_PUBLIC_URL="$KEYSTEAD_URL" \
    KEYSTEAD_DATA_DIR="$folder/data" "$@" "$binary" serve) >>"$folder/server.log" 2>&1 </dev/null &
  server=$!
  for _ in $(seq 300); do
    if curl --silent --insecure --fail --max-time 2 --output /dev/null "$KEYSTEAD_URL/readyz"; then
      KEYSTEAD_KEY=$(tr -d '[:space:]' <"$folder/data/admin.key")
      export KEYSTEAD_KEY
      return 0
    fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.2
  done
  echo "the server did not become ready; it said:" >&2
  tail -n 40 "$folder/server.log" >&2
  return 1
}

passed=0
failed=0
# Runs one suite and adds the counts of its last line; a suite that ends without them counts as one failure.
run_suite() {
  local suite=$1 output=$folder/output status=0 began=$SECONDS last
  echo "== $suite"
  "$suite/run.sh" >"$output" 2>&1 </dev/null || status=$?
  cat "$output"
  last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 1 || true)
  if [ -n "$last" ]; then
    passed=$((passed + $(cut -d' ' -f1 <<<"$last")))
    failed=$((failed + $(cut -d' ' -f3 <<<"$last")))
  fi
  if [ "$status" != 0 ] && [[ $last != *' passed, '[1-9]* ]]; then
    echo "$suite ended with status $status"
    failed=$((failed + 1))
  fi
  echo "== $suite: ${last:-no result}, $((SECONDS - began)) s"
}

if [ ${#plain[@]} -gt 0 ]; then
  start
  for suite in "${plain[@]}"; do run_suite "$suite"; done
  stop
fi
if [ ${#federated[@]} -gt 0 ]; then
  start KEYSTEAD_FEDERATION=true
  for suite in "${federated[@]}"; do run_suite "$suite"; done
  stop
fi
if [ ${#ruled[@]} -gt 0 ]; then
  python3 tests/clients/proxies/page.py settings >"$folder/keystead.toml"
  start
  for suite in "${ruled[@]}"; do run_suite "$suite"; done
  stop
  rm "$folder/keystead.toml"
fi

if [ ${#secure[@]} -gt 0 ]; then
  # A certificate that nobody vouches for: the browser is told to take it.
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$folder/tls.key" -out "$folder/tls.pem" 2>/dev/null
  # By a name: browsers make passkeys for no address.
  scheme=https host=localhost start KEYSTEAD_TLS_CERTIFICATE="$folder/tls.pem" KEYSTEAD_TLS_KEY="$folder/tls.key"
  for suite in "${secure[@]}"; do run_suite "$suite"; done
  stop
fi

if [ "$failed" != 0 ]; then
  echo "-- the server's last words"
  tail -n 20 "$folder/server.log"
fi
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
