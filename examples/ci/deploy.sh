#!/usr/bin/env bash
# A CI job: a service account with a key of its own, a team, and the right to use one model; then everything is taken away again.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=keystead.sh
source ./keystead.sh

run=${CI_RUN_ID:-$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')}

made=$(gql 'mutation ($input: CreateUserInput!) {
  createUser(input: $input) { user { id username } apiKey { id prefix expiresAt } secret }
}' "$(jq -n --arg name "ci-$run" '{input: {username: $name, kind: "SERVICE", comment: "made by CI", apiKey: {name: "ci", expiresIn: "PT1H"}}}')" "user-$run")
user=$(jq -r .createUser.user.id <<<"$made")
secret=$(jq -r .createUser.secret <<<"$made")
echo "service account $user with key $(jq -r .createUser.apiKey.prefix <<<"$made")"

team=$(gql 'mutation ($input: CreateTeamInput!) { createTeam(input: $input) { team { id slug } } }' \
  "$(jq -n --arg slug "ci-$run" --arg user "$user" '{input: {slug: $slug, name: "CI", members: [{user: $user}]}}')" "team-$run" | jq -r .createTeam.team.id)
echo "team $team"

gql 'mutation ($input: UpdatePermissionInput!) { updatePermission(input: $input) { added removed } }' \
  "$(jq -n --arg team "$team" '{input: {principal: $team, path: "/models/gpt-4o", roles: [{role: "USE"}]}}')" "permission-$run" >/dev/null
echo "the team may use /models/gpt-4o"

# As the service account from here on.
decision=$(KEYSTEAD_KEY=$secret gql 'query ($path: String!) { checkPermission(privilege: "model.use", path: $path) { allowed explanation } }' '{"path": "/models/gpt-4o"}')
jq -r .checkPermission.explanation <<<"$decision"
jq -e .checkPermission.allowed <<<"$decision" >/dev/null

gql 'mutation ($team: DeleteTeamInput!, $user: DeleteUserInput!) {
  deleteTeam(input: $team) { deletedTeamId }
  deleteUser(input: $user) { deletedUserId }
}' "$(jq -n --arg team "$team" --arg user "$user" '{team: {id: $team}, user: {id: $user}}')" "clean-$run" >/dev/null
echo "taken away again"
