#!/usr/bin/env bash
# resources -- cluster policies, IP access lists and settings: made, adopted, changed and taken away as the files say, in an
# order that shuts nobody out, with what others made untouched
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com

# run VERB...: sets $code; what was said is in $work/said
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

apply_is() {
	run apply --auto-approve
	check_equal "$2" "$1" "$code" || cat "$work/said"
}

second_plan_is() {
	run plan
	check_equal "${2:-the second plan is empty}" "$1" "$code" || cat "$work/said"
}

calls() {
	count_requests a "(.path | contains(\"$1\")) and .method == \"$2\""
}

forget_calls() {
	: >"$work/a/requests.jsonl"
}

# fact KIND FILTER: what Databricks has of those
fact() {
	state_of a | jq -rc "select(has(\"$1\")) | .[\"$1\"] | $2"
}

policy() {
	fact cluster_policy "select(.workspace == \"6051\" and .name == \"$1\") | ${2:-.id}"
}

list() {
	fact ip_access_list "select(.workspace == \"6051\" and .label == \"$1\") | ${2:-.list_id // .id}"
}

conf() {
	fact workspace_conf "select(.workspace == \"6051\") | .$1"
}

# The configuration, with those lines of settings for prod, and the account's
configure() {
	write_config a
	sed -i "s|^  prod: {host: \(.*\)}\$|  prod: {host: \1, settings: {${1-}}}|" "$work/a/ldap2dbx.yaml"
	if [ -n "${2-}" ]; then
		sed -i "s|^  account_id: .*|&\n  settings: {$2}|" "$work/a/ldap2dbx.yaml"
	fi
}

# The mapping, with what stands on stdin behind it
write_mapping() {
	{
		cat <<-YAML
			version: 1
			groups:
			- search: {source: company, base: "ou=Groups,$base", filter: (cn=de)}
			  group: {displayName: "\${cn}"}
		YAML
		cat
	} | use_mapping a
}

cat >"$work/company.ldif" <<LDIF
dn: $base
objectClass: dcObject
objectClass: organization
o: Sample
dc: example

dn: ou=Groups,$base
objectClass: organizationalUnit

dn: cn=de,ou=Groups,$base
objectClass: groupOfNames
cn: de
member: $base
LDIF
start_slapd --ldif "$work/company.ldif"

cat >"$work/seed" <<'JSON'
{"workspace":{"name":"prod","id":"6051"}}
{"workspace":{"name":"dev","id":"6052"}}
{"user":{"id":"11","userName":"other@example.com","displayName":"Other"}}
{"cluster_policy":{"workspace":"6051","id":"A000000000000001","owner":"11","name":"theirs","definition":"{\"spark_version\":{\"type\":\"unlimited\"}}"}}
{"cluster_policy":{"workspace":"6051","id":"A000000000000002","owner":"11","name":"taken","definition":"{ \"autotermination_minutes\": {\"value\": 30, \"type\": \"fixed\"} }"}}
{"ip_access_list":{"workspace":"6051","id":"11111111-0000-4000-8000-000000000001","label":"vendor","list_type":"ALLOW","ip_addresses":["203.0.113.0/24"],"enabled":true}}
{"ip_access_list":{"workspace":"6051","id":"11111111-0000-4000-8000-000000000002","label":"same","list_type":"BLOCK","ip_addresses":["203.0.113.9/32"],"enabled":true}}
{"workspace_conf":{"workspace":"6051","id":"conf","maxTokenLifetimeDays":"365"}}
JSON
guard="{policies: 10, lists: 10}"
make_world a --seed "$work/seed"

# ---- cluster policies ----

policies='
grants:
- to: {group: de}
  workspaces: {prod: USER}
  permissions:
  - {cluster_policy: "de-*", level: CAN_USE}
cluster_policies:
- name: de-standard
  description: Sample
  definition: {autotermination_minutes: {type: range, maxValue: 60, defaultValue: 30}}
  max_clusters_per_user: 3
- {name: taken, definition: {autotermination_minutes: {type: fixed, value: 30}}, in: [prod], adopt: true}
- {name: de-family, family: Personal Compute, overrides: {autotermination_minutes: {type: fixed, value: 20}}, in: [prod]}
'
configure
write_mapping <<<"$policies"
run check
check_equal "the files are good" 0 "$code" || cat "$work/said"
run plan
check_equal "there is something to do" 2 "$code"
check "a policy is made" said '+ create cluster policy "de-standard"'
check "another is adopted as it is" said '= adopt cluster policy "taken"'
check "that rights follow is said" said 'what rules permit on it is set when it was made'
forget_calls
apply_is 0 "policies are made"
check_equal "policies are read once for the items of each workspace, once to find those with rights" 3 "$(calls policies/clusters/list GET)"
check_equal "the rights on a new policy are set in the same run" 2 "$(calls permissions/cluster-policies PATCH)"
check_equal "it says what the rule says" 'Sample 3 {"type":"range","maxValue":60,"defaultValue":30}' \
	"$(policy de-standard '.description + " " + (.max_clusters_per_user | tostring) + " " + (.definition | fromjson | .autotermination_minutes | tojson)')"
check_equal "the family is found by its name" personal-vm "$(policy de-family .policy_family_id)"
forget_calls
second_plan_is 0
check_equal "which writes nothing" 0 "$(count_requests a '.method != "GET" and (.path | contains("/oidc/") | not)')"

before=$(policy theirs 'tojson')
write_mapping <<<"${policies/maxValue: 60/maxValue: 90}"
run plan
check "a changed definition is shown" said '~ change cluster policy "de-standard"'
apply_is 0 "and carried out"
check_equal "by an edit" 90 "$(policy de-standard '.definition | fromjson | .autotermination_minutes.maxValue')"
check_equal "of which the rest is as it was" "Sample 3" "$(policy de-standard '.description + " " + (.max_clusters_per_user | tostring)')"
second_plan_is 0

write_mapping <<<"$policies
- {name: THEIRS, definition: {spark_version: {type: unlimited}}, in: [prod]}"
forget_calls
run apply --auto-approve
check_equal "another's policy is quarantined" 4 "$code" || cat "$work/said"
check "with the way out" said 'cluster policy "theirs" in prod was made by somebody else, other@example.com: `adopt: true`'
check_equal "and untouched" "$before" "$(policy theirs 'tojson')"
check_equal "the name is known to be taken, however it is written" 0 "$(calls policies/clusters/create POST)"

write_mapping <<'YAML'
grants:
- to: {group: de}
  workspaces: {prod: USER}
YAML
run plan
check "what we made goes" said '- remove cluster policy "de-standard"'
check "what was adopted stays" said 'cluster policy "taken" in prod stays as it is'
apply_is 0 "without rules"
check_equal "ours are gone" "" "$(policy de-standard)$(policy de-family)"
check_equal "others are not" "A000000000000001 A000000000000002" "$(policy theirs) $(policy taken)"
second_plan_is 0

# ---- guard ----

guard="{permissions: 0, minimum: 0}"
configure
write_mapping <<<"$policies"
apply_is 0 "policies are made again"
write_mapping <<'YAML'
grants:
- to: {group: de}
  workspaces: {prod: USER}
cluster_policies:
- {name: taken, definition: {autotermination_minutes: {type: fixed, value: 30}}, in: [prod], adopt: true}
YAML
run plan
check_equal "unless something else is said the guard holds each removal" 3 "$code" || cat "$work/said"
apply_is 3 "it is held in an apply as well"
check "so that they are still there" [ -n "$(policy de-standard)" ]
run approve all --auto-approve
apply_is 0 "approved they go"
check_equal "all of them" "" "$(policy de-standard)$(policy de-family)"
guard="{policies: 10, lists: 10}"
second_plan_is 0

# ---- IP access lists and the switch ----

lists='
ip_access_lists:
- {label: offices, type: ALLOW, addresses: [127.0.0.0/8, 192.0.2.0/24], in: [prod], must_keep: [192.0.2.7]}
- {label: bad, type: BLOCK, addresses: [198.51.100.0/24], in: [prod]}
- {label: same, type: BLOCK, addresses: [203.0.113.9], in: [prod]}
'
configure "enableIpAccessLists: true, maxTokenLifetimeDays: 90"
write_mapping <<<"$lists"
run plan
check "a list that is equal is adopted" said '= adopt ip access list "same"'
check "the switch is shown" said '~ change setting "enableIpAccessLists"'
forget_calls
apply_is 0 "lists are made and put in force"
check_equal "all lists are read by one call" 1 "$(calls ip-access-lists GET)"
check_equal "settings as well" 1 "$(calls workspace-conf GET)"
order=$(requests_of a '.method != "GET" and (.path | contains("ip-access-lists") or contains("workspace-conf"))' |
	jq -r '.method + " " + (.path | split("/")[-1] | split("?")[0])' | tr '\n' ',')
check "the switch goes on last of all" eval '[[ "$order" == *"POST ip-access-lists,"*"POST ip-access-lists,PATCH workspace-conf," ]]' || echo "$order"
check_equal "they are as written" '["127.0.0.0/8","192.0.2.0/24"]' "$(list offices '.ip_addresses | sort')"
check_equal "it is on" true "$(conf enableIpAccessLists)"
check_equal "so is the limit" 90 "$(conf maxTokenLifetimeDays)"
second_plan_is 0

write_mapping <<<"${lists/127.0.0.0\/8, /}"
run apply --auto-approve
check_equal "what would shut ourselves out is refused" 4 "$code" || cat "$work/said"
check "with Databricks' reason" said 'would shut out ldap2dbx itself'
check_equal "and nothing is changed" '["127.0.0.0/8","192.0.2.0/24"]' "$(list offices '.ip_addresses | sort')"

write_mapping <<<"${lists/\[127.0.0.0\/8, 192.0.2.0\/24\]/[127.0.0.1]}"
forget_calls
run apply --auto-approve
check_equal "who must keep his way in does" 4 "$code" || cat "$work/said"
check "the reason names him and the lists" said '192.0.2.7 must keep its way in.*would be in no ALLOW list ("offices", "vendor")'
check_equal "nothing is sent" 0 "$(calls ip-access-lists PUT)"

write_mapping <<<"${lists/203.0.113.9/203.0.113.10}"
run apply --auto-approve
check "a list that is ours by now is changed" said '~ change ip access list "same"'
check_equal "as the rule says" '["203.0.113.10"]' "$(list same '.ip_addresses')"
write_mapping <<<"$lists
- {label: vendor, type: ALLOW, addresses: [203.0.113.0/25], in: [prod]}"
run apply --auto-approve
check_equal "another's list of that label is quarantined" 4 "$code" || cat "$work/said"
check "with what it holds" said 'IP access list "vendor" (ALLOW) in prod was made by somebody else.*203.0.113.0/24'

forget_calls
configure "enableIpAccessLists: false, maxTokenLifetimeDays: 90"
write_mapping <<<""
apply_is 0 "switched off, and without lists"
order=$(requests_of a '.method != "GET" and (.path | contains("ip-access-lists") or contains("workspace-conf"))' | head -n 1 | jq -r .path)
check_equal "the switch goes off first" /api/2.0/workspace-conf "${order%%\?*}"
check_equal "our lists are gone, another's is not" vendor "$(fact ip_access_list 'select(.workspace == "6051") | .label')"
second_plan_is 0

# ---- our own token ----

configure "enableIpAccessLists: false, maxTokenLifetimeDays: 90, enableTokensConfig: false"
(
	umask 077
	sim_of a .workspaces.prod.token >"$work/a/own-token"
)
sed -i 's|^  prod: {|&auth: {type: pat, token: file:own-token}, |' "$work/a/ldap2dbx.yaml"
run apply --auto-approve
check_equal "tokens are not turned off where we come with one" 4 "$code" || cat "$work/said"
check "which is said" said 'prod: ldap2dbx signs in with a token there, so enableTokensConfig is not turned off'
check_equal "they are on" null "$(conf enableTokensConfig)"

# ---- settings ----

configure "maxTokenLifetimeDays: 90, enableTokensConfig: false, restrict_workspace_admins: RESTRICT_TOKENS_AND_JOB_RUN_AS" \
	"acct_ip_acl_enable: false"
run plan
check "a setting that is not configured any more stays" said 'setting enableIpAccessLists of prod is not configured any more and stays false'
check "tokens off is a removal" said '~ change setting "enableTokensConfig"'
check "with what it stops" said '[0-9] live tokens* stops* working'
apply_is 0 "typed settings are written"
check_equal "tokens are off" false "$(conf enableTokensConfig)"
check_equal "the typed one is set" RESTRICT_TOKENS_AND_JOB_RUN_AS \
	"$(fact setting 'select(.workspace == "6051") | .. | .status? // empty')"
second_plan_is 0

# ---- another hand ----

write_mapping <<<"$policies$lists"
configure "maxTokenLifetimeDays: 90"
start_service a
check "the service settles" wait_for 30 is_settled a
check "with what is wanted" [ -n "$(policy de-standard)" ]
stop_service a
forget_calls
start_service a
check "after a restart nothing is read again" wait_for 30 is_settled a
check_equal "of policies" 0 "$(calls policies/clusters/list GET)"
check_equal "of lists" 0 "$(calls ip-access-lists GET)"
check_equal "of settings" 0 "$(calls workspace-conf GET)"
stop_service a

done_testing
