#!/usr/bin/env bash
# The tests in a virtual environment under target/, against a server: KEYSTEAD_URL, KEYSTEAD_KEY.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
venv=../../target/python-gql
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt
PYTHONDONTWRITEBYTECODE=1 exec "$venv/bin/python" test_users.py
