# rules_world.sh -- what the tests of rule sets share; to be sourced
# shellcheck shell=bash
#
#   account_call METHOD PATH [BODY]      somebody else asks the account
#   rule_set RESOURCE                    what a rule set says, as ROLE PRINCIPAL lines; RESOURCE "": the account's
#   has_rules RESOURCE LINE...           it says just that; rules_become waits for it
#   add_rule / drop_rule RESOURCE ROLE PRINCIPAL  somebody else gives it, or takes it
#   principal_id KIND NAME               SCIM id at the account; KIND as in the simulator's state
# shellcheck source=permissions_world.sh
. "$(dirname "${BASH_SOURCE[0]}")/permissions_world.sh"

account_call() { # METHOD PATH [BODY]
	local host
	host=$(sim_of a .account.host)
	[ -s "$work/account-token" ] ||
		curl -sf -u "$(sim_of a .client_id):$(sim_of a .client_secret)" -d 'grant_type=client_credentials&scope=all-apis' \
			"$host/oidc/accounts/$(sim_of a .account.account_id)/v1/token" | jq -r .access_token >"$work/account-token"
	curl -sf -X "$1" -H "Authorization: Bearer $(cat "$work/account-token")" ${3:+-d "$3"} "$host$2"
}
rule_set_name() {
	echo "accounts/$(sim_of a .account.account_id)${1:+/$1}/ruleSets/default"
}
rule_set() { # what a rule set says, as ROLE PRINCIPAL lines
	account_call GET "/api/2.0/preview/accounts/$(sim_of a .account.account_id)/access-control/rule-sets?etag=&name=$(rule_set_name "$1")" |
		jq -r '.grant_rules // [] | .[] | .role as $role | .principals[]? | "\($role) \(.)"' | sort
}
has_rules() {
	[ "$(rule_set "$1")" = "$(printf '%s\n' "${@:2}" | sort)" ] || {
		rule_set "$1"
		return 1
	}
}
rules_become() {
	wait_for 20 has_rules "$@" >/dev/null
	has_rules "$@"
}
change_rules() { # RESOURCE FILTER ROLE PRINCIPAL
	local at name
	at="/api/2.0/preview/accounts/$(sim_of a .account.account_id)/access-control/rule-sets"
	name=$(rule_set_name "$1")
	account_call PUT "$at" "$(account_call GET "$at?etag=&name=$name" | jq -c --arg role "$3" --arg who "$4" --arg name "$name" \
		"{name: \$name, rule_set: (.name = \$name | .grant_rules = ((.grant_rules // []) | $2))}")" >/dev/null
}
# shellcheck disable=SC2016 # the names are jq's
add_rule() {
	change_rules "$1" '. + [{role: $role, principals: [$who]}]' "${@:2}"
}
# shellcheck disable=SC2016
drop_rule() {
	change_rules "$1" 'map(if .role == $role then .principals -= [$who] else . end) | map(select(.principals != []))' "${@:2}"
}
principal_id() {
	state_of a | jq -rs --arg kind "$1" --arg name "$2" '.[] | .[$kind] // empty
		| select((.displayName == $name) or (.userName == $name)) | .id'
}
