#!/usr/bin/env bash
# docs/protect-a-service.md as it stands, with nginx for real: KEYSTEAD_URL, KEYSTEAD_KEY of a server with the page's settings.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
nginx=$(command -v nginx || echo /usr/sbin/nginx)
folder=$(mktemp -d)
pids=()
stop() {
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap stop EXIT

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
front=$(free_port)
behind=$(free_port)
# The page's addresses, and those of this run.
export MAP="127.0.0.1:4000=${KEYSTEAD_URL#http://} 127.0.0.1:8080=127.0.0.1:$front 127.0.0.1:9000=127.0.0.1:$behind"

mkdir -p "$folder/.keystead"
printf '%s' "$KEYSTEAD_KEY" >"$folder/.keystead/admin.key"
{
  echo "daemon off; pid $folder/nginx.pid; error_log $folder/error.log warn;"
  [ "$(id -u)" != 0 ] || echo 'user root;'
  echo 'worker_processes 1; events { worker_connections 64; } http {'
  echo "access_log off; client_body_temp_path $folder/body; proxy_temp_path $folder/proxy; fastcgi_temp_path $folder/fastcgi;"
  echo "uwsgi_temp_path $folder/uwsgi; scgi_temp_path $folder/scgi;"
  python3 page.py nginx
  echo '}'
} >"$folder/nginx.conf"
python3 service.py "$behind" &
pids+=($!)
"$nginx" -p "$folder" -c "$folder/nginx.conf" -e "$folder/error.log" &
pids+=($!)
for _ in $(seq 100); do
  if curl --silent --max-time 2 --output /dev/null "http://127.0.0.1:$front/" && curl --silent --max-time 2 --output /dev/null "http://127.0.0.1:$behind/"; then
    break
  fi
  sleep 0.1
done
page=$PWD/page.py
cd "$folder"
status=0
python3 "$page" run || status=$?
if [ "$status" != 0 ]; then cat "$folder/error.log"; fi
exit "$status"
