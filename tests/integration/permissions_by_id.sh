#!/usr/bin/env bash
# permissions_by_id -- a rule that names an object by its id, beside rules that find it by name or tag: what is known of the
# object, and what those give on it, does not depend on which of the two is looked at first, or whether lists can be read
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

cat >"$work/objects.json" <<'JSON'
{"prod": {"jobs": [{"name": "nightly-load", "id": "11", "tags": {"team": "etl"}}, {"name": "other", "id": "12"}]}}
JSON

people_and_groups >"$work/people.ldif"
start_slapd --ldif "$work/people.ldif"
mkdir -p "$work/a"
echo '[]' >"$work/a/faults"
guard="{permissions: 100, minimum: 100}"
extra="permissions_interval: 1s"
make_world a --objects "$work/objects.json" --faults "$work/a/faults"

faults() {
	printf '[%s]\n' "$1" >"$work/a/faults"
	kill -HUP "${simulator_pid[a]}"
}
unreadable='{"match": "GET */jobs/list*", "status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no"}, "times": 0}'

use_mapping a <<-YAML
	version: 1
	users:
	- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
	  user: {userName: "\${mail}"}
	groups:
	- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
	  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
	grants:
	- to: {group: etl-rw}
	  workspaces: {prod: USER}
	  permissions:
	  - {job: "nightly-*", level: CAN_MANAGE_RUN}
	  - {job: {id: "11"}, level: CAN_VIEW}
	- to: {group: ops-ro}
	  workspaces: {prod: USER}
	  permissions:
	  - {job: {tag: {team: etl}}, level: CAN_MANAGE_RUN}
	  - {job: {id: "12"}, level: CAN_VIEW}
YAML
owner=$(sim_of a .client_id)
all_there() {
	has_acl prod jobs/11 "group etl-rw CAN_MANAGE_RUN" "group ops-ro CAN_MANAGE_RUN" "service $owner IS_OWNER" &&
		has_acl prod jobs/12 "group ops-ro CAN_VIEW" "service $owner IS_OWNER"
}

run a apply --auto-approve
check_equal "applied" 0 "$code" || cat "$work/said"
check "each has the higher of its levels" all_there
run a plan
check_equal "a second plan is empty" 0 "$code" || cat "$work/said"

# ---- jobs cannot be listed ----

faults "$unreadable"
run a apply --auto-approve
check "what the list would tell is not removed or lowered" all_there
check "and the plan has nothing of the kind" eval '! grep -q -e "- remove" -e "~ set" "$work/said"' || cat "$work/said"
faults ''

# ---- the service looks again and again, and cannot always read ----

jobs_read() {
	count_requests a '(.path | contains("/jobs/list"))'
}
read_again() {
	[ "$(jobs_read)" -gt $((before + 2)) ]
}
start_service a
wait_for 20 is_settled a
written=$(count_requests a '(.path | contains("/permissions/jobs/")) and .method != "GET"')
for _ in 1 2; do
	before=$(jobs_read)
	wait_for 20 read_again
	faults "$unreadable"
done
check "nothing was written" [ "$written" = "$(count_requests a '(.path | contains("/permissions/jobs/")) and .method != "GET"')" ]
check "and all is there" all_there
stop_service a
done_testing
