#!/usr/bin/env bash
# permissions_crash -- kill -9 at random moments while permissions are given and taken back and Databricks loses answers
# after their effect: the end is what the rules say, and not an entry of others is lost
#
# usage: permissions_crash.sh [KILLS]
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

kills=${1:-12}
jobs=30
seed_naps

# All direct entries of all jobs.
# The faults meet our own looks, too: each is repeated until it is answered.
all_acls() {
	local job try
	for ((job = 1; job <= jobs; job++)); do
		for ((try = 1; try <= 20; try++)); do
			acl prod "jobs/$job" >"$work/look" 2>/dev/null && [ -s "$work/look" ] && break
		done
		sed "s/^/$job /" "$work/look"
	done
}

all_are() {
	all_acls >"$work/now"
	cmp -s "$work/now" "$1"
}

jq -nc --argjson jobs $jobs '{prod: {jobs: [range(1; $jobs + 1) | {name: "nightly-\(.)", id: "\(.)",
	acl: [{group_name: "users", permission_level: "CAN_VIEW"}]}]}}' >"$work/objects.json"
cat >"$work/faults.json" <<'JSON'
{"seed": 1, "rules": [
 {"match": "PATCH /api/2.0/permissions/*", "fault": "lost-reply", "probability": 0.2},
 {"match": "PUT /api/2.0/permissions/*", "fault": "lost-reply", "probability": 0.2},
 {"match": "GET /api/2.0/permissions/*", "fault": "cut-before", "probability": 0.05}]}
JSON
people_and_groups >"$work/people.ldif"
start_slapd --ldif "$work/people.ldif"
guard="{permissions: 1000, groups: 10, minimum: 0}"
make_world a --objects "$work/objects.json" --latency 20 --faults "$work/faults.json"
use_mapping a <<YAML
version: 1
users:
- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
  user: {userName: "\${mail}"}
groups:
- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
grants:
- for_each: {group: '^dbx-(?<team>[a-z]+)-(?<role>ro|rw)\$'}
  workspaces: {prod: USER}
  permissions:
  - {job: "nightly-*", level: "\${role == 'rw' and 'CAN_MANAGE_RUN' or 'CAN_VIEW'}", in: [prod]}
YAML

owner=$(sim_of a .client_id)
for ((job = 1; job <= jobs; job++)); do
	printf '%d group etl-rw CAN_MANAGE_RUN\n%d group ops-ro CAN_VIEW\n%d group users CAN_VIEW\n%d service %s IS_OWNER\n' \
		$job $job $job $job "$owner"
done >"$work/full"
grep -v ops-ro "$work/full" >"$work/less"

for ((i = 0; i < kills / 2; i++)); do
	start_service a
	random_nap 1000
	stop_service a KILL
done
start_service a
check "given, with $((kills / 2)) kills" wait_for 60 all_are "$work/full" || diff "$work/full" "$work/now"
wait_for 60 is_settled a
stop_service a KILL

start_service a
wait_for 60 is_settled a
printf 'dn: cn=dbx-ops-ro,ou=Groups,%s\nchangetype: delete\n\n' "$base" | ldif
for ((i = 0; i < kills / 2; i++)); do
	random_nap 1000
	stop_service a KILL
	start_service a
done
check "taken back, with $((kills / 2)) kills" wait_for 60 all_are "$work/less" || diff "$work/less" "$work/now"
check "and it settles" wait_for 60 is_settled a
stop_service a
run a plan
check_equal "then nothing is left to do" 0 $code
done_testing
