#!/usr/bin/env bash
# permissions_strange -- lists of rights that lag, that take a change without effect, that another hand moves on at the same
# time, that have no owner or two, of types that are switched off for a while
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

people_and_groups >"$work/people.ldif"
for who in bo cy; do
	printf '\ndn: cn=give-%s,ou=Groups,%s\nobjectClass: groupOfNames\ncn: give-%s\nmember: uid=ada,ou=People,%s\n' \
		$who "$base" $who "$base"
done >>"$work/people.ldif"
start_slapd --ldif "$work/people.ldif"
guard="{permissions: 100, groups: 10, minimum: 0}"

cat >"$work/objects.json" <<'JSON'
{"prod": {"jobs": [{"name": "raised", "id": "1"}, {"name": "late", "id": "2"}, {"name": "deaf", "id": "3"},
  {"name": "off", "id": "4"}, {"name": "owned", "id": "5"}, {"name": "orphan", "id": "6", "creator": "gone@example.com"}],
  "sql/warehouses": [{"name": "bi", "id": "7"}]}}
JSON
echo '[]' >"$work/faults.json"
make_world a --objects "$work/objects.json" --faults "$work/faults.json"
owner=$(sim_of a .client_id)

faults() {
	cat >"$work/faults.json"
	kill -HUP "${simulator_pid[a]}"
}

drop_group() {
	printf 'dn: cn=%s,ou=Groups,%s\nchangetype: delete\n\n' "$1" "$base" | ldif
}

rules() {
	cat <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
		  through: {base: "ou=Groups,$base", filter: (cn=give-*)}
		  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
		grants:
		- {to: {group: etl-rw}, workspaces: {prod: USER}, entitlements: [workspace-access]}
		- {to: {group: ops-ro}, workspaces: {prod: USER}}
		- {to: {user: bo@example.com}, workspaces: {prod: USER}}
		- {to: {user: cy@example.com}, workspaces: {prod: USER}}
		$*
	YAML
}

job_calls() {
	count_requests a ".path | contains(\"/permissions/jobs/$1\")"
}

changes_of() {
	count_requests a "(.path | contains(\"/permissions/jobs/$1\")) and .method != \"GET\""
}

rules | use_mapping a
run a apply --auto-approve
check_equal "groups and people are there" 0 $code

# ---- owners ----

own() {
	rules "- {to: {user: $1@example.com}, permissions: [{job: owned, level: $2, in: [prod]}]}"
}

own cy IS_OWNER | use_mapping a
run a apply --auto-approve
check "an owner is set" has_acl prod jobs/5 "service $owner CAN_MANAGE" "user cy@example.com IS_OWNER"
{
	own cy IS_OWNER
	echo "- {to: {user: bo@example.com}, permissions: [{job: 'own*', level: IS_OWNER, in: [prod]}]}"
} | use_mapping a
run a plan
check "two owners are refused, with both rules" said 'company.yaml:15 and .*company.yaml:14 name two owners'
run a apply --auto-approve
check_equal "and nothing is done there" 4 $code
check "the owner stays" has_acl prod jobs/5 "service $owner CAN_MANAGE" "user cy@example.com IS_OWNER"
own cy CAN_VIEW | use_mapping a
run a apply --auto-approve
check_equal "the only owner is not lowered" 0 $code
check "he stays" has_acl prod jobs/5 "service $owner CAN_MANAGE" "user cy@example.com IS_OWNER"
run a plan
check "and the plan says why" said 'cy@example.com" stays owner of job "owned"'
{
	own cy CAN_VIEW
	echo "- {to: {user: bo@example.com}, permissions: [{job: owned, level: IS_OWNER, in: [prod]}]}"
} | use_mapping a
echo '{"quirks": {"owner-moves": false}, "rules": []}' | faults
run a apply --auto-approve
check_equal "the owner changes where that has to be said in so many words" 0 $code
check "and the former one has what his rule says" has_acl prod jobs/5 "service $owner CAN_MANAGE" "user bo@example.com IS_OWNER" "user cy@example.com CAN_VIEW"
run a plan
check_equal "then nothing is left to do" 0 $code
echo '{"quirks": {"owner-moves": true}, "rules": []}' | faults

rules "- {to: {group: etl-rw}, permissions: [{job: orphan, level: CAN_VIEW, in: [prod]}]}" | use_mapping a
run a apply --auto-approve
check_equal "a job without owner takes nothing" 4 $code
check "and the reason says what helps" said 'orphan.*has no owner.*gives IS_OWNER'
{
	rules "- {to: {group: etl-rw}, permissions: [{job: orphan, level: CAN_VIEW, in: [prod]}]}"
	echo "- {to: {user: bo@example.com}, permissions: [{job: orphan, level: IS_OWNER, in: [prod]}]}"
} | use_mapping a
run a apply --auto-approve
check_equal "with an owner it does" 0 $code
check "both at once" has_acl prod jobs/6 "group etl-rw CAN_VIEW" "user bo@example.com IS_OWNER"

# ---- what is not there ----

rules "- {to: {group: etl-rw}, permissions: [{job: typo, level: CAN_VIEW, in: [prod]}, {job: 'typo-*', level: CAN_VIEW, in: [prod]}]}" | use_mapping a
run a plan
check "a rule that names what is not there is told of" said 'company.yaml:14: there is no job typo in prod'
check "a glob that matches nothing is not" eval '! grep -q "typo-" "$work/said"'

# ---- levels that cannot be compared ----

set_acl prod sql/warehouses/7 group etl-rw CAN_VIEW
rules "- {to: {group: etl-rw}, permissions: [{sql_warehouse: bi, level: CAN_USE, in: [prod]}]}" | use_mapping a
run a apply --auto-approve
check "CAN_USE beside somebody's CAN_VIEW is CAN_MONITOR" has_acl prod sql/warehouses/7 "group etl-rw CAN_MONITOR" "service $owner IS_OWNER"
run a plan
check_equal "and that is enough" 0 $code
rules | use_mapping a
run a apply --auto-approve
check "what he gave comes back" has_acl prod sql/warehouses/7 "group etl-rw CAN_VIEW" "service $owner IS_OWNER"

# ---- by event ----

give() {
	printf -- "- for_each: {group: '^give-%s\$'}\n  to: {user: %s@example.com}\n  permissions: [%s]\n" "$1" "$1" "$2"
}

{
	rules "$(give bo '{job: raised, level: CAN_VIEW, in: [prod]}, {job: late, level: CAN_VIEW, in: [prod]}, {job: off, level: CAN_VIEW, in: [prod]}')"
	give cy '{job: late, level: CAN_MANAGE_RUN, in: [prod]}'
} | use_mapping a
start_service a
wait_for 20 is_settled a
check "given" has_acl prod jobs/1 "service $owner IS_OWNER" "user bo@example.com CAN_VIEW"
check "two are given" has_acl prod jobs/2 "service $owner IS_OWNER" "user bo@example.com CAN_VIEW" "user cy@example.com CAN_MANAGE_RUN"

# Somebody raises our entry; the read before the removal sees it: it is his now. The list of job 2 lags: its reads show it as
# it was when only bo was in it.
set_acl prod jobs/1 user bo@example.com CAN_MANAGE
echo '{"rules": [{"match": "GET /api/2.0/permissions/jobs/2", "times": 1, "status": 200, "body": {"object_id": "/jobs/2", "object_type": "job",
	"access_control_list": [{"service_principal_name": "'"$owner"'", "all_permissions": [{"permission_level": "IS_OWNER", "inherited": false}]},
		{"user_name": "bo@example.com", "all_permissions": [{"permission_level": "CAN_VIEW", "inherited": false}]}]}}]}' | faults
before=$(job_calls 1)
drop_group give-bo
check "a removal on a list that lags takes away what is ours to take away and no more" acl_becomes prod jobs/2 \
	"service $owner IS_OWNER" "user cy@example.com CAN_MANAGE_RUN"
calls=$(($(job_calls 1) - before))
check "a removal that waits for such a read makes few calls ($calls)" [ "$calls" -le 4 ]
stop_service a
run a apply --auto-approve
check "what another hand raised meanwhile is his" has_acl prod jobs/1 "service $owner IS_OWNER" "user bo@example.com CAN_MANAGE"

# A type is switched off for a while: what is ours stays ours.
{
	rules
	give cy '{job: off, level: CAN_VIEW, in: [prod]}, {job: late, level: CAN_MANAGE_RUN, in: [prod]}'
} | use_mapping a
run a apply --auto-approve
check "given again" has_acl prod jobs/4 "service $owner IS_OWNER" "user cy@example.com CAN_VIEW"
echo '{"rules": [{"match": "* /api/2.0/permissions/jobs/4", "times": 0, "status": 400, "body": {"error_code": "FEATURE_DISABLED", "message": "Jobs are disabled"}}]}' | faults
run a plan
check "a type that is switched off is told of" said 'job .*off".* is not offered in prod'
run a apply --auto-approve
echo '{"rules": []}' | faults
rules | use_mapping a
run a apply --auto-approve
check "once it is back what is ours can go" has_acl prod jobs/4 "service $owner IS_OWNER"

# Databricks says well and does nothing.
rules "- {to: {group: etl-rw}, permissions: [{job: deaf, level: CAN_VIEW, in: [prod]}]}" | use_mapping a
echo '{"rules": [{"match": "PATCH /api/2.0/permissions/jobs/3", "times": 0, "status": 200, "body": {"object_id": "/jobs/3", "object_type": "job", "access_control_list": []}}]}' | faults
run a apply --auto-approve
check_equal "a change that has no effect is told of" 4 $code
check "in words" said 'deaf.*Databricks took the permissions 3 times and does not show them'
check_equal "and not tried for ever" 3 "$(changes_of 3)"
echo '{"rules": []}' | faults
run a apply --auto-approve
check "it is set when it can be" has_acl prod jobs/3 "group etl-rw CAN_VIEW" "service $owner IS_OWNER"

# ---- a rule for each group that cannot be made takes nothing away, from whomever it gives to ----

each() {
	rules "- for_each: {group: '^give-(?<who>cy)\$'}"
	printf '  to: {user: "${who}@example.com"}\n  workspaces: {prod: USER}\n  entitlements: [allow-cluster-create]\n'
	printf '  permissions: [{job: off, level: "%s", in: [prod]}]\n' "$1"
}
seat_of_cy() {
	state_of a | jq -c 'select(.user.userName == "cy@example.com").user.seats | map(.entitlements | sort)'
}
each "CAN_\${upper('view')}" | use_mapping a
run a apply --auto-approve
check "it gives" has_acl prod jobs/4 "service $owner IS_OWNER" "user cy@example.com CAN_VIEW"
given=$(seat_of_cy)
check "an entitlement, too" eval "[[ '$given' == *allow-cluster-create* ]]"
each 'CAN_${upper(cn)}' | use_mapping a
run a apply --auto-approve
check "a level that comes out wrong is told of" said 'CAN_GIVE-CY.* is no level of job'
check "what it gave stays" has_acl prod jobs/4 "service $owner IS_OWNER" "user cy@example.com CAN_VIEW"
check_equal "entitlements as well" "$given" "$(seat_of_cy)"
rules | use_mapping a
run a apply --auto-approve
check "until the rule itself goes" has_acl prod jobs/4 "service $owner IS_OWNER"

# ---- killed while nobody knows whether a write had its effect, and the rule goes before the next start ----

lost() {
	requests_of a "(.path | contains(\"$1\")) and .method != \"GET\" and .t > $since" | grep -q .
}
since=$(monotonic_ns)
echo '{"rules": [{"match": "PATCH /api/2.0/permissions/jobs/4", "fault": "lost-reply", "times": 0},
	{"match": "GET /api/2.0/permissions/jobs/4", "skip": 1, "times": 0, "delay_ms": 20000}]}' | faults
rules "- {to: {group: etl-rw}, permissions: [{job: off, level: CAN_VIEW, in: [prod]}]}" | use_mapping a
start_service a
wait_for 20 lost permissions/jobs/4
stop_service a KILL
echo '{"rules": []}' | faults
check "the effect is there" has_acl prod jobs/4 "group etl-rw CAN_VIEW" "service $owner IS_OWNER"
rules | use_mapping a
run a apply --auto-approve
check_equal "what became of it is settled" 0 $code
check "as ours, and goes with its rule" has_acl prod jobs/4 "service $owner IS_OWNER"

groups_named() {
	state_of a | jq -r 'select(.group.displayName == "late-rw").group.displayName'
}
since=$(monotonic_ns)
echo '{"rules": [{"match": "POST */scim/v2/Groups", "fault": "lost-reply", "times": 0},
	{"match": "GET */scim/v2/Groups*filter*", "times": 0, "delay_ms": 20000}]}' | faults
start_service a
wait_for 20 is_settled a
add_group dbx-late-rw cy
wait_for 20 lost scim/v2/Groups
stop_service a KILL
check_equal "a group is made, and nobody was told" late-rw "$(groups_named)"
echo '{"rules": []}' | faults
drop_group dbx-late-rw
run a apply --auto-approve
check_equal "a group whose entry went meanwhile is settled, too" "" "$(groups_named)"
run a plan
check_equal "then nothing is left to do" 0 $code
done_testing
