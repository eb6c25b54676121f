#!/usr/bin/env bash
# rule_sets -- a grant makes a group the manager of another and the user of a service principal; what others put there stays
# shellcheck source=rules_world.sh
. "$(dirname "$0")/rules_world.sh"

start_slapd --ldif <(people_and_groups)
guard="{permissions: 50%, groups: 10, minimum: 3}"
make_world a
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
done_testing
