#!/usr/bin/env bash
# doctor -- says what is fine and what is not, writes nothing, and works beside the service
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com

run() {
	ldap2dbx_in a "$@" >"$work/said" 2>&1
	code=$?
}

said() {
	grep -q -e "$1" "$work/said" || {
		cat "$work/said"
		return 1
	}
}

# found AREA NAME CHECK: the states of it
found() {
	jq -r --arg area "$1" --arg name "$2" --arg check "$3" \
		'[.checks[] | select(.area == $area and .name == $name and .check == $check) | .state] | join(" ")' "$work/said"
}

in_workspace() {
	curl -sf -X "$2" -H "Authorization: Bearer $(sim_of a ".workspaces.$1.token")" -H "Content-Type: application/scim+json" \
		"$(sim_of a ".workspaces.$1.host")$3" -d "$4"
}

"$top_srcdir/contrib/demo-company" "$base" >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"
make_world a
run doctor -o json
check_equal "all is well" 0 "$code"
check_equal "the directory is bound" ok "$(found directory company bind)"
check "what searches find is counted" said 'users below .*: 200 entries'
check_equal "the sign-in" "ok ok ok" "$(for t in account prod dev; do found databricks $t sign-in; done | xargs)"
check_equal "users and groups of the account" "ok ok" "$(found databricks account read)"
check_equal "groups may be changed" ok "$(found databricks account write)"
check_equal "rights of a workspace" ok "$(found databricks prod permissions)"
check "its tokens" said '"check": "tokens"'
check_equal "nothing was written" 0 "$(count_requests a '.method != "GET" and .status < 300 and (.path | contains("/oidc/") | not)')"

start_service a
check "a first load" wait_for 30 is_settled a
run doctor
check_equal "beside the service" 0 "$code"
check "in words" said '^  ok  *sign-in: oauth-m2m at http'
check "with a closing line" said '^0 problems, '
stop_service a

in_workspace prod POST /api/2.0/preview/scim/v2/Groups \
	'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Local-Only"}' >/dev/null
run doctor -o json
check_equal "a workspace's own group is no problem" 0 "$code"
printf 'wrong' >"$work/a/ldap-password"
run doctor -o json
check_equal "a wrong password" 1 "$code"
check_equal "is told" "problem false" "$(found directory company bind) $(jq .ok "$work/said")"
check_equal "and the rest is looked at all the same" ok "$(found databricks prod sign-in)"
printf '%s' "$SERVICE_PASSWORD" >"$work/a/ldap-password"
printf 'wrong' >"$work/a/databricks-secret"
run doctor -o json
check_equal "a wrong secret" "1 problem problem" "$code $(found databricks account sign-in) $(found databricks prod sign-in)"
check_equal "is told once for each target" "" "$(found databricks account read)"
run doctor --timeout never
check_equal "a wrong timeout" 64 "$code"
done_testing
