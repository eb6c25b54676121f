#!/usr/bin/env bash
# permissions_others -- what others gave: adopted, raised and given back, never lowered, kept when ours goes; exclusive ones;
# owners; held removals; objects that come later; principals that a workspace does not know
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

cat >"$work/objects.json" <<'JSON'
{"prod": {"jobs": [{"name": "same", "id": "1"}, {"name": "lower", "id": "2"}, {"name": "higher", "id": "3"},
  {"name": "only", "id": "4"}, {"name": "owned", "id": "5"}]}}
JSON

people_and_groups >"$work/people.ldif"
start_slapd --ldif "$work/people.ldif"
extra="permissions_interval: 2s"
guard="{permissions: 100, groups: 10, minimum: 0}"
make_world a --objects "$work/objects.json"

rules() {
	cat <<-YAML
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
		- to: {group: ops-ro}
		  workspaces: {prod: USER}
		- to: {user: cy@example.com}
		  workspaces: {prod: USER}
	YAML
}
owner=$(sim_of a .client_id)

# ---- before: others have their rights, the groups are there ----

rules | use_mapping a
run a apply --auto-approve
check_equal "the groups are made" 0 $code
set_acl prod jobs/1 group etl-rw CAN_VIEW
set_acl prod jobs/2 group etl-rw CAN_VIEW
set_acl prod jobs/3 group etl-rw CAN_MANAGE
set_acl prod jobs/4 group ops-ro CAN_VIEW
set_acl prod jobs/4 user bo@example.com CAN_MANAGE

{
	rules
	cat <<-'YAML'
		- to: {group: etl-rw}
		  permissions:
		  - {job: same, level: CAN_VIEW, in: [prod]}
		  - {job: lower, level: CAN_MANAGE_RUN, in: [prod]}
		  - {job: higher, level: CAN_VIEW, in: [prod]}
		  - {job: only, level: CAN_MANAGE_RUN, in: [prod], exclusive: true}
		- to: {user: cy@example.com}
		  permissions:
		  - {job: owned, level: IS_OWNER, in: [prod]}
	YAML
} >"$work/full.yaml"
use_mapping a <"$work/full.yaml"
run a plan
check "the same level is adopted" said '= adopt 1 permission of job "same": group etl-rw: CAN_VIEW'
check "a lower one is raised, and the plan says from what" said '~ set 1 permission on job "lower": group etl-rw: CAN_VIEW -> CAN_MANAGE_RUN'
check "an owner is set" said 'job "owned": user cy@example.com: IS_OWNER'
check "a higher one needs nothing" eval '! said "job \"higher\""'
check "exclusive takes the others away" said '- remove . permission.* from job "only"'
run a apply --auto-approve
check_equal "applied" 0 $code
check "raised" has_acl prod jobs/2 "group etl-rw CAN_MANAGE_RUN" "service $owner IS_OWNER"
check "higher stays" has_acl prod jobs/3 "group etl-rw CAN_MANAGE" "service $owner IS_OWNER"
check "exclusive: others are gone, our own credential is not" has_acl prod jobs/4 "group etl-rw CAN_MANAGE_RUN" "service $owner IS_OWNER"
check "the owner moved" has_acl prod jobs/5 "service $owner CAN_MANAGE" "user cy@example.com IS_OWNER"
run a plan
check_equal "then nothing is left to do" 0 $code

# ---- objects that come later, drift ----

start_service a
wait_for 20 is_settled a
set_acl prod jobs/2 user bo@example.com CAN_MANAGE
host=$(sim_of a .workspaces.prod.host)
token=$(sim_of a .workspaces.prod.token)
later=$(curl -sf -H "Authorization: Bearer $token" "$host/api/2.2/jobs/create" -d '{"name": "same"}' | jq -r .job_id)
check "a job that comes later has its rights after the interval" acl_becomes prod "jobs/$later" "group etl-rw CAN_VIEW" "$(acl prod "jobs/$later" | grep OWNER)"
stop_service a

# ---- the rule goes: what was ours goes, the rest comes back or stays ----

rules | use_mapping a
guard="{permissions: 1, groups: 10, minimum: 0}"
write_config a
run a apply --auto-approve
check_equal "more than the guard allows is held" 3 $code
check "nothing went" has_acl prod jobs/4 "group etl-rw CAN_MANAGE_RUN" "service $owner IS_OWNER"
run a approve permissions --auto-approve
run a apply --auto-approve
check_equal "approved, it goes" 0 $code
check "raised: the former level is back, the other hand's stays" has_acl prod jobs/2 "group etl-rw CAN_VIEW" "service $owner IS_OWNER" "user bo@example.com CAN_MANAGE"
check "adopted: it was ours" has_acl prod jobs/1 "service $owner IS_OWNER"
check "higher stays still" has_acl prod jobs/3 "group etl-rw CAN_MANAGE" "service $owner IS_OWNER"
check "an object must have an owner" has_acl prod jobs/5 "service $owner CAN_MANAGE" "user cy@example.com IS_OWNER"
run a plan
check_equal "a second plan is empty" 0 $code
check "and says why somebody stays owner" said 'stays owner of job "owned"'

# ---- whom the workspace does not know ----

{
	rules
	cat <<-'YAML'
		- to: {group: nobody-at-all}
		  permissions: [{job: same, level: CAN_VIEW, in: [prod]}]
		- to: {group: ops-ro}
		  permissions: [{job: same, level: CAN_MANAGE_RUN, in: [prod]}]
	YAML
} | use_mapping a
run_seconds=120
run a apply --auto-approve
check_equal "one who is not known is told in the exit status" 4 $code
check "the others get theirs" has_acl prod jobs/1 "group ops-ro CAN_MANAGE_RUN" "service $owner IS_OWNER"
check "and named" said "does not know group .*nobody-at-all"
done_testing
