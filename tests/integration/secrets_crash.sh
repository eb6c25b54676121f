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
RANDOM=${SEED:-$$}
echo "seed ${SEED:-$$}"

random_nap() {
	sleep "0.$(printf '%03d' $((RANDOM % 1000)))"
}

cat >"$work/faults.json" <<'JSON'
{"seed": 1, "rules": [
 {"match": "POST *credentials/secrets", "fault": "lost-reply", "probability": 0.4},
 {"match": "DELETE *credentials/secrets/*", "fault": "lost-reply", "probability": 0.2},
 {"match": "POST *federationPolicies*", "fault": "lost-reply", "probability": 0.3},
 {"match": "PATCH *federationPolicies*", "fault": "lost-reply", "probability": 0.3},
 {"match": "POST *on-behalf-of/tokens", "fault": "lost-reply", "probability": 0.4},
 {"match": "DELETE *token-management/tokens/*", "fault": "lost-reply", "probability": 0.2}]}
JSON
echo '[]' >"$work/calm.json"
start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, tokens: 100, permissions: 100, minimum: 10}"
cp "$work/calm.json" "$work/script.json"
make_world a --latency 20 --faults "$work/script.json"
mkdir "$work/out"
cat >"$work/take" <<SH
#!/bin/sh
cat >"$work/out/.\$1.\$\$" && mv "$work/out/.\$1.\$\$" "$work/out/\$1"
SH
chmod +x "$work/take"
set_faults() {
	cp "$1" "$work/script.json"
	kill -HUP "${simulator_pid[a]}"
}
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

# One of ours that was handed over and signs in, and that of others.
is_well() { # NAME
	[ "$(secrets_of "$1" | wc -l)" = 2 ] && secrets_of "$1" | grep -q "${theirs[$1]}" &&
		signs_in "$1" "$(cat "$work/out/$1")" && token_signs_in "$work/out/prod-$1" &&
		[ "$(tokens_of "$1" | grep -c '^ldap2dbx ')" = 1 ] && [ "$(tokens_of "$1" | grep -c '^theirs$')" = 1 ] &&
		[ "$(policies "$1" | jq -r .oidc_policy.subject)" = "$wanted/$1" ]
}
all_are_well() {
	local name
	for name in "${services[@]}"; do
		is_well "$name" 2>/dev/null || return 1
	done
}
tell() {
	local name
	for name in "${services[@]}"; do
		echo "$name: secrets $(secrets_of "$name" | paste -sd' '), theirs ${theirs[$name]}, tokens" \
			"$(tokens_of "$name" | paste -sd,), policies $(policies "$name")"
	done
}
end_well() { # WHAT
	start_service a
	check "$1" wait_for 40 all_are_well || tell
	check "and it settles" wait_for 20 is_settled a
	stop_service a
	run a plan
	check_equal "then nothing is left to do" 0 "$code"
}

mapping "" "" ""
run a apply --auto-approve
check_equal "service principals are made" 0 "$code"
declare -A theirs=()
for name in "${services[@]}"; do
	theirs[$name]=$(account_call POST "/servicePrincipals/$(service "$name" id)/credentials/secrets" '{}' | jq -r .id)
	managed POST on-behalf-of/tokens "$(jq -nc --arg id "$(service "$name" applicationId)" '{application_id: $id, comment: "theirs"}')" >/dev/null
done

set_faults "$work/faults.json"
wanted=repo
mapping "lifetime: 2h, rotate_before: 1h" "$(policy repo)" "lifetime: 2h, rotate_before: 1h"
for ((i = 0; i < kills / 2; i++)); do
	start_service a
	random_nap
	stop_service a KILL
done
end_well "given, with $((kills / 2)) kills"
cp -r "$work/out" "$work/former"

wanted=tree
mapping "lifetime: 30d, rotate_before: 14d" "$(policy tree)" "lifetime: 30d, rotate_before: 14d"
for ((i = 0; i < kills / 2; i++)); do
	start_service a
	random_nap
	stop_service a KILL
done
end_well "replaced, with $((kills / 2)) kills"
check_equal "by others than before" 0 "$(cd "$work/former" && for file in *; do cmp -s "$file" "$work/out/$file" && echo "$file"; done | wc -l)"
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
check_equal "nobody tells a secret" 0 "$(cat "$work"/out/* >"$work/secrets"; cat "$work/said" "$work/a-service.log" "$work/a/state.db"* |
	grep -a -c -F -f "$work/secrets")"
done_testing
