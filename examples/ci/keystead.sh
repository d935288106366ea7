#!/usr/bin/env bash
# What a CI job needs of Keystead, with curl and jq alone. Source it and call `gql`; KEYSTEAD_URL and KEYSTEAD_KEY say where and who.
#
#   gql QUERY [VARIABLES] [IDEMPOTENCY_KEY]
#
# prints `data`; on any error it prints each code, field and message to stderr and returns 1, so that `set -e` stops the job.
# With an idempotency key a mutation may be sent again after a lost connection: it happens once, and the first answer comes again.

gql() {
  local query=$1 variables=${2-} idempotency=${3-} body answer
  [ -n "$variables" ] || variables='{}'
  body=$(jq --null-input --compact-output --arg query "$query" --argjson variables "$variables" '{query: $query, variables: $variables}') || return 1

  local -a headers=(--header 'Content-Type: application/json' --header 'Accept: application/json')
  [ -z "$idempotency" ] || headers+=(--header "Idempotency-Key: $idempotency")
  local -a again=()
  if [ -n "$idempotency" ] || [[ $query != *mutation* ]]; then
    again=(--retry 3 --retry-connrefused)
  fi

  # The key goes in through a file descriptor: an argument would show in the list of processes.
  answer=$(printf '%s' "$body" | curl --silent --show-error --max-time 30 "${again[@]}" "${headers[@]}" \
    --header @<(printf 'Authorization: Bearer %s\n' "$KEYSTEAD_KEY") --data-binary @- "$KEYSTEAD_URL/graphql") || return 1

  if ! jq --exit-status '.errors == null and .data != null' <<<"$answer" >/dev/null 2>&1; then
    jq --raw-output '.errors[] | "\(.extensions.code) \(.extensions.field // "") \(.message)"' <<<"$answer" >&2 2>/dev/null ||
      printf 'not an answer of GraphQL: %s\n' "${answer:0:300}" >&2
    return 1
  fi
  jq '.data' <<<"$answer"
}
