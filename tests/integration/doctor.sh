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

account_token() { # CLIENT_ID SECRET
	curl -sf -u "$1:$2" -d 'grant_type=client_credentials&scope=all-apis' \
		"$(sim_of a .account.host)/oidc/accounts/$(sim_of a .account.account_id)/v1/token" | jq -er .access_token
}
in_account() { # METHOD PATH [BODY]
	curl -sf -X "$1" -H "Authorization: Bearer $(account_token "$(sim_of a .client_id)" "$(sim_of a .client_secret)")" \
		${3:+-H "Content-Type: application/json" -d "$3"} "$(sim_of a .account.host)/api/2.0/accounts/$(sim_of a .account.account_id)$2"
}
sign_in_with() { # CLIENT_ID SECRET
	printf '%s' "$2" >"$work/a/databricks-secret"
	sed -i "s|client_id: [^,]*,|client_id: $1,|" "$work/a/ldap2dbx.yaml"
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
check_equal "users, groups and service principals of the account" "ok ok ok" "$(found databricks account read)"
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
run doctor -o csv
check "or as CSV" said '^databricks,account,sign-in,ok,oauth-m2m at http'
stop_service a

in_account POST /scim/v2/Groups '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"local-only"}' >/dev/null
in_workspace prod POST /api/2.0/preview/scim/v2/Groups \
	'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Other-Only"}' >/dev/null
run doctor -o json
check_equal "a workspace's own group is no problem" "0 " "$code $(found databricks prod clash)"
in_workspace prod POST /api/2.0/preview/scim/v2/Groups \
	'{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Local-Only"}' >/dev/null
run doctor -o json
check_equal "unless the account has one of its name" "1 problem" "$code $(found databricks prod clash)"
check "which is named" said 'group \\"Local-Only\\" is the workspace.s own'
run doctor
check_equal "in words, with the same exit status" 1 "$code"
check "a problem is one" said '^  problem  clash: '
check "and is counted" said '^1 problem, '

# ---- sign-ins ----

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
sim_of a .client_secret >"$work/a/databricks-secret"
sed -i "s|^  dev: .*|  dev: {host: http://127.0.0.1:1}|" "$work/a/ldap2dbx.yaml"
run doctor -o json --timeout 5s
check_equal "a workspace that is away" "1 problem ok" "$code $(found databricks dev sign-in) $(found databricks prod sign-in)"
write_config a
run doctor --timeout never
check_equal "a wrong timeout" 64 "$code"

# ---- rights ----

make_service() { # NAME: sets $service (SCIM id), $client and $secret
	service=$(in_account POST /scim/v2/ServicePrincipals \
		"{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal\"],\"displayName\":\"$1\"}" | jq -r '"\(.id) \(.applicationId)"')
	client=${service#* }
	service=${service% *}
	secret=$(in_account POST "/servicePrincipals/$service/credentials/secrets" '{}' | jq -r .secret)
}
assign() { # WORKSPACE LEVEL
	in_account PUT "/workspaces/$(sim_of a ".workspaces.$1.id")/permissionassignments/principals/$service" "{\"permissions\":[\"$2\"]}" >/dev/null
}
make_service nobody
assign prod USER
assign dev ADMIN
sign_in_with "$client" "$secret"
run doctor -o json
check_equal "who is no account admin" "1 ok problem problem" \
	"$code $(found databricks account sign-in) $(found databricks account admin) $(found databricks account write)"
check "is told what is missing" said 'give it the role account_admin'
check_equal "nor an admin of a workspace" "problem problem" "$(found databricks prod permissions) $(found databricks prod tokens)"
check "what is missing there" said 'make it an admin of the workspace'
check_equal "which he is of the other" "ok ok" "$(found databricks dev permissions) $(found databricks dev tokens)"
in_account PATCH "/scim/v2/ServicePrincipals/$service" '{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
	"Operations":[{"op":"add","path":"roles","value":[{"value":"account_admin"}]}]}' >/dev/null
run doctor -o json
check_equal "an account admin who is no admin of the workspaces" "1 ok ok problem" \
	"$code $(found databricks account admin) $(found databricks account write) $(found databricks prod permissions)"

# ---- what ends soon ----

assign prod ADMIN
run doctor -o json
check_equal "a secret that lasts" ok "$(found databricks account expiry)"
short=$(in_account POST "/servicePrincipals/$service/credentials/secrets" '{"lifetime":"259200s"}' | jq -r .secret)
for old in $(in_account GET "/servicePrincipals/$service/credentials/secrets" | jq -r '.secrets | sort_by(.create_time)[0:-1][].id'); do
	in_account DELETE "/servicePrincipals/$service/credentials/secrets/$old" >/dev/null
done
sign_in_with "$client" "$short"
run doctor -o json
check_equal "a secret of ours that ends" warning "$(found databricks account expiry)"
check "is told with its days" said 'the last of our own 1 secrets expires in 2 days'
token=$(in_workspace prod POST /api/2.0/token/create '{"lifetime_seconds": 86400}' | jq -r .token_value)
check_equal "a token was made" dapi "${token:0:4}"
run doctor -o json
check_equal "tokens that end soon" warning "$(found databricks prod expiry)"
check "are counted" said '1 expire within 14 days'
pat=$(curl -sf -X POST -H "Authorization: Bearer $(curl -sf -u "$client:$short" -d 'grant_type=client_credentials&scope=all-apis' \
	"$(sim_of a .workspaces.prod.host)/oidc/v1/token" | jq -er .access_token)" -d '{"lifetime_seconds": 180000}' \
	"$(sim_of a .workspaces.prod.host)/api/2.0/token/create" | jq -r .token_value)
(umask 077 && printf '%s' "$pat" >"$work/a/pat")
sed -i "s|^  prod: .*|  prod: {host: $(sim_of a .workspaces.prod.host), auth: {type: pat, token: file:pat}}|" "$work/a/ldap2dbx.yaml"
run doctor -o json
check "and our own by name" said 'the last of our own 1 tokens expires in 2 days'

# ---- names, other tools, sizes ----

cat >"$work/seed" <<'JSON'
{"workspace":{"name":"prod","id":"6051"}}
{"workspace":{"name":"dev","id":"6052"}}
{"user":{"id":"11","userName":"ada@example.com","externalId":"idp-11"}}
{"group":{"id":"21","displayName":"Sales","externalId":"idp-21"}}
{"group":{"id":"22","displayName":"sales"}}
JSON
jq -n -c 'range(4500) | {group: {id: "\(. + 1000)", displayName: "bulk-\(.)"}}' >>"$work/seed"
stop_process "${simulator_pid[a]}"
rm -rf "$work/a"
make_world a --seed "$work/seed"
run doctor -o json
check_equal "names that differ in case alone" "1 problem" "$code $(found databricks account duplicates)"
check "are told" said '1 groups have the name of another but for upper and lower case, \\"sales\\" for one'
check_equal "whom another tool brings" warning "$(found databricks account external)"
check "are told with what to do" said '1 users and 1 groups have an external id and are not ours, \\"Sales\\" for one: .*only give rights'
check_equal "no identity management" "" "$(found databricks account "identity management")"
check_equal "few groups are left" warning "$(found databricks account budgets)"
check "which is told" said 'groups of the 5000 that one may have'
check_equal "no limits are a warning" warning "$(found configuration limits budgets)"
grep -v bulk- "$work/seed" | grep -v '"sales"' >"$work/seed2"
stop_process "${simulator_pid[a]}"
rm -rf "$work/a"
printf '[{"match": "GET *accounts*/Groups*", "status": 429, "headers": {"Retry-After": "1"}, "body": {"error_code": "REQUEST_LIMIT_EXCEEDED"}, "times": 2}]' >"$work/faults"
make_world a --seed "$work/seed2" --quirk aim=on --faults "$work/faults"
sed -i 's|^limits: off|limits: {share: 50%, account_scim_patch: 9/s}|' "$work/a/ldap2dbx.yaml"
run doctor -o json
check_equal "identity management is a warning" "0 warning" "$code $(found databricks account "identity management")"
check "with what to do" said 'automatic identity management is on: .*\\"Sales\\" for one; let the rules only give rights'
check_equal "a rate above the published one" "ok warning" "$(found configuration limits budgets)"
check "is told" said 'account_scim_patch: 9 a second is more than the 2'
check_equal "that others use the budget" warning "$(found databricks account budgets | xargs -n 1 | grep warning)"
check "is told too" said '2 of our [0-9]* calls were throttled'
use_mapping a <<'YAML'
version: 1
grants:
- to: {group: Sales}
  workspaces: {prod: USER}
YAML
run doctor -o json
check_equal "rules that only give rights go well with it" "info info" \
	"$(found databricks account "identity management") $(found databricks account external)"
done_testing
