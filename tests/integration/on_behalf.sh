#!/usr/bin/env bash
# on_behalf -- service principals have tokens that sign in where a grant asks for them; they are replaced before they end, go
# with their rule, and those of others stay
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

managed() { # METHOD PATH [BODY]
	curl -sf -X "$1" -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" ${3:+-d "$3"} \
		"$(sim_of a .workspaces.prod.host)/api/2.0/token-management/$2"
}
ours() { # ids of the tokens that were made here
	managed GET tokens | jq -r '.token_infos[]? | select(.comment // "" | startswith("ldap2dbx ")) | .token_id' | sort
}
others() {
	managed GET tokens | jq -r '.token_infos[]? | select(.comment == "theirs") | .token_id'
}
signs_in() { # FILE
	curl -sf -o /dev/null -H "Authorization: Bearer $(cat "$1")" "$(sim_of a .workspaces.prod.host)/api/2.0/token/list"
}
count_made() {
	count_requests a '.method == "POST" and (.path | contains("on-behalf-of"))'
}
was_replaced() { # FORMER
	[ "$(ours | wc -l)" = 1 ] && [ "$(ours)" != "$1" ]
}

start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, tokens: 5, minimum: 3}"
make_world a
mkdir "$work/out"
mapping() { # TOKENS
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		service_principals:
		- listed: [{displayName: loader}]
		grants:
		- to: {service_principal: loader}
		  workspaces: {prod: USER}
		  ${1:+tokens: {$1\}}
	YAML
}
wish() { # LIFETIME ROTATE_BEFORE
	mapping "use: true, on_behalf_of: {lifetime: $1, rotate_before: $2, write_to: \"file:$work/out/\${workspace}-loader\"}"
}
file=$work/out/prod-loader

wish 2h 1h
run a apply --auto-approve
check_equal "one apply makes the service principal and its right to use tokens" 0 "$code"
application=$(state_of a | jq -r 'select(.service_principal.displayName == "loader") | .service_principal.applicationId')
check_equal "a grant that asks for a token gets one" 0 "$code"
check_equal "which is in a file for its owner alone" 600 "$(stat -c %a "$file")"
check "and signs in" signs_in "$file"
check_equal "there is one" 1 "$(ours | wc -l)"
check_equal "made by one call" 1 "$(count_made)"
check_equal "nobody tells it" 0 "$(cat "$work/said" "$work/a/state.db"* | grep -a -c -F -f "$file")"
run a plan
check_equal "the second plan is empty" 0 "$code"

managed POST on-behalf-of/tokens "$(jq -nc --arg id "$application" '{application_id: $id, comment: "theirs"}')" >/dev/null
made=$(count_made)
first=$(ours)
start_service a
wait_for 8 is_settled a
stop_service a
start_service a
wait_for 8 is_settled a
stop_service a
check_equal "a restart makes no other" "$made" "$(count_made)"
check_equal "and keeps the one" "$first" "$(ours)"

cp "$file" "$work/former"
wish 30d 14d
run a apply --auto-approve
check "one that is about to end is replaced" was_replaced "$first"
check "by one that signs in" signs_in "$file"
check_equal "the former one does not any more" 1 "$(signs_in "$work/former" && echo 0 || echo 1)"
check_equal "that of others stays" 1 "$(others | wc -l)"

former=$(ours)
mv "$work/out" "$work/away"
wish 40d 31d
run a apply --auto-approve
check_equal "one that could not be delivered leaves the old one in place" 1 "$(ours | grep -c "$former")"
mv "$work/away" "$work/out"
run a apply --auto-approve
check "until it can be" was_replaced "$former"
check "then it signs in" signs_in "$file"

mapping ""
run a plan
check_equal "a rule that goes takes its token" 2 "$code"
run a apply --auto-approve
check_equal "which is revoked" "" "$(ours)"
check_equal "that of others stays" 1 "$(others | wc -l)"
run a plan
check_equal "then all is well" 0 "$code"
wish 3603s 1h
start_service a
wait_for 12 is_settled a
former=$(ours)
check_equal "a rule that comes back makes one" 1 "$(ours | wc -l)"
wait_for 12 was_replaced "$former"
check "the service replaces it in time" was_replaced "$former"
check "and it signs in" signs_in "$file"
stop_service a
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
done_testing
