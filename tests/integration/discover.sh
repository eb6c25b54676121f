#!/usr/bin/env bash
# discover -- the account's workspaces become targets without being in the file; a new one gets its rights at the next
# reconcile; without an answer those of the last time count
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com

run() {
	ldap2dbx_in "$@" >"$work/said" 2>&1
	code=$?
}

said() {
	grep -q -e "$1" "$work/said" || {
		cat "$work/said"
		return 1
	}
}

targets() {
	ldap2dbx_in a status -o json 2>/dev/null | jq -r '[.targets[].name] | join(" ")'
}

has_targets() {
	[ "$(targets)" = "$*" ]
}

# The workspaces among those named that know the group.
assigned_in() {
	local name
	for name in "$@"; do
		curl -sf -H "Authorization: Bearer $(sim_of a ".workspaces.$name.token")" \
			"$(sim_of a ".workspaces.$name.host")/api/2.0/preview/scim/v2/Groups" |
			jq -e '.Resources[] | select(.displayName == "etl")' >/dev/null && printf '%s ' "$name"
	done
}

is_assigned() {
	[ -n "$(assigned_in "$1")" ]
}

start_slapd --ldif /dev/stdin <<LDIF
dn: $base
objectClass: organization
objectClass: dcObject
dc: example
o: Example

dn: uid=ada,$base
objectClass: inetOrgPerson
uid: ada
cn: ada
sn: Sample
mail: ada@example.com

dn: cn=dbx-etl,$base
objectClass: groupOfNames
cn: dbx-etl
member: uid=ada,$base
LDIF
make_world a --workspace tests --workspace scratch
use_mapping a <<YAML
version: 1
users:
- search: {source: company, base: "$base", filter: (objectClass=inetOrgPerson)}
  user: {userName: "\${mail}"}
groups:
- search: {source: company, base: "$base", filter: (cn=dbx-*)}
  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
grants:
- to: {group: etl}
  workspaces: {"*": USER}
YAML
# dev stands in the file under a name of its own, so it is not discovered once more.
sed -i -e '/^  prod: /d' -e 's/^  dev: /  mine: /' -e '/^account:/a\  discover: {workspaces: {exclude: [scratch]}}' "$work/a/ldap2dbx.yaml"

run a check
check_equal "check asks nobody" 0 "$code"
run a plan -o json
check_equal "all but what is excluded" "account mine prod tests" \
	"$(jq -r '[.operations[].target] | unique | join(" ")' "$work/said")"
run a plan --out "$work/saved"
run a apply "$work/saved"
check_equal "a plan file knows them" 0 "$code"
check_equal "each was assigned but the one left out" "prod dev tests " "$(assigned_in prod dev tests scratch)"
run a plan
check_equal "the second plan is empty" 0 "$code"

start_service a
check "the service has them" wait_for 20 has_targets account mine prod tests
wait_for 20 is_settled a
ports=("$(sim_of a .account.host)" "$(sim_of a .workspaces.prod.host)" "$(sim_of a .workspaces.dev.host)" "$(sim_of a .workspaces.tests.host)"
	"$(sim_of a .workspaces.scratch.host)")
state_of a >/dev/null
stop_process "${simulator_pid[a]}"
run a plan
check_equal "a command alone does not plan without the list" 1 "$code"
check "and says which" said "the account's list of workspaces"
start_world_simulator a --listen "${ports[0]##*:}" --workspace "prod:${ports[1]##*:}" --workspace "dev:${ports[2]##*:}" \
	--workspace "tests:${ports[3]##*:}" --workspace "scratch:${ports[4]##*:}" --workspace extra
run a sync
check "a workspace that is new is seen at a reconcile" wait_for 20 has_targets account mine extra prod tests
check "and gets what rules say" wait_for 20 is_assigned extra
check "by an engine of its own" grep -q 'other workspaces than before' "$work/a-service.log"
wait_for 20 is_settled a
run a status
check "the socket is there again" said 'following'
stop_service a
kill -STOP "${simulator_pid[a]}"
start_service a
check "nobody waits for an account that is silent: the last list counts" wait_for 10 has_targets account mine extra prod tests
kill -CONT "${simulator_pid[a]}"
check "and is followed as soon as it speaks" wait_for 30 is_settled a
stop_service a
stop_process "${simulator_pid[a]}"
start_service a
check "nor for one that is away" wait_for 10 has_targets account mine extra prod tests
stop_service a

# ---- one that is not in the list any more ----

account_token() {
	curl -sf -u "$(sim_of a .client_id):$(sim_of a .client_secret)" -d 'grant_type=client_credentials&scope=all-apis' \
		"$(sim_of a .account.host)/oidc/accounts/$(sim_of a .account.account_id)/v1/token" | jq -er .access_token
}
ports+=("$(sim_of a .workspaces.extra.host)")
printf '[]' >"$work/faults"
start_world_simulator a --listen "${ports[0]##*:}" --workspace "prod:${ports[1]##*:}" --workspace "dev:${ports[2]##*:}" \
	--workspace "tests:${ports[3]##*:}" --workspace "scratch:${ports[4]##*:}" --workspace "extra:${ports[5]##*:}" --faults "$work/faults"
start_service a
check "all are there again" wait_for 30 is_settled a
printf '[{"match": "GET */workspaces", "times": 0, "status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no"}}]' >"$work/faults"
kill -HUP "${simulator_pid[a]}"
run a sync
says_so() {
	grep -q 'could not be listed; those of the last time count' "$work/a-service.log"
}
check "a list that is refused is told" wait_for 20 says_so
check "and changes nothing" has_targets account mine extra prod tests
printf '[]' >"$work/faults"
kill -HUP "${simulator_pid[a]}"
list=$(curl -sf -H "Authorization: Bearer $(account_token)" \
	"$(sim_of a .account.host)/api/2.0/accounts/$(sim_of a .account.account_id)/workspaces")
jq -n --argjson list "$list" '[{match: "GET */workspaces", times: 0, status: 200,
	body: ($list | map(select(.workspace_name != "extra")))}]' >"$work/faults"
kill -HUP "${simulator_pid[a]}"
: >"$work/a/requests.jsonl"
run a sync
check "a workspace that is not in the list is no target" wait_for 20 has_targets account mine prod tests
check "which is said" grep -q 'not among those of the account any more.*target=extra' "$work/a-service.log"
wait_for 20 is_settled a
check_equal "nothing is taken away" 0 "$(count_requests a '.method == "DELETE" or .method == "PATCH" or .method == "PUT"')"
run a doctor -o json
check_equal "doctor knows it" info "$(jq -r '.checks[] | select(.name == "extra" and .check == "discover") | .state' "$work/said")"
jq -n --argjson list "$list" '[{match: "GET */workspaces", times: 0, status: 200,
	body: ($list | map(if .workspace_name == "extra" then .workspace_name = "renamed" else . end))}]' >"$work/faults"
kill -HUP "${simulator_pid[a]}"
run a sync
check "when it is back it has the name under which it is known" wait_for 20 has_targets account mine extra prod tests
wait_for 20 is_settled a
stop_service a
run a plan
check_equal "and what is ours there is as it was" 0 "$code"
done_testing
