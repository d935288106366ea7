#!/usr/bin/env bash
# docs/protect-a-service.md as it stands, with nginx, Traefik, Caddy and Envoy for real: KEYSTEAD_URL, KEYSTEAD_KEY of a server with the
# page's settings. `run.sh caddy` runs one of them.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
venv=../../../target/ci-proxies
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
PYTHONDONTWRITEBYTECODE=1 exec python3 checks.py "$@"
