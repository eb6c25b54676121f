#!/usr/bin/env bash
# rule_sets -- a grant makes a group the manager of another and the user of a service principal; what others put there stays
# shellcheck source=rules_world.sh
. "$(dirname "$0")/rules_world.sh"

start_slapd --ldif <(people_and_groups)
guard="{permissions: 1000, groups: 10, minimum: 3}"
echo '{"rules": []}' >"$work/faults.json"
make_world a --faults "$work/faults.json"
mapping() {
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
		  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
		$1
	YAML
}
managing='grants:
- to: {group: etl-rw}
  manages: {groups: [ops-ro]}
- to: {user: cy@example.com}
  manages: {groups: [ops-ro]}'
mapping "$managing"
run a plan
check_equal "managers are planned with the groups that they manage" 2 "$code"
check "by name" said 'ops-ro'
run a apply --auto-approve
check_equal "apply gives them" 0 "$code"
group=$(dump a >/dev/null; state_of a | jq -rs '.[] | .group // empty | select(.displayName == "ops-ro") | .id')
base_rules=$(rule_set "groups/$group" | grep -v 'etl-rw\|cy@')
check "in one rule set" has_rules "groups/$group" ${base_rules:+"$base_rules"} "roles/group.manager groups/etl-rw" \
	"roles/group.manager users/cy@example.com"
run a plan
check_equal "the second plan is empty" 0 "$code"
add_rule "groups/$group" roles/group.manager users/bo@example.com
run a plan
check_equal "what others add is no change" 0 "$code"

mapping 'grants:
- to: {group: etl-rw}
  manages: {groups: [ops-ro]}'
run a apply --auto-approve
check_equal "a rule that goes is taken back" 0 "$code"
check "and nothing else" has_rules "groups/$group" ${base_rules:+"$base_rules"} "roles/group.manager groups/etl-rw" \
	"roles/group.manager users/bo@example.com"
mapping 'grants:
- to: {group: etl-rw}
  manages: {groups: [ops-ro]}
- to: {user: bo@example.com}
  manages: {groups: [ops-ro]}'
run a plan
check "what is there already is adopted" said '= '
run a apply --auto-approve
run a plan
check_equal "then nothing is left" 0 "$code"
mapping "$managing"
start_service a
check "the service does the same" rules_become "groups/$group" ${base_rules:+"$base_rules"} "roles/group.manager groups/etl-rw" \
	"roles/group.manager users/cy@example.com"
stop_service a
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
mapping 'grants:
- to: {group: etl-rw}
  manages: {groups: [nobody-knows]}'
run a plan
check "a group that is not there is told" said 'is not in the account'

# ---- several of one name, and entries that Databricks does not take ----

scim="/api/2.0/accounts/$(sim_of a .account.account_id)/scim/v2"
new_service() { # NAME: somebody else makes one; says its application id
	account_call POST "$scim/ServicePrincipals" "$(jq -nc --arg name "$1" \
		'{schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"], displayName: $name, active: true}')" |
		jq -r .applicationId
}
add_rule "groups/$group" roles/group.manager users/bo@example.com
one=$(new_service loader)
mapping 'grants:
- to: {group: etl-rw}
  uses: {service_principals: [loader]}'
run a apply --auto-approve
check_equal "a service principal of others, by its display name" 0 "$code"
base_service=$(rule_set "servicePrincipals/$one" | grep -v etl-rw)
check "has its user" has_rules "servicePrincipals/$one" ${base_service:+"$base_service"} \
	"roles/servicePrincipal.user groups/etl-rw"
start_service a
wait_for 20 is_settled a
stop_service a
check "a restart, at which nobody's names are read, leaves it so" has_rules "servicePrincipals/$one" \
	${base_service:+"$base_service"} "roles/servicePrincipal.user groups/etl-rw"
two=$(new_service loader)
run a plan
check "several of one name are told" said "several service principals of the account are called \"loader\""
check "with the ids that tell them apart" said "$one"
check "of both" said "$two"
check "with the rule" said 'company.yaml:[0-9]*: several'
check "and nothing is taken away for it" has_rules "servicePrincipals/$one" ${base_service:+"$base_service"} \
	"roles/servicePrincipal.user groups/etl-rw"
mapping "grants:
- to: {group: etl-rw}
  uses: {service_principals: [$two]}"
run a apply --auto-approve
check "the id says which" has_rules "servicePrincipals/$two" ${base_service:+"${base_service}"} \
	"roles/servicePrincipal.user groups/etl-rw"
check "and what was given before is taken back" has_rules "servicePrincipals/$one" ${base_service:+"$base_service"}
mapping "grants:
- to: {service_principal: loader}
  manages: {groups: [ops-ro]}
- to: {group: nobody-knows}
  manages: {groups: [ops-ro]}
- to: {user: ada@example.com}
  manages: {groups: [ops-ro]}
- to: {group: etl-rw}
  manages: {groups: [ops-ro]}"
run a plan
check "who is nobody is told with the rule" said 'company.yaml:[0-9]*: the grant names group "nobody-knows", which neither'
check_equal "and not planned for" "" "$(grep 'set .*nobody-knows' "$work/said")"
cat >"$work/faults.json" <<JSON
{"rules": [{"match": "PUT */access-control/rule-sets", "times": 3, "status": 400,
	"body": {"error_code": "INVALID_PARAMETER_VALUE", "message": "Unsupported principal: groups/"}}]}
JSON
kill -HUP "${simulator_pid[a]}"
run a apply --auto-approve
check "so is one whom Databricks may not know by that name" said 'nobody-knows'
check "several that might get a role are told" said "name the one to be given a role by its application id"
check "one entry that Databricks refuses is told" said 'Unsupported principal'
check "and keeps nothing from the others" has_rules "groups/$group" \
	${base_rules:+"$base_rules"} "roles/group.manager groups/etl-rw" "roles/group.manager users/bo@example.com"

# ---- renamed groups ----

mapping 'grants:
- to: {group: etl-rw}
  manages: {groups: [ops-ro]}'
run a apply --auto-approve
printf 'dn: cn=dbx-etl-rw,ou=Groups,%s\nchangetype: modrdn\nnewrdn: cn=dbx-etl-all\ndeleteoldrdn: 1\n\n' "$base" | ldif
mapping 'grants:
- to: {group: etl-all}
  manages: {groups: [ops-ro]}'
run a apply --auto-approve
check_equal "a group is renamed" 0 "$code"
check "its role is as it was" has_rules "groups/$group" ${base_rules:+"$base_rules"} \
	"roles/group.manager groups/etl-all" "roles/group.manager users/bo@example.com"
run a plan
check_equal "and nothing is left to do" 0 "$code"
printf 'dn: cn=dbx-etl-all,ou=Groups,%s\nchangetype: modrdn\nnewrdn: cn=dbx-etl-rw\ndeleteoldrdn: 1\n\n' "$base" | ldif
run a apply --auto-approve
run a apply --auto-approve
check "named by no rule any more, it loses the role under its new name" has_rules "groups/$group" \
	${base_rules:+"$base_rules"} "roles/group.manager users/bo@example.com"

# ---- the account's own roles ----

add_rule "" roles/marketplace.admin users/bo@example.com
add_rule "" roles/billing.admin users/cy@example.com
account_roles=$(rule_set "")
mapping 'grants:
- to: {group: etl-rw}
  roles: [billing.admin]'
run a plan
check "a role of the account" said 'the account'
run a apply --auto-approve
check "is given beside those of others" eval 'rule_set "" | grep -qx "roles/billing.admin groups/etl-rw"'
check_equal "which stay" "$account_roles" "$(rule_set "" | grep -v etl-rw)"
run a plan
check_equal "then nothing is left" 0 "$code"
mapping ''
run a apply --auto-approve
check_equal "and is taken back alone" "$account_roles" "$(rule_set "")"

# ---- by another hand, and many at once ----

cat >"$work/faults.json" <<JSON
{"rules": [{"match": "PUT */access-control/rule-sets", "fault": "patch-conflict"},
	{"match": "PUT */access-control/rule-sets", "status": 412, "body": {"error_code": "RESOURCE_CONFLICT", "message": "etag"}}]}
JSON
kill -HUP "${simulator_pid[a]}"
of_group() { # METHOD: the calls about the rule set of the group
	if [ "$1" = PUT ]; then
		count_requests a '.method == "PUT" and (.path | contains("rule-sets"))'
	else
		count_requests a ".method == \"GET\" and (.path | contains(\"rule-sets\") and contains(\"$group\"))"
	fi
}
writes=$(of_group PUT) reads=$(of_group GET)
mapping "$managing"
run a apply --auto-approve
check_equal "another writer who is faster" 0 "$code"
check_equal "means to write again" 3 "$(($(of_group PUT) - writes))"
check_equal "after one more look each time, and no more" 4 "$(($(of_group GET) - reads))"
start_service a
wait_for 20 is_settled a
drop_rule "groups/$group" roles/group.manager groups/etl-rw
ldap2dbx_in a sync >/dev/null
check "what somebody else takes is given anew" rules_become "groups/$group" ${base_rules:+"$base_rules"} \
	"roles/group.manager groups/etl-rw" "roles/group.manager users/bo@example.com" "roles/group.manager users/cy@example.com"
check_equal "after a second look, and told once" 1 "$(grep -c 'drift: a rule set lost' "$work/a-service.log")"
stop_service a
guard='{permissions: 1, groups: 10, minimum: 0}'
write_config a
mapping ''
run a apply --auto-approve
check_equal "roles that go are counted by the guard" 3 "$code"
check "and held" has_rules "groups/$group" ${base_rules:+"$base_rules"} "roles/group.manager groups/etl-rw" \
	"roles/group.manager users/bo@example.com" "roles/group.manager users/cy@example.com"
done_testing
