# tokens_world.sh -- what the tests of tokens share; to be sourced
# shellcheck shell=bash
#
#   seed_token WORKSPACE OWNER SECRET COMMENT DAYS_OLD EXPIRY_IN_DAYS|never   lines of a seed file for the simulator
#   seed_user ID NAME                       with seats in prod and dev
#   start_tokens_world                      world a: people, groups and what the test's `seed` says; with $simulator_options
#   mapping GRANT LINES                     people, groups and a grant to etl-rw with those lines
#   tokens_of [WORKSPACE]                   comments of what is there, sorted, with commas; has_tokens WORKSPACE LIST,
#                                           tokens_become WORKSPACE LIST waits for it
#   faults RULES                            of the simulator from now on
#   managed WORKSPACE METHOD PATH [BODY]    as an admin
# shellcheck source=permissions_world.sh
. "$(dirname "${BASH_SOURCE[0]}")/permissions_world.sh"

now_ms=$(($(date +%s) * 1000))
day_ms=86400000
prod='' dev=''
simulator_options=()

seed_token() {
	local expiry=-1 workspace=$prod
	[ "$1" = prod ] || workspace=$dev
	[ "$6" = never ] || expiry=$((now_ms + $6 * day_ms))
	jq -nc --arg workspace "$workspace" --arg owner "$2" --arg secret "$3" --arg comment "$4" \
		--argjson made $((now_ms - $5 * day_ms)) --argjson expiry "$expiry" --argjson used "$now_ms" \
		'{token: {workspace: $workspace, owner: $owner, secret: $secret, comment: $comment,
			creation_time: $made, expiry_time: $expiry, used: $used}}'
}

seed_user() {
	jq -nc --arg id "$1" --arg name "$2@example.com" --arg prod "$prod" --arg dev "$dev" \
		'{user: {id: $id, userName: $name, displayName: $name,
			seats: [{workspace: $prod, level: "USER"}, {workspace: $dev, level: "USER"}]}}'
}

# Calls `seed`, which the test has, for the lines.
start_tokens_world() {
	start_slapd --ldif <(people_and_groups)
	# What a simulator begins with, our own sign-in included.
	make_world first
	prod=$(sim_of first .workspaces.prod.id)
	dev=$(sim_of first .workspaces.dev.id)
	{
		state_of first
		seed
	} >"$work/seed"
	echo '[]' >"$work/faults"
	make_world a --seed "$work/seed" --faults "$work/faults" "${simulator_options[@]}"
}

# They hold from the return on: a rule that only we ask for says so.
fault_round=0
faults_hold() {
	[ "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" \
		"$(sim_of a .workspaces.prod.host)/probe/$fault_round")" = 418 ]
}
faults() {
	fault_round=$((fault_round + 1))
	printf '[{"match": "GET /probe/%s", "status": 418, "body": {}, "times": 0}%s]\n' "$fault_round" "${1:+, $1}" >"$work/faults"
	kill -HUP "${simulator_pid[a]}"
	wait_for 10 faults_hold
}

mapping() {
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
		  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
		grants:
		- to: {group: etl-rw}
		  workspaces: {"*": USER}
		$1
	YAML
}

managed() {
	curl -sf -X "$2" -H "Authorization: Bearer $(sim_of a ".workspaces.$1.token")" ${4:+-d "$4"} \
		"$(sim_of a ".workspaces.$1.host")$3"
}

tokens_of() {
	managed "${1:-prod}" GET /api/2.0/token-management/tokens |
		jq -r '.token_infos[]?.comment // "" | select(. != "dbx-sim")' | sort | paste -sd, -
}

has_tokens() {
	[ "$(tokens_of "$1")" = "$2" ] || {
		tokens_of "$1"
		return 1
	}
}

tokens_become() {
	wait_for 20 has_tokens "$@" >/dev/null
	has_tokens "$@"
}

# Who may use tokens, besides admins, in place of `users`, whom everybody belongs to: NAME of a group or a userName.
may_use_tokens() { # WORKSPACE NAME...
	local entries='{"group_name": "admins", "permission_level": "CAN_MANAGE"}' name
	for name in "${@:2}"; do
		case $name in
		*@*) entries+=", {\"user_name\": \"$name\", \"permission_level\": \"CAN_USE\"}" ;;
		*) entries+=", {\"group_name\": \"$name\", \"permission_level\": \"CAN_USE\"}" ;;
		esac
	done
	managed "$1" PUT /api/2.0/permissions/authorization/tokens "{\"access_control_list\": [$entries]}" >/dev/null
}

count_revoked() {
	count_requests a '.method == "DELETE" and (.path | contains("token-management/tokens"))'
}
