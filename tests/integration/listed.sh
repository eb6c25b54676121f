#!/usr/bin/env bash
# listed -- service principals that a mapping lists without a directory entry: made, granted, kept, and gone with their line
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, minimum: 3}"
make_world a
mapping() {
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		service_principals:
		- listed:
		$1
		$2
	YAML
}
services() {
	dump a | jq -rs '[.[] | select(.kind == "service_principal" and .active) | "\(.displayName) \([.seats[] | .workspace] | join(","))"] | sort | .[]'
}
has_services() {
	[ "$(services)" = "$(printf '%s\n' "${@:1}")" ] || {
		services
		return 1
	}
}
grants='grants:
- to: {service_principal: loader}
  workspaces: {prod: USER}'
mapping '  - {displayName: loader}
  - {displayName: reporter}' "$grants"
run a plan
check_equal "listed service principals are planned" 2 "$code"
run a apply --auto-approve
check_equal "apply makes them" 0 "$code"
check "with what grants give" has_services "loader prod" "reporter "
run a plan
check_equal "the second plan is empty" 0 "$code"
mapping '  - {displayName: loader}' "$grants"
run a plan
check_equal "a line that goes is a leaver" 2 "$code"
run a apply --auto-approve
check "and no longer active" has_services "loader prod"
start_service a
wait_for 20 is_settled a
stop_service a
run a plan
check_equal "the service finds nothing else to do" 0 "$code"
mapping '  - {displayName: loader}
  - {displayName: reporter}' "$grants"
run a apply --auto-approve
check "who comes back is the same" has_services "loader prod" "reporter "
check_equal "and was not made twice" 2 "$(dump a | jq -rs '[.[] | select(.kind == "service_principal")] | length')"
done_testing
