#!/usr/bin/env bash
# tokens -- whose personal access tokens there are, which go by a grant's lifetime, by the sweep and by a person's word, and
# how many die with a right to use tokens
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

now_ms=$(($(date +%s) * 1000))
day_ms=86400000
seed_token() { # OWNER SECRET COMMENT DAYS_OLD EXPIRY_IN_DAYS|never
	local expiry=-1
	[ "$5" = never ] || expiry=$((now_ms + $5 * day_ms))
	jq -nc --arg owner "$1" --arg secret "$2" --arg comment "$3" --argjson made $((now_ms - $4 * day_ms)) \
		--argjson expiry "$expiry" --arg prod "$prod" --argjson used "$now_ms" '{token: {workspace: $prod, owner: $owner, secret: $secret, comment: $comment,
			creation_time: $made, expiry_time: $expiry, used: $used}}'
}
user() {
	jq -nc --arg id "$1" --arg name "$2@example.com" --arg prod "$prod" \
		'{user: {id: $id, userName: $name, displayName: $name, seats: [{workspace: $prod, level: "USER"}]}}'
}
start_slapd --ldif <(people_and_groups)
# What a simulator begins with, our own sign-in included, and people with tokens.
make_world first
prod=$(sim_of first .workspaces.prod.id)
{
	state_of first
	user 11 ada
	user 12 bo
	user 13 cy
	user 14 guest
	seed_token 11 dapi-ada-old "ada old" 200 300
	seed_token 11 dapi-ada-new "ada new" 5 300
	seed_token 12 dapi-bo-old "bo old" 200 300
	seed_token 13 dapi-cy "cy laptop" 20 never
	seed_token 14 dapi-guest "guest" 400 300
} >"$work/seed"

guard="{users: 5, groups: 10, tokens: 4, minimum: 2}"
make_world a --seed "$work/seed"
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
		  workspaces: {prod: USER}
		$1
	YAML
}
tokens_of() { # what is there, by comment
	local host token
	host=$(sim_of a .workspaces.prod.host)
	token=$(sim_of a .workspaces.prod.token)
	curl -sf -H "Authorization: Bearer $token" "$host/api/2.0/token-management/tokens" |
		jq -r '.token_infos[].comment // ""' | sort | paste -sd, -
}
has_tokens() {
	[ "$(tokens_of)" = "$1" ] || {
		tokens_of
		return 1
	}
}

mapping ""
run a apply --auto-approve
check_equal "people and groups are there" 0 "$code"
check_equal "nobody asked for tokens" 0 "$(count_requests a '(.path | contains("token-management"))')"
all=$(tokens_of)

run a tokens list --workspace prod
check_equal "tokens are listed" 0 "$code"
check "with their owners" said 'ada@example.com  *in .* 200d .*ada old'
check "those that nobody manages are told apart" said 'guest@example.com  *not_managed'
check "one that never expires" said 'cy@example.com  *in .* never '
run a tokens list --workspace prod --owner ADA@example.com --older-than 90d -o csv
check_equal "a list can be narrowed" 0 "$code"
check_equal "and comes as CSV" 2 "$(grep -c . "$work/said")"
run a tokens list -o json
check "or JSON" jq -e '.tokens | map(select(.owner == "bo@example.com" and .state == "in")) | length == 1' "$work/said"

# A right to use tokens that goes takes those who have none besides with it.
mapping '  tokens: {use: true}'
run a apply --auto-approve
check_equal "a right to use tokens is given" 0 "$code"
# In place of `users`, whom everybody belongs to.
curl -sf -X PUT -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" -o /dev/null \
	"$(sim_of a .workspaces.prod.host)/api/2.0/permissions/authorization/tokens" -d '{"access_control_list": [
		{"group_name": "admins", "permission_level": "CAN_MANAGE"}, {"group_name": "etl-rw", "permission_level": "CAN_USE"},
		{"user_name": "bo@example.com", "permission_level": "CAN_USE"}, {"user_name": "cy@example.com", "permission_level": "CAN_USE"},
		{"user_name": "guest@example.com", "permission_level": "CAN_USE"}]}'
check "which others have, too" has_tokens "$all"
mapping '  # no tokens'
run a plan
check "its end shows how many tokens die" said '2 live tokens die with the right to use tokens'
check "and takes nothing else" said '1 to remove'
mapping '  tokens: {use: true}'
run a plan
check_equal "it stays" 0 "$code"

mapping '  tokens: {use: true, max_lifetime: 90d}'
run a plan
check_equal "a lifetime of a grant has changes" 2 "$code"
check "the old token of a member goes" said 'ada old of ada@example.com'
check "for the reason given" said 'older than 90d'
check_equal "that of a stranger to the group does not" 0 "$(grep -c 'bo old' "$work/said")"
run a apply --auto-approve
check_equal "apply revokes" 0 "$code"
check "only that" has_tokens "$(echo "$all" | sed 's/ada old,//')"
run a plan
check_equal "the second plan is empty" 0 "$code"

run a tokens revoke --owner bo@example.com --auto-approve
check_equal "a person may name an owner" 0 "$code"
check "whose tokens go" has_tokens "$(echo "$all" | sed 's/ada old,//; s/bo old,//')"
run a tokens revoke --auto-approve
check_equal "but not nobody" 64 "$code"

extra='tokens: {sweep: {at: "03:00", never_expiring: true, older_than: 365d}}'
write_config a
run a tokens sweep --auto-approve
check_equal "the sweep goes now" 0 "$code"
check "over what never expires, and what is too old" has_tokens "$(echo "$all" | sed 's/ada old,//; s/bo old,//; s/cy laptop,//; s/guest,\?//; s/,$//')"
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
check_equal "and names what was revoked" 4 "$(ldap2dbx_in a audit export | grep -c '"op":"remove_resource"')"
done_testing
