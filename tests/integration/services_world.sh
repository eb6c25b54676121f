# services_world.sh -- what the tests of service principals share; to be sourced
# shellcheck shell=bash
#
#   make_services_world [OPTION]...     make_world a, where set_faults FILE makes the simulator follow another fault script
#   account_call METHOD PATH [BODY]     below the account, as its administrator
#   service NAME FIELD                  of the service principal of that displayName
#   secrets_of NAME                     ids of its secrets; policies NAME: its federation policies, one a line
#   signs_in NAME SECRET                whether that is a secret of it
#   managed METHOD PATH [BODY]          token management of prod
#   tokens_of NAME                      comments of its tokens there; token_signs_in FILE: whether the file holds one
# shellcheck source=permissions_world.sh
. "$(dirname "${BASH_SOURCE[0]}")/permissions_world.sh"

make_services_world() {
	echo '[]' >"$work/script.json"
	make_world a --faults "$work/script.json" "$@"
}

set_faults() {
	cp "$1" "$work/script.json"
	kill -HUP "${simulator_pid[a]}"
}

account_token() { # CLIENT_ID SECRET
	curl -sf -u "$1:$2" -d 'grant_type=client_credentials&scope=all-apis' \
		"$(sim_of a .account.host)/oidc/accounts/$(sim_of a .account.account_id)/v1/token" | jq -er .access_token
}

account_call() {
	curl -sf -X "$1" -H "Authorization: Bearer $(account_token "$(sim_of a .client_id)" "$(sim_of a .client_secret)")" \
		${3:+-d "$3"} "$(sim_of a .account.host)/api/2.0/accounts/$(sim_of a .account.account_id)$2"
}

service() {
	account_call GET "/scim/v2/ServicePrincipals" |
		jq -er --arg name "$1" --arg field "$2" '.Resources[] | select(.displayName == $name) | .[$field]'
}

secrets_of() {
	account_call GET "/servicePrincipals/$(service "$1" id)/credentials/secrets" | jq -r '.secrets[]?.id' | sort
}

policies() {
	account_call GET "/servicePrincipals/$(service "$1" id)/federationPolicies" | jq -c '.policies[]?'
}

signs_in() {
	account_token "$(service "$1" applicationId)" "$2" >/dev/null
}

managed() {
	curl -sf -X "$1" -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" ${3:+-d "$3"} \
		"$(sim_of a .workspaces.prod.host)/api/2.0/token-management/$2"
}

tokens_of() {
	managed GET tokens | jq -r --argjson owner "$(service "$1" id)" \
		'.token_infos[]? | select(.owner_id == $owner) | .comment // ""' | sort
}

token_signs_in() {
	curl -sf -o /dev/null -H "Authorization: Bearer $(cat "$1")" "$(sim_of a .workspaces.prod.host)/api/2.0/token/list"
}
