#!/usr/bin/env bash
# secrets -- service principals have secrets that sign in, in a file or given to a program; they are replaced before they end,
# and those of others stay
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

account_token() { # CLIENT_ID SECRET
	curl -sf -u "$1:$2" -d 'grant_type=client_credentials&scope=all-apis' \
		"$(sim_of a .account.host)/oidc/accounts/$(sim_of a .account.account_id)/v1/token" | jq -er .access_token
}
account_call() { # METHOD PATH [BODY]
	curl -sf -X "$1" -H "Authorization: Bearer $(account_token "$(sim_of a .client_id)" "$(sim_of a .client_secret)")" \
		${3:+-d "$3"} "$(sim_of a .account.host)/api/2.0/accounts/$(sim_of a .account.account_id)$2"
}
service() { # NAME FIELD
	account_call GET "/scim/v2/ServicePrincipals" | jq -er --arg name "$1" --arg field "$2" '.Resources[] | select(.displayName == $name) | .[$field]'
}
secrets_of() {
	account_call GET "/servicePrincipals/$(service "$1" id)/credentials/secrets" | jq -r '.secrets[]?.id' | sort
}
policies() {
	account_call GET "/servicePrincipals/$(service loader id)/federationPolicies" | jq -c '.policies[]?'
}
signs_in() { # NAME SECRET
	account_token "$(service "$1" applicationId)" "$2" >/dev/null
}

start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, tokens: 5, minimum: 3}"
make_world a
mkdir "$work/out"
cat >"$work/take" <<SH
#!/bin/sh
test ! -e $work/refuse || exit 3
cat >"$work/out/\$1"
SH
chmod +x "$work/take"
mapping() { # LIFETIME ROTATE_BEFORE [SINK OF REPORTER]
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		service_principals:
		- listed: [{displayName: loader}]
		  secrets: {lifetime: $1, rotate_before: $2, write_to: "file:$work/out/\${displayName}"}
		  $(cat "$work/policies")
		- listed: [{displayName: reporter}]
		  ${3-"secrets: {lifetime: $1, rotate_before: $2, write_to: \"command:$work/take \${displayName}\"}"}
	YAML
}
echo 'federation_policies: [{policy_id: ci, issuer: "https://idp.example.com", subject: "repo/${displayName}"}]' >"$work/policies"
mapping 2h 1h
run a apply --auto-approve
check_equal "apply makes service principals with secrets" 0 "$code"
check_equal "one in a file" 600 "$(stat -c %a "$work/out/loader")"
check "which signs in" signs_in loader "$(cat "$work/out/loader")"
check "one was given to a program" signs_in reporter "$(cat "$work/out/reporter")"
check_equal "nobody tells them" 0 "$(cat "$work/said" "$work/a/state.db"* | grep -a -c -F -f "$work/out/loader")"
run a plan
check_equal "the second plan is empty" 0 "$code"

check_equal "a federation policy is made" "repo/loader" "$(policies | jq -r .oidc_policy.subject)"
account_call POST "/servicePrincipals/$(service loader id)/federationPolicies?policy_id=theirs" \
	'{"oidc_policy": {"issuer": "https://other.example.com", "subject": "x"}}' >/dev/null
echo 'federation_policies: [{policy_id: ci, issuer: "https://idp.example.com", subject: "repo/${displayName}", audiences: [b, a]},
    {policy_id: theirs, issuer: "https://idp.example.com", subject: "y"}]' >"$work/policies"
mapping 2h 1h
run a plan
check "one that others made is left alone" said 'somebody else made a federation policy "theirs"'
run a apply --auto-approve
check_equal "one of ours is changed" '["a","b"]' "$(policies | jq -c 'select(.policy_id == "ci") | .oidc_policy.audiences | sort')"
run a plan
check_equal "then all is well" 0 "$code"
echo 'federation_policies: []' >"$work/policies"
mapping 2h 1h
run a apply --auto-approve
check_equal "and goes without its line" theirs "$(policies | jq -r .policy_id)"

first=$(secrets_of loader)
check_equal "each has one" 1 "$(echo "$first" | wc -l)"
foreign=$(account_call POST "/servicePrincipals/$(service loader id)/credentials/secrets" '{}' | jq -r .id)
mapping 30d 14d
touch "$work/refuse"
run a apply --auto-approve
rm "$work/refuse"
check "one that is about to end is replaced" signs_in loader "$(cat "$work/out/loader")"
check_equal "the former one goes, that of others stays" 2 "$(secrets_of loader | wc -l)"
check "which is so" grep -q "$foreign" <(secrets_of loader)
check_equal "and the first is gone" 0 "$(secrets_of loader | grep -c "$first")"
check "one that was not delivered leaves the old one in place" signs_in reporter "$(cat "$work/out/reporter")"
run a apply --auto-approve
check_equal "and is made anew" 0 "$code"
check "until it is" signs_in reporter "$(cat "$work/out/reporter")"
check_equal "with nothing left behind" 1 "$(secrets_of reporter | wc -l)"
start_service a
wait_for 20 is_settled a
stop_service a
run a plan
check_equal "the service finds nothing to do" 0 "$code"

mapping 30d 14d ""
run a plan
check "a rule that goes takes its secret" said 'remove.*secret\|- secret'
run a apply --auto-approve
check_equal "which is deleted" 0 "$(secrets_of reporter | grep -c .)"
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
done_testing
