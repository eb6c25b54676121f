#!/usr/bin/env bash
# secrets -- service principals have secrets that sign in, in a file or given to a program; they are replaced before they end,
# and those of others stay
# shellcheck source=services_world.sh
. "$(dirname "$0")/services_world.sh"

start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, tokens: 5, minimum: 3}"
make_services_world --cloud aws
mkdir "$work/out"
cat >"$work/take" <<SH
#!/bin/sh
test ! -e $work/refuse || exit 3
echo "\$*" >>"$work/arguments"
cat >"$work/out/\$1"
SH
chmod +x "$work/take"
secrets_made() {
	count_requests a '(.method == "POST" and (.path | endswith("credentials/secrets")))'
}
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
run a plan --out "$work/plan.json"
check_equal "the first plan has changes" 2 "$code"
check "it shows the secrets of those who are yet to be made" said 'create secret "reporter"'
check "and where they go" said "$work/out/loader"
check "and their federation policies" said 'create federation policy "ci of loader"'
check_equal "and needs no look at what is not there" 0 "$(count_requests a '(.path | contains("/servicePrincipals/null") or contains("credentials/secrets"))')"
run a apply "$work/plan.json"
check_equal "the file of that plan makes all of it in one run" 0 "$code"
check_equal "one in a file" 600 "$(stat -c %a "$work/out/loader")"
check "which signs in" signs_in loader "$(cat "$work/out/loader")"
check "one was given to a program" signs_in reporter "$(cat "$work/out/reporter")"
check_equal "nobody tells them" 0 "$(cat "$work/said" "$work/a/state.db"* | grep -a -c -F -f "$work/out/loader")"
run a plan
check_equal "the second plan is empty" 0 "$code"

check_equal "a federation policy is made" "repo/loader" "$(policies loader | jq -r .oidc_policy.subject)"
account_call POST "/servicePrincipals/$(service loader id)/federationPolicies?policy_id=theirs" \
	'{"oidc_policy": {"issuer": "https://other.example.com", "subject": "x"}}' >/dev/null
echo 'federation_policies: [{policy_id: ci, issuer: "https://idp.example.com", subject: "repo/${displayName}", audiences: [b, a]},
    {policy_id: theirs, issuer: "https://idp.example.com", subject: "y"}]' >"$work/policies"
mapping 2h 1h
run a plan
check "one that others made is left alone" said 'somebody else made a federation policy "theirs"'
run a apply --auto-approve
check_equal "one of ours is changed" '["a","b"]' "$(policies loader | jq -c 'select(.policy_id == "ci") | .oidc_policy.audiences | sort')"
run a plan
check_equal "then all is well" 0 "$code"
echo 'federation_policies: []' >"$work/policies"
mapping 2h 1h
run a apply --auto-approve
check_equal "and goes without its line" theirs "$(policies loader | jq -r .policy_id)"

first=$(secrets_of loader)
check_equal "each has one" 1 "$(echo "$first" | wc -l)"
foreign=$(account_call POST "/servicePrincipals/$(service loader id)/credentials/secrets" '{}' | jq -r .id)
mapping 30d 14d
chmod -x "$work/take"
before=$(secrets_made)
run a apply --auto-approve
check_equal "a program that cannot be run is an error" 4 "$code"
check "which is told" said "cannot run the program for the secret, .*/take"
check_equal "and no secret is made for it" $((before + 1)) "$(secrets_made)"
chmod +x "$work/take"
touch "$work/refuse"
run a apply --auto-approve
rm "$work/refuse"
check "one that is about to end is replaced" signs_in loader "$(cat "$work/out/loader")"
check_equal "the former one goes, that of others stays" 2 "$(secrets_of loader | wc -l)"
check "which is so" grep -q "$foreign" <(secrets_of loader)
check_equal "and the first is gone" 0 "$(secrets_of loader | grep -c "$first")"
check_equal "a program that fails is an error" 4 "$code"
check "which is told" said 'ended with status 3'
check_equal "what it did not take is withdrawn at once" 1 "$(secrets_of reporter | wc -l)"
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


# Another place.
use_mapping a <<-YAML
	$(sed "s|file:$work/out/|file:$work/elsewhere/|" "$work/a/mappings/company.yaml")
YAML
before=$(secrets_made)
run a apply --auto-approve
check_equal "a directory that is not there is an error" 4 "$code"
check "which is told, too" said "cannot write the secret to .*/elsewhere/loader"
check_equal "and no secret is made for that" "$before" "$(secrets_made)"
mkdir "$work/elsewhere"
run a apply --auto-approve
check "a place that changes gets one" signs_in loader "$(cat "$work/elsewhere/loader")"
check_equal "the one before goes" 2 "$(secrets_of loader | wc -l)"
run a plan
check_equal "and that is all" 0 "$code"

# An answer that is lost.
cat >"$work/lost.json" <<'JSON'
{"rules": [{"match": "POST *credentials/secrets", "fault": "lost-reply", "times": 2},
 {"match": "POST *federationPolicies*", "fault": "lost-reply", "times": 1}]}
JSON
set_faults "$work/lost.json"
before=$(secrets_of loader)
echo 'federation_policies: [{policy_id: cd, issuer: "https://idp.example.com", subject: "lost"}]' >"$work/policies"
mapping 60d 31d
run a apply --auto-approve
check_equal "answers that are lost do no harm" 0 "$code"
check_equal "each has one that signs in" 0 "$(signs_in loader "$(cat "$work/out/loader")" && signs_in reporter "$(cat "$work/out/reporter")"; echo $?)"
check_equal "and none is left over" "2 1" "$(secrets_of loader | wc -l) $(secrets_of reporter | wc -l)"
check "but that of others" grep -q "$foreign" <(secrets_of loader)
check_equal "it was replaced" 1 "$(comm -12 <(echo "$before") <(secrets_of loader) | wc -l)"
check_equal "the policy is there, and ours" lost "$(policies loader | jq -r 'select(.policy_id == "cd") | .oidc_policy.subject')"
run a plan
check_equal "then all is well" 0 "$code"

# Five is the most.
for ((i = 0; i < 3; i++)); do account_call POST "/servicePrincipals/$(service loader id)/credentials/secrets" '{}' >/dev/null; done
mapping 90d 61d
run a apply --auto-approve
check_equal "without room for another one there is no new one" 4 "$code"
check "which is told" said 'has 5 secrets already'
check "the old one stays" signs_in loader "$(cat "$work/out/loader")"
check_equal "and those of others" 5 "$(secrets_of loader | wc -l)"
spare=$(comm -23 <(secrets_of loader) <(echo "$foreign") | while read -r id; do
	account_call GET "/servicePrincipals/$(service loader id)/credentials/secrets" | jq -r --arg id "$id" \
		'.secrets[] | select(.id == $id and (.expire_time > "2027-12")) | .id'
done | head -n 1)
account_call DELETE "/servicePrincipals/$(service loader id)/credentials/secrets/$spare" >/dev/null
run a apply --auto-approve
check_equal "with room there is" 0 "$code"
check "and it signs in" signs_in loader "$(cat "$work/out/loader")"

mapping 30d 14d ""
guard="{users: 5, groups: 10, tokens: 0, permissions: 0, minimum: 0}"
echo 'federation_policies: []' >"$work/policies"
mapping 30d 14d ""
write_config a
run a apply --auto-approve
check "a rule that goes takes its secret, if the guard lets it" said 'held'
check_equal "which it does not" 1 "$(secrets_of reporter | grep -c .)"
check_equal "nor a policy" 1 "$(policies loader | grep -c '"cd"')"
check "while one that is replaced is none of its business" signs_in loader "$(cat "$work/out/loader")"
guard="{users: 5, groups: 10, tokens: 5, permissions: 5, minimum: 3}"
write_config a
run a approve all --auto-approve
check_equal "a person lets them go" 0 "$code"
run a apply --auto-approve
check_equal "and they are deleted" "0 0" "$(secrets_of reporter | grep -c .) $(policies loader | grep -c '"cd"')"
# Time passes.
was_rotated() { # FORMER
	! cmp -s "$1" "$work/out/reporter" && signs_in reporter "$(cat "$work/out/reporter")" && [ "$(secrets_of reporter | wc -l)" = 1 ]
}
mapping 3604s 1h
start_service a
wait_for 20 is_settled a
cp "$work/out/reporter" "$work/former"
check "one is made" signs_in reporter "$(cat "$work/former")"
check "the service replaces it in time" wait_for 15 was_rotated "$work/former"
check_equal "which is over then" 1 "$(signs_in reporter "$(cat "$work/former")" && echo 0 || echo 1)"
stop_service a

check_equal "a program is told its arguments and no more" reporter "$(sort -u "$work/arguments")"
cat "$work/out/"* >"$work/secrets"
check_equal "nobody told a secret" 0 "$(cat "$work/said" "$work/a-service.log" "$work/a/state.db"* | grep -a -c -F -f "$work/secrets")"
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
done_testing
