#!/usr/bin/env bash
# permissions_event -- a user leaves a directory group, a group goes, a group comes, by event, in several workspaces: exactly
# what that gave goes or comes, and not a call more than that takes
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

jobs=20
jq -nc --argjson jobs $jobs '{directories: ["/Teams/etl", "/Teams/ops"], jobs: [range(1; $jobs + 1) | {name: "nightly-\(.)", id: "\(.)"}]}
	| {prod: ., dev: .}' >"$work/objects.json"
people_and_groups >"$work/people.ldif"
for what in give-ada also-ada; do
	printf '\ndn: cn=%s,ou=Groups,%s\nobjectClass: groupOfNames\ncn: %s\nmember: uid=bo,ou=People,%s\n' $what "$base" $what "$base"
done >>"$work/people.ldif"
start_slapd --ldif "$work/people.ldif"
guard="{permissions: 1000, tokens: 100, groups: 10, members: 100, minimum: 0}"
make_world a --objects "$work/objects.json"
owner=$(sim_of a .client_id)
use_mapping a <<YAML
version: 1
users:
- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
  user: {userName: "\${mail}"}
groups:
- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
  through: {base: "ou=Groups,$base", filter: (cn=*-ada)}
  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
grants:
- to: {user: ada@example.com}
  workspaces: {prod: USER, dev: USER}
- for_each: {group: '^give-(?<who>ada)\$'}
  to: {user: "\${who}@example.com"}
  workspaces: {prod: USER, dev: USER}
  entitlements: [allow-cluster-create, databricks-sql-access]
  tokens: {use: true}
  permissions:
  - {job: nightly-1, level: CAN_MANAGE_RUN}
  - {directory: /Teams/etl, level: CAN_EDIT}
- for_each: {group: '^also-(?<who>ada)\$'}
  to: {user: "\${who}@example.com"}
  workspaces: {prod: USER, dev: USER}
  entitlements: [databricks-sql-access]
  permissions:
  - {job: nightly-1, level: CAN_VIEW}
- for_each: {group: '^dbx-(?<team>[a-z]+)-(?<role>ro|rw)\$'}
  workspaces: {prod: USER, dev: USER}
  permissions:
  - {directory: "/Teams/\${team}", level: "\${role == 'rw' and 'CAN_EDIT' or 'CAN_READ'}"}
  - {job: "nightly-*", level: CAN_VIEW}
YAML
declare -A etl
for at in prod dev; do
	etl[$at]=$(id_of $at "/api/2.0/workspace/get-status?path=/Teams/etl" .object_id)
done

# Whatever was asked since the mark, without sign-in: method and path.
mark() {
	wait_for 20 is_settled a
	marked=$(wc -l <"$work/a/requests.jsonl")
}
made() {
	tail -n +$((marked + 1)) "$work/a/requests.jsonl" | grep -v oidc | grep -v well-known |
		jq -r '"\(.method) \(.path | sub("[0-9a-f]{8}-[0-9a-f-]{27}"; "ACCOUNT") | sub("\\?.*"; ""))"' | sort | uniq -c |
		sed 's/^/# /'
}
count_made() {
	made | awk '{sum += $2} END {print sum + 0}'
}

start_service a
wait_for 20 is_settled a
for at in prod dev; do
	check "$at: given" acl_becomes $at jobs/1 "service $owner IS_OWNER" "user ada@example.com CAN_MANAGE_RUN" "group etl-rw CAN_VIEW" "group ops-ro CAN_VIEW"
	check "$at: the right to use tokens" eval "acl $at authorization/tokens | grep -qx 'user ada@example.com CAN_USE'"
done

# ---- what one directory group gave to a user goes ----

mark
printf 'dn: cn=give-ada,ou=Groups,%s\nchangetype: delete\n\n' "$base" | ldif
less() {
	[ "$(state_of a | jq -c 'select(.user.userName == "ada@example.com").user.seats | map(.entitlements)')" = \
		'[["databricks-sql-access"],["databricks-sql-access"]]' ]
}
check "entitlements: what another rule gives stays" wait_for 20 less
wait_for 20 is_settled a
made
calls=$(count_made)
# In each workspace: GET and PUT of two lists and of the tokens', with the tokens listed before that; a lowered level is one
# PATCH in place of two; the entitlements are one PATCH.
check "as many calls as it takes, and no more ($calls)" [ "$calls" -le 16 ]
for at in prod dev; do
	check "$at: the job's level is that of the other rule" has_acl $at jobs/1 "service $owner IS_OWNER" "user ada@example.com CAN_VIEW" "group etl-rw CAN_VIEW" "group ops-ro CAN_VIEW"
	check "$at: the folder's is gone, the others' are not" has_acl $at "directories/${etl[$at]}" "group etl-rw CAN_EDIT"
	check "$at: the right to use tokens, too" eval "! acl $at authorization/tokens | grep -q ada"
done

# ---- somebody leaves a group that is made ----

mark
printf 'dn: cn=dbx-etl-rw,ou=Groups,%s\nchangetype: modify\nreplace: member\nmember: uid=cy,ou=People,%s\n\n' "$base" "$base" | ldif
member_moved() {
	made | grep -q 'PATCH .*Groups'
}
wait_for 20 member_moved
wait_for 20 is_settled a
made
check_equal "a change of members is one call" 1 "$(count_made)"

# ---- a group comes, and goes ----

mark
add_group dbx-ops-rw cy
check "a group comes" acl_becomes prod "jobs/$jobs" "service $owner IS_OWNER" "group etl-rw CAN_VIEW" "group ops-ro CAN_VIEW" "group ops-rw CAN_VIEW"
wait_for 20 is_settled a
made
calls=$(count_made)
# The group, its assignments, in each workspace a list of jobs and of the folder, and each object's entry.
check "a group that comes: calls for what it gets, and for finding it ($calls)" [ "$calls" -le $((2 * (jobs + 1 + 3) + 4)) ]
mark
printf 'dn: cn=dbx-ops-rw,ou=Groups,%s\nchangetype: delete\n\n' "$base" | ldif
check "a group goes" acl_becomes prod "jobs/$jobs" "service $owner IS_OWNER" "group etl-rw CAN_VIEW" "group ops-ro CAN_VIEW"
wait_for 20 is_settled a
made
calls=$(count_made)
check "a group that goes ($calls)" [ "$calls" -le $((2 * (jobs + 1) * 2 + 4)) ]
stop_service a
run a plan
check_equal "then nothing is left to do" 0 $code
done_testing
