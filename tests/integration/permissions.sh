#!/usr/bin/env bash
# permissions -- one rule takes a directory group to rights on objects in workspaces, and takes them back; what others gave
# stays; a second plan is empty; a restart reads nothing anew
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

cat >"$work/objects.json" <<'JSON'
{"prod": {"directories": [{"path": "/Shared/etl", "acl": [{"group_name": "users", "permission_level": "CAN_READ"}]}, "/Teams/etl", "/Teams/ops"],
  "jobs": [{"name": "nightly-load", "id": "4711"}, {"name": "nightly-clean", "id": "4712"}, {"name": "adhoc", "id": "4713"}],
  "clusters": [{"name": "shared", "tags": {"team": "etl"}}]},
 "dev": {"directories": ["/Shared/etl"], "jobs": [{"name": "nightly-load", "id": "99"}]}}
JSON
start_slapd --ldif <(people_and_groups)
guard="{permissions: 50%, groups: 10, minimum: 3}"
make_world a --objects "$work/objects.json"
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
  workspaces: {prod: USER, dev: USER}
  permissions:
  - {job: "nightly-*", level: CAN_MANAGE_RUN, in: [prod]}
  - {directory: /Shared/etl, level: CAN_EDIT}
  - {cluster: {tag: {team: etl}}, level: CAN_RESTART, in: [prod]}
- for_each: {group: '^dbx-(?<team>[a-z]+)-(?<role>ro|rw)\$'}
  workspaces: {prod: USER}
  permissions:
  - {directory: "/Teams/\${team}", level: "\${role == 'rw' and 'CAN_EDIT' or 'CAN_READ'}", in: [prod]}
YAML

etl=$(id_of prod "/api/2.0/workspace/get-status?path=/Shared/etl" .object_id)
teams_etl=$(id_of prod "/api/2.0/workspace/get-status?path=/Teams/etl" .object_id)
teams_ops=$(id_of prod "/api/2.0/workspace/get-status?path=/Teams/ops" .object_id)
dev_etl=$(id_of dev "/api/2.0/workspace/get-status?path=/Shared/etl" .object_id)

run a plan
check_equal "a plan with permissions has changes" 2 "$code"
check "it shows the job's permission with its level" said 'set 1 permission on job "nightly-load": group etl-rw: CAN_MANAGE_RUN'
check "and the one of the group that for_each matched" said 'directory "/Teams/ops": group ops-ro: CAN_READ'
run a apply --auto-approve
check_equal "apply ends well" 0 "$code"
check "a glob of jobs" has_acl prod jobs/4711 "group etl-rw CAN_MANAGE_RUN" "$(acl prod jobs/4711 | grep OWNER)"
check "beside what is there already" has_acl prod "directories/$etl" "group etl-rw CAN_EDIT" "group users CAN_READ"
check "in the other workspace, too" has_acl dev "directories/$dev_etl" "group etl-rw CAN_EDIT"
check "what no rule names is left alone" has_acl prod jobs/4713 "$(acl prod jobs/4713 | grep OWNER)"
check "for each group: one" has_acl prod "directories/$teams_etl" "group etl-rw CAN_EDIT"
check "for each group: another" has_acl prod "directories/$teams_ops" "group ops-ro CAN_READ"
run a plan
check_equal "the second plan is empty" 0 "$code"

start_service a
wait_for 20 is_settled a
add_group dbx-etl-ro cy
check "a new group gets its rights by event" acl_becomes prod "directories/$teams_etl" "group etl-rw CAN_EDIT" "group etl-ro CAN_READ"
printf 'dn: cn=dbx-ops-ro,ou=Groups,%s\nchangetype: delete\n\n' "$base" | ldif
check "a group that goes loses them" acl_becomes prod "directories/$teams_ops"
wait_for 20 is_settled a
stop_service a
before=$(count_requests a '.path | contains("/permissions/")')
start_service a
wait_for 20 is_settled a
check_equal "a restart reads no list again" "$before" "$(count_requests a '.path | contains("/permissions/")')"
stop_service a
run a plan
check_equal "then nothing is left to do" 0 "$code"
done_testing
