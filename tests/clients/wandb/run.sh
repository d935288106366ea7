#!/usr/bin/env bash
# The client of wandb, unchanged, against a running server: KEYSTEAD_URL, KEYSTEAD_KEY.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
venv=../../../target/wandb-client
[ -x "$venv/bin/pip" ] || python3 -m venv "$venv"
"$venv/bin/pip" install --quiet --disable-pip-version-check --requirement requirements.txt
# Its own home: the client writes keys into files there. It is to talk to this server and to nobody else.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME=$home WANDB_BASE_URL=$KEYSTEAD_URL/wandb WANDB_DIR=$home WANDB_CACHE_DIR=$home WANDB_CONFIG_DIR=$home WANDB_DATA_DIR=$home
export WANDB_ERROR_REPORTING=false WANDB_SILENT=true WANDB_CONSOLE=off WANDB_HTTP_TIMEOUT=8
unset WANDB_API_KEY WANDB_ENTITY WANDB_USERNAME WANDB_USER_EMAIL
PYTHONDONTWRITEBYTECODE=1 "$venv/bin/python" tour.py
