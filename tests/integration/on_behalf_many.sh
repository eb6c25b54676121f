#!/usr/bin/env bash
# on_behalf_many -- tokens for the service principals of many groups by one rule: a first plan shows them, a program takes
# them, one list of a workspace tells of all, and no sweep takes them
# shellcheck source=services_world.sh
. "$(dirname "$0")/services_world.sh"

count_lists() { # WORKSPACE
	local host
	host=$(sim_of a ".workspaces.$1.host")
	count_requests a '.method == "GET" and .path == "/api/2.0/token-management/tokens" and .port == '"${host##*:}"
}

start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, tokens: 5, minimum: 3}"
make_services_world --cloud aws
mkdir "$work/out"
cat >"$work/take" <<SH
#!/bin/sh
test ! -e "$work/refuse" || exit 7
echo "\$*" >>"$work/arguments"
cat >"$work/out/\$1-\$2"
SH
chmod +x "$work/take"
mapping() { # LIFETIME
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
		  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
		service_principals:
		- listed: [{displayName: etl-runner}, {displayName: ops-runner}, {displayName: web-runner}]
		grants:
		- for_each: {group: '^dbx-(?<team>[a-z]+)-(?<role>ro|rw)\$'}
		  to: {service_principal: "\${team}-runner"}
		  workspaces: {"*": USER}
		  tokens:
		    use: true
		    on_behalf_of: {lifetime: "\${role == 'rw' and '$1' or '60d'}", rotate_before: 7d, write_to: "command:$work/take \${team} \${workspace}"}
	YAML
}

mapping 90d
run a plan
check "a first plan shows the tokens of those who are yet to be made" said 'create on behalf token "etl-runner"'
check "and where they go" said "write to .*take ops dev"
check_equal "all of them" 4 "$(grep -c 'create on behalf token' "$work/said")"
run a apply --auto-approve
check_equal "apply makes them in one run" 0 "$code"
for team in etl ops; do
	check "each signs in ($team)" token_signs_in "$work/out/$team-prod"
done
check_equal "a program is told its arguments and no more" "etl dev,etl prod,ops dev,ops prod" "$(sort "$work/arguments" | paste -sd,)"
before=$(count_lists prod)
run a plan
check_equal "the second plan is empty" 0 "$code"
check_equal "by one list of a workspace for all of them" 1 "$(($(count_lists prod) - before))"

# One more group.
add_group dbx-web-ro cy
run a apply --auto-approve
check_equal "a group that comes brings its own" 0 "$code"
check "which signs in" token_signs_in "$work/out/web-prod"

# A program that does not take it.
former=$(tokens_of etl-runner)
touch "$work/refuse"
mapping 120d
sed -i 's/rotate_before: 7d/rotate_before: 91d/; s/60d/100d/' "$work/a/mappings/company.yaml"
run a apply --auto-approve
check_equal "a program that fails is an error" 4 "$code"
check "which is told" said 'ended with status 7'
check_equal "the new one is withdrawn, the old one stays" "$former" "$(tokens_of etl-runner)"
check "and signs in" token_signs_in "$work/out/etl-prod"
check_equal "no trace says it" 0 "$(cat "$work/out/"* >"$work/secrets"; cat "$work/said" "$work/a/state.db"* | grep -a -c -F -f "$work/secrets")"
rm "$work/refuse"
run a apply --auto-approve
check_equal "then it is done" 0 "$code"
check_equal "by another one" 1 "$([ "$former" != "$(tokens_of etl-runner)" ] && tokens_of etl-runner | wc -l)"
check "that signs in" token_signs_in "$work/out/etl-prod"
run a plan
check_equal "and all is well" 0 "$code"

# They are older than what a sweep allows.
managed POST on-behalf-of/tokens "$(jq -nc --arg id "$(service etl-runner applicationId)" '{application_id: $id, comment: "theirs"}')" >/dev/null
state_of a >"$work/state"
stop_process "${simulator_pid[a]}" TERM
jq -c 'if .token.comment | . != null and . != "dbx-sim" then .token.creation_time -= 40 * 86400000 else . end' "$work/state" >"$work/a/databricks.state"
start_world_simulator a --workspace prod --workspace dev
extra='tokens: {sweep: {at: "03:00", older_than: 30d}}'
write_config a
kept=$(managed GET tokens | jq -r '.token_infos[].comment' | grep -c '^ldap2dbx ')
check_equal "those of ours are old" 3 "$kept"
run a tokens sweep --auto-approve
check_equal "a sweep takes what is too old" 0 "$code"
check_equal "of others" 0 "$(tokens_of etl-runner | grep -c theirs)"
check_equal "and none of ours" 3 "$(managed GET tokens | jq -r '.token_infos[].comment' | grep -c '^ldap2dbx ')"
check "which sign in" token_signs_in "$work/out/etl-prod"
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
done_testing
