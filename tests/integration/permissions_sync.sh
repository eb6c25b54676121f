#!/usr/bin/env bash
# permissions_sync -- `sync user NAME` and `sync group NAME`, alone and through the service: what is the principal's is
# brought true and nothing else; without reading the lists of objects that have nothing of it
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

jq -nc '{prod: {jobs: [range(1; 41) | {name: "job-\(.)", id: "\(.)"}], directories: ["/Teams/etl", "/Teams/ops"],
	notebooks: [{path: "/Teams/etl/book"}]}}' >"$work/objects.json"
people_and_groups >"$work/people.ldif"
start_slapd --ldif "$work/people.ldif"
guard="{permissions: 100, groups: 10, minimum: 0}"
make_world a --objects "$work/objects.json"
owner=$(sim_of a .client_id)
use_mapping a <<YAML
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
  permissions: [{job: job-1, level: CAN_MANAGE_RUN, in: [prod]}, {directory: /Teams/etl, level: CAN_EDIT, in: [prod]}]
- to: {group: ops-ro}
  workspaces: {prod: USER}
  permissions: [{job: "job-*", level: CAN_VIEW, in: [prod]}]
- to: {user: cy@example.com}
  workspaces: {prod: USER}
  permissions: [{notebook: /Teams/etl/book, level: CAN_READ, in: [prod]}, {job: job-2, level: CAN_VIEW, in: [prod]}]
YAML
etl=$(id_of prod "/api/2.0/workspace/get-status?path=/Teams/etl" .object_id)
book=$(id_of prod "/api/2.0/workspace/get-status?path=/Teams/etl/book" .object_id)

acl_calls() {
	count_requests a '.path | contains("/permissions/")'
}

# ---- alone ----

before=$(acl_calls)
run a sync group etl-rw
check_equal "sync of a group, alone" 0 $code
reads=$(($(acl_calls) - before))
check "its permissions are set" has_acl prod jobs/1 "service $owner IS_OWNER" "group etl-rw CAN_MANAGE_RUN"
check "on each object" has_acl prod "directories/$etl" "group etl-rw CAN_EDIT"
check "those of others are not" has_acl prod jobs/3 "service $owner IS_OWNER"
check "and only lists with something of it are read ($reads calls)" [ $reads -le 4 ]
run a sync user cy@example.com
check "sync of a user, alone" has_acl prod "notebooks/$book" "user cy@example.com CAN_READ"
check "his part of a list" has_acl prod jobs/2 "service $owner IS_OWNER" "user cy@example.com CAN_VIEW"
run a sync user "uid=cy,ou=People,$base"
check_equal "by DN" 0 $code
check "in order" said 'in order, nothing to do'
run a sync user "uid=bo,ou=People,$base"
check "by DN somebody who is not there yet is made" said 'create user "bo@example.com"'

# ---- through the service ----

start_service a
wait_for 20 is_settled a
curl -sf -X PUT -o /dev/null -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" "$(sim_of a .workspaces.prod.host)/api/2.0/permissions/jobs/1" \
	-d '{"access_control_list": [{"service_principal_name": "'"$owner"'", "permission_level": "IS_OWNER"}]}'
curl -sf -X PUT -o /dev/null -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" "$(sim_of a .workspaces.prod.host)/api/2.0/permissions/jobs/9" \
	-d '{"access_control_list": [{"service_principal_name": "'"$owner"'", "permission_level": "IS_OWNER"}]}'
stop_service a
start_service a
wait_for 20 is_settled a
before=$(acl_calls)
run a sync group etl-rw
check_equal "sync of a group, by the service" 0 $code
calls=$(($(acl_calls) - before))
check "what another hand took from it is back" has_acl prod jobs/1 "service $owner IS_OWNER" "group etl-rw CAN_MANAGE_RUN" "group ops-ro CAN_VIEW"
check "what was taken from others is for the next reconcile" has_acl prod jobs/9 "service $owner IS_OWNER"
check "few lists are read ($calls calls)" [ $calls -le 8 ]
stop_service a
done_testing
