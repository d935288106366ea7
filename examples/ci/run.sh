#!/usr/bin/env bash
# The job, and that it stops when it should, against a server: KEYSTEAD_URL, KEYSTEAD_KEY.
set -euo pipefail
cd "$(dirname "$0")"
: "${KEYSTEAD_URL:?the address of the server, http://127.0.0.1:4000}" "${KEYSTEAD_KEY:?the key of an administrator}"
# shellcheck source=keystead.sh
source ./keystead.sh

passed=0
failed=0
# test_that NAME COMMAND…: the command runs in a shell of its own under `set -e`.
test_that() {
  local name=$1 output status
  shift
  # Not in a condition: bash would ignore `set -e` in all of it.
  set +e
  output=$(set -euo pipefail; "$@" 2>&1)
  status=$?
  set -e
  if [ "$status" = 0 ]; then
    passed=$((passed + 1))
    echo "ok $name"
  else
    failed=$((failed + 1))
    printf 'FAILED %s\n%s\n' "$name" "$output"
  fi
}
run=$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')
create='mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id } secret } }'
input() { jq -n --arg name "$1" '{input: {username: $name, kind: "SERVICE"}}'; }

viewer() { gql '{ viewer { user { role } } }' | jq -e '.viewer.user.role == "ADMIN"'; }

# Fails if the command does not, or says something else.
refused() {
  local expected=$1 said
  shift
  if said=$("$@" 2>&1 >/dev/null); then
    echo "not refused"
    return 1
  fi
  [[ $said == *"$expected"* ]] || { echo "said: $said"; return 1; }
}

stops_the_job() {
  ! bash -c 'set -euo pipefail; source ./keystead.sh; id=$(gql "{ nothing }" 2>/dev/null | jq -r .nothing); echo reached' | grep reached
}

once() {
  local first again id
  first=$(gql "$create" "$(input "once-$run")" "once-$run")
  again=$(gql "$create" "$(input "once-$run")" "once-$run")
  id=$(jq -r .createUser.user.id <<<"$first")
  gql 'mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }' "$(jq -n --arg id "$id" '{input: {id: $id}}')" >/dev/null
  diff <(echo "$first") <(echo "$again")
}

two_at_once() {
  local folder id
  folder=$(mktemp -d)
  for n in 1 2 3 4; do
    gql "$create" "$(input "race-$run")" "race-$run" >"$folder/$n" 2>"$folder/$n.err" &
  done
  wait
  id=$(jq -r .createUser.user.id "$folder/1")
  gql 'mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }' "$(jq -n --arg id "$id" '{input: {id: $id}}')" >/dev/null
  for n in 2 3 4; do diff "$folder/1" "$folder/$n"; done
  rm -r "$folder"
}

another_request() {
  local id
  id=$(gql "$create" "$(input "other-$run")" "other-$run" | jq -r .createUser.user.id)
  refused IDEMPOTENCY_KEY_REUSED gql "$create" "$(input "another-$run")" "other-$run"
  gql 'mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }' "$(jq -n --arg id "$id" '{input: {id: $id}}')" >/dev/null
}

wrong_key() { KEYSTEAD_KEY=ks_0000000000000000000000000000000000000 gql '{ viewer { user { id } } }'; }

test_that 'the key is an administrator'"'"'s' viewer
test_that 'a whole job' ./deploy.sh
test_that 'an error of GraphQL is an error of the shell' refused GRAPHQL_VALIDATION_FAILED gql '{ nothing }'
test_that 'a wrong key is refused' refused UNAUTHENTICATED wrong_key
test_that 'an error says its field' refused 'BAD_USER_INPUT input.username' gql "$create" '{"input": {"username": "no spaces, please"}}'
test_that 'set -e stops the job' stops_the_job
test_that 'one idempotency key, one effect, one answer' once
test_that 'four at once with one idempotency key' two_at_once
test_that 'an idempotency key is for one request' another_request

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
