#!/usr/bin/env bash
# on_behalf_refused -- tokens on behalf that a workspace does not make: each refusal is told with what is to be done, holds
# up nothing else, and is tried again
# shellcheck source=services_world.sh
. "$(dirname "$0")/services_world.sh"

start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, tokens: 5, minimum: 3}"
make_services_world --cloud aws
mkdir "$work/out"
mapping() { # WORKSPACES USE
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		service_principals:
		- listed: [{displayName: loader}]
		- listed: [{displayName: other}]
		  secrets: {lifetime: 2h, rotate_before: 1h, write_to: "file:$work/out/\${displayName}"}
		grants:
		- to: {service_principal: loader}
		  $1
		  tokens: {$2 on_behalf_of: {lifetime: 2h, rotate_before: 1h, write_to: "file:$work/out/\${workspace}-loader"}}
		- to: {service_principal: other}
		  workspaces: {prod: USER}
		  tokens: {use: true, on_behalf_of: {lifetime: 2h, rotate_before: 1h, write_to: "file:$work/out/\${workspace}-other"}}
	YAML
}
rights() { # METHOD ENTRIES
	curl -s -o "$work/answer" -w '%{http_code}' -X "$1" -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" \
		"$(sim_of a .workspaces.prod.host)/api/2.0/permissions/authorization/tokens" -d "{\"access_control_list\": [$2]}"
}
count_asked() {
	count_requests a '.method == "POST" and (.path | contains("on-behalf-of"))'
}
quarantined() { # WORDS
	ldap2dbx_in a status -o json 2>/dev/null | grep -q "$1"
}
admins='{"group_name": "admins", "permission_level": "CAN_MANAGE"}'

# Who may use tokens is no matter of chance: a list without admins is refused, and `users` stay who they are.
check_equal "a list of rights that leaves admins out is refused" 400 "$(rights PUT "")"
check "for that reason" grep -q "Cannot change permissions for group 'admins' to None" "$work/answer"
check_equal "one with nobody else is not" 200 "$(rights PUT "$admins")"

mapping 'workspaces: {prod: USER}' ""
run a apply --auto-approve
check_equal "who may not use tokens gets none, and that is an error" 4 "$code"
check "which says what is missing" said 'loader.* needs CAN_USE on authorization/tokens'
check_equal "nothing was made" 0 "$(tokens_of loader | wc -l)"
check "the others have theirs" token_signs_in "$work/out/prod-other"
check "and their secrets" signs_in other "$(cat "$work/out/other")"
asked=$(count_asked)
start_service a
wait_for 20 is_settled a
check "the service tells it" wait_for 10 quarantined 'needs CAN_USE'
asked_again() {
	[ "$(count_asked)" -gt "$asked" ]
}
check "having asked once" asked_again
check_equal "and not twice: it waits" 1 "$(($(count_asked) - asked))"
check_equal "somebody gives the right" 200 "$(rights PATCH "{\"service_principal_name\": \"$(service loader applicationId)\", \"permission_level\": \"CAN_USE\"}")"
ldap2dbx_in a retry all >/dev/null 2>&1
check "then it is made" wait_for 40 token_signs_in "$work/out/prod-loader"
stop_service a

mapping 'workspaces: {prod: USER}' "use: true,"
run a apply --auto-approve
check_equal "a right that a grant gives is waited for" 0 "$code"
asked=$(count_asked)

# In the account, but not in the workspace.
mapping '# nowhere' ""
run a apply --auto-approve
check_equal "a token where the service principal is not is an error" 4 "$code"
check "which says why" said 'the workspace must know service principal .*loader'
check_equal "it was asked for less and less often" 1 "$(($(count_asked) - asked < 12))"
check "and the others stay" token_signs_in "$work/out/prod-other"

# Azure has no such tokens.
make_world b --cloud azure
use_mapping b <<-YAML
	version: 1
	users:
	- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
	  user: {userName: "\${mail}"}
	service_principals:
	- listed: [{displayName: loader, applicationId: 00000000-0000-4000-8000-000000000001}]
	  secrets: {lifetime: 2h, rotate_before: 1h, write_to: "file:$work/out/azure-\${displayName}"}
	grants:
	- to: {service_principal: loader}
	  workspaces: {prod: USER}
	  tokens: {use: true, on_behalf_of: {lifetime: 2h, rotate_before: 1h, write_to: "file:$work/out/azure-token"}}
YAML
run b apply --auto-approve
check_equal "a workspace that makes no such tokens is an error" 4 "$code"
check "which is told" said 'this workspace makes no tokens on behalf of service principals'
check_equal "after it was asked once" 1 "$(count_requests b '.method == "POST" and (.path | contains("on-behalf-of"))')"
check "all the rest is there" test -s "$work/out/azure-loader"
check_equal "and no token" 1 "$(test -e "$work/out/azure-token" && echo 0 || echo 1)"
done_testing
