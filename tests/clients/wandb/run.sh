#!/usr/bin/env bash
# The client of wandb, unchanged, in two versions, against a running server: KEYSTEAD_URL, KEYSTEAD_KEY.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
folder=../../../target
prepare() {
  [ -x "$folder/$1/bin/pip" ] || python3 -m venv "$folder/$1"
  "$folder/$1/bin/pip" install --quiet --disable-pip-version-check --requirement "$2"
}
prepare wandb-client requirements.txt
prepare wandb-older requirements-older.txt
# Its own home: the client writes keys into files there. It is to talk to this server and to nobody else.
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
export HOME=$home WANDB_BASE_URL=$KEYSTEAD_URL/wandb WANDB_DIR=$home WANDB_CACHE_DIR=$home WANDB_CONFIG_DIR=$home WANDB_DATA_DIR=$home
export WANDB_ERROR_REPORTING=false WANDB_SILENT=true WANDB_CONSOLE=off WANDB_HTTP_TIMEOUT=8
unset WANDB_API_KEY WANDB_ENTITY WANDB_USERNAME WANDB_USER_EMAIL
export PYTHONDONTWRITEBYTECODE=1
passed=0
failed=0
for each in 'wandb-client tour.py' 'wandb-older older.py'; do
  read -r venv script <<<"$each"
  "$folder/$venv/bin/python" "$script" 2>&1 | tee "$home/said" || true
  last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$home/said" | tail -n 1 || echo '0 passed, 1 failed')
  passed=$((passed + $(cut -d' ' -f1 <<<"$last")))
  failed=$((failed + $(cut -d' ' -f3 <<<"$last")))
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
