#!/usr/bin/env bash
# tokens_service -- what the service does with tokens: it revokes when somebody leaves, joins a group with a lifetime, or the
# sweep's time has come, and what a person asks of it; and nothing in `mode: observe`
# shellcheck source=tokens_world.sh
. "$(dirname "$0")/tokens_world.sh"

seed() {
	seed_user 11 ada
	seed_user 12 bo
	seed_user 13 cy
	seed_user 14 guest
	seed_token prod 11 dapi-ada-old "ada old" 200 300
	seed_token prod 11 dapi-ada-new "ada new" 5 300
	seed_token dev 11 dapi-ada-dev "ada dev" 5 300
	seed_token prod 12 dapi-bo-old "bo old" 200 300
	seed_token prod 12 dapi-bo-new "bo new" 5 300
	seed_token dev 12 dapi-bo-dev "bo dev" 5 300
	seed_token prod 13 dapi-cy-new "cy new" 5 300
	seed_token prod 14 dapi-guest "guest" 400 never
}
guard="{users: 5, groups: 10, tokens: 20, minimum: 2}"
extra='protected: {users: [cy@example.com]}
tokens: {sweep: {at: "03:00"}}'
simulator_options=(--quirk endless-tokens=on)
start_tokens_world
all="ada new,ada old,bo new,bo old,cy new,guest"

member() { # add|delete UID: of etl-rw
	printf 'dn: cn=dbx-etl-rw,ou=Groups,%s\nchangetype: modify\n%s: member\nmember: uid=%s,ou=People,%s\n-\n' \
		"$base" "$1" "$2" "$base" | ldif
}
make_token() { # WORKSPACE SECRET COMMENT: its owner makes another, which never expires
	curl -sf -X POST -H "Authorization: Bearer $2" "$(sim_of a ".workspaces.$1.host")/api/2.0/token/create" \
		-d "{\"comment\": \"$3\"}" | jq -r .token_value
}
settle() {
	start_service a
	wait_for 30 is_settled a
}

# ---- observe ----

# ada's stays: 200 days are allowed. bo's is not hers.
mapping '  tokens: {max_lifetime: 300d}'
run a apply --auto-approve
check_equal "the world is in order" 0 "$code"
extra+='
mode: observe'
write_config a
mapping '  tokens: {max_lifetime: 90d}'
settle
check "mode observe tells" wait_for 10 grep -q 'WOULD CHANGE.*ada old' "$work/a-service.log"
run a tokens sweep --auto-approve
check_equal "takes no order" 78 "$code"
stop_service a
check "and revokes nothing" has_tokens prod "$all"
check_equal "it asks for nothing of the kind" 0 "$(count_revoked)"

# ---- the lifetime of a grant, by event ----

extra=${extra%$'\n'mode: observe}
write_config a
settle
check "the service revokes what a rule names" tokens_become prod "ada new,bo new,bo old,cy new,guest"
member add bo
check "who joins a group with a lifetime loses older tokens at once" tokens_become prod "ada new,bo new,cy new,guest"
check_equal "one each" 2 "$(count_revoked)"

# ---- by a person's word, through the service ----

run a tokens revoke --owner bo@example.com --workspace prod --auto-approve
check_equal "the service takes orders" 0 "$code"
check "and says what became of them" said '1 revoked, 0 failed'
check "it is done when it says so" has_tokens prod "ada new,cy new,guest"
run a tokens revoke --owner cy@example.com --auto-approve
check_equal "protected people's need a word of their own" 1 "$code"
check "else they stay" has_tokens prod "ada new,cy new,guest"
faults '{"match": "DELETE */token-management/tokens/*", "status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no"}, "times": 0}'
run a tokens revoke --owner cy@example.com --include-protected --auto-approve -o json
check_equal "a workspace may refuse" 1 "$code"
check "which is told" jq -e '.failed == 1 and .revoked == 0' "$work/said"
faults ''
run a retry all
check "it goes when it is tried again" tokens_become prod "ada new,guest"
check_equal "the record says by whose word" 2 "$(ldap2dbx_in a audit export | grep -c 'asked for on the command line.*"result":"ok"\|"result":"ok".*asked for on the command line')"

# ---- leavers ----

secret=$(make_token dev dapi-ada-dev "ada late")
check "a token that the service has not seen yet" has_tokens dev "ada dev,ada late,bo dev"
printf 'dn: uid=ada,ou=People,%s\nchangetype: delete\n' "$base" | ldif
check "who leaves loses his tokens" tokens_become prod "guest"
check "in every workspace, also those that he made a moment ago" tokens_become dev "bo dev"
check "whom the directory never knew has not left it" has_tokens prod "guest"
check_equal "they work no more" 403 "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $secret" \
	"$(sim_of a .workspaces.dev.host)/api/2.0/token/list")"
stop_service a

# ---- the clock ----

extra='protected: {users: [cy@example.com]}
tokens: {sweep: {interval: 1s, never_expiring: true}}'
write_config a
mapping ""
settle
check_equal "what everybody may do goes on" 200 "$(curl -s -o /dev/null -w '%{http_code}' \
	-H 'Authorization: Bearer dapi-bo-dev' "$(sim_of a .workspaces.dev.host)/api/2.0/token/list")"
own=$(make_token dev "$(sim_of a .workspaces.dev.token)" "ours")
for n in 1 2; do
	secret=$(make_token dev dapi-bo-dev "bo endless $n")
	check "a token that never expires is made" [ -n "$secret" ]
	check "and goes when the sweep comes, again and again" tokens_become dev "bo dev,ours"
done
check "our own stays" [ -n "$own" ]
check "and whom the directory never knew" has_tokens prod "guest"
check "the log tells of it" grep -q 'sweep of tokens begins' "$work/a-service.log"
stop_service a
done_testing
