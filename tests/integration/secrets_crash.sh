#!/usr/bin/env bash
# secrets_crash -- kill -9 at random moments while service principals get secrets, federation policies and tokens, and
# Databricks loses answers after their effect: in the end each has one of ours that signs in and was handed over, none of ours
# is left over, and nothing of others is lost
#
# usage: secrets_crash.sh [KILLS]
# shellcheck source=services_world.sh
. "$(dirname "$0")/services_world.sh"

kills=${1:-12}
services=(loader reporter keeper sorter)
seed_naps

cat >"$work/faults.json" <<'JSON'
{"seed": 1, "rules": [
 {"match": "POST *credentials/secrets", "fault": "lost-reply", "probability": 0.4},
 {"match": "DELETE *credentials/secrets/*", "fault": "lost-reply", "probability": 0.2},
 {"match": "POST *federationPolicies*", "fault": "lost-reply", "probability": 0.3},
 {"match": "PATCH *federationPolicies*", "fault": "lost-reply", "probability": 0.3},
 {"match": "POST *on-behalf-of/tokens", "fault": "lost-reply", "probability": 0.4},
 {"match": "DELETE *token-management/tokens/*", "fault": "lost-reply", "probability": 0.2}]}
JSON
start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, tokens: 100, permissions: 100, minimum: 10}"
make_services_world --latency 20
mkdir "$work/out"
cat >"$work/take" <<SH
#!/bin/sh
cat >"$work/out/.\$1.\$\$" && mv "$work/out/.\$1.\$\$" "$work/out/\$1"
SH
chmod +x "$work/take"
secrets_to() { # SINK
	[ -z "$secrets" ] || echo "secrets: {$secrets, write_to: \"$1\"}"
}
grant_of() { # NAME
	echo "- {to: {service_principal: $1}, workspaces: {prod: USER}"
	[ -z "$tokens" ] || echo "   , tokens: {use: true, on_behalf_of: {$tokens, write_to: \"file:$work/out/\${workspace}-$1\"}}"
	echo "  }"
}
mapping() { # SECRETS POLICIES TOKENS
	local secrets=$1 tokens=$3
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		service_principals:
		- listed: [{displayName: loader}, {displayName: reporter}]
		  $(secrets_to "file:$work/out/\${displayName}")
		  $2
		- listed: [{displayName: keeper}, {displayName: sorter}]
		  $(secrets_to "command:$work/take \${displayName}")
		  $2
		grants:
		$(for name in "${services[@]}"; do grant_of "$name"; done)
	YAML
}
policy() { # SUBJECT
	echo "federation_policies: [{policy_id: ci, issuer: \"https://idp.example.com\", subject: \"$1/\${displayName}\"}]"
}

# Whatever a service principal has, one a line.
# shellcheck disable=SC2016 # the names are jq's
given_now() {
	state_of a | jq -rs '([.[] | .service_principal // empty | {key: .id, value: .displayName}] | from_entries) as $names
		| .[] | (to_entries[0] | select(.key | IN("secret", "token", "federation_policy"))) as {key: $kind, value: $it}
		| $names[$it.owner] | select(. != "dbx-sim admin") | . + " " + $kind + " " + ($it.secret // $it.oidc_policy.subject)' | sort
}
# One of ours that was handed over, and those of others.
given_well() {
	local name
	{
		cat "$work/theirs"
		for name in "${services[@]}"; do
			echo "$name secret $(cat "$work/out/$name")"
			echo "$name token $(cat "$work/out/prod-$name")"
			echo "$name federation_policy $wanted/$name"
		done
	} 2>/dev/null | sort
}
handed_over() {
	cat "$work/out/"*
}
all_are_well() {
	given_now >"$work/now"
	given_well >"$work/well"
	cmp -s "$work/now" "$work/well" && ! handed_over | grep -q -F -f "$work/former"
}
end_well() { # WHAT
	start_service a
	wait_for 40 all_are_well
	check "$1" diff "$work/well" "$work/now"
	check "and it settles" wait_for 20 is_settled a
	stop_service a
	run a plan
	check_equal "then nothing is left to do" 0 "$code"
}

mapping "" "" ""
run a apply --auto-approve
check_equal "service principals are made" 0 "$code"
for name in "${services[@]}"; do
	account_call POST "/servicePrincipals/$(service "$name" id)/credentials/secrets" '{}' >/dev/null
	managed POST on-behalf-of/tokens "$(jq -nc --arg id "$(service "$name" applicationId)" '{application_id: $id}')" >/dev/null
done
given_now >"$work/theirs"
check_equal "others give them something, too" 8 "$(wc -l <"$work/theirs")"

: >"$work/former"
set_faults "$work/faults.json"
wanted=repo
mapping "lifetime: 2h, rotate_before: 1h" "$(policy repo)" "lifetime: 2h, rotate_before: 1h"
for ((i = 0; i < kills / 2; i++)); do
	start_service a
	random_nap 1000
	stop_service a KILL
done
end_well "given, with $((kills / 2)) kills"
handed_over >"$work/former"

wanted=tree
mapping "lifetime: 30d, rotate_before: 14d" "$(policy tree)" "lifetime: 30d, rotate_before: 14d"
for ((i = 0; i < kills / 2; i++)); do
	start_service a
	random_nap 1000
	stop_service a KILL
done
end_well "replaced, with $((kills / 2)) kills"
check_equal "by others than before" 0 "$(handed_over | grep -c -F -f "$work/former")"
check "which sign in" signs_in keeper "$(cat "$work/out/keeper")"
check "tokens, too" token_signs_in "$work/out/prod-keeper"
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
check_equal "nobody tells a secret" 0 "$(handed_over >"$work/secrets"; cat "$work/said" "$work/a-service.log" "$work/a/state.db"* |
	grep -a -c -F -f "$work/secrets")"
done_testing
