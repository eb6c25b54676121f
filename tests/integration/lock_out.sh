#!/usr/bin/env bash
# lock_out -- IP access lists while they are in force: no plan, no write and no moment in between shuts out ourselves or whom a rule
# keeps, in workspaces and in the account
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

own=203.0.113.9

# call METHOD PATH [BODY]: another hand, in prod
call() {
	curl -sf -X "$1" -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" \
		"$(sim_of a .workspaces.prod.host)$2" ${3:+-d "$3"}
}

# lists PLACE FILTER: of a workspace, or of the account ("null")
lists() {
	state_of a | jq -rs --argjson place "$1" "[.[] | select(.ip_access_list) | .ip_access_list
		| select(.workspace == \$place)] | $2"
}

# The writes to lists and switches so far, in their order.
writes() {
	requests_of a '.method != "GET" and (.path | test("ip-access-lists|workspace-conf|acct_ip_acl"))' |
		jq -r '.method + " " + (.path | split("?")[0] | split("/") | if .[-1] == "default" then .[-3] else .[-1] end
			| if test("^[0-9a-f-]{36}$") then "LIST" else . end)' | tr '\n' ',' | sed 's/,$//'
}

forget_writes() {
	: >"$work/a/requests.jsonl"
}

faults() {
	printf '[%s]\n' "$1" >"$work/a/faults"
	kill -HUP "${simulator_pid[a]}"
}

apply_is() {
	run a apply --auto-approve
	check_equal "$2" "$1" "$code" || cat "$work/said"
}

second_plan_is_empty() {
	run a plan
	check_equal "the second plan is empty" 0 "$code" || cat "$work/said"
}

# configure [EGRESS] [LINES OF prod] [LINES OF dev] [LINES OF account]
configure() {
	extra=${1:+egress: [$1]}
	write_config a
	sed -i -e "s|^  prod: {host: \(.*\)}\$|  prod: {host: \1${2:+, $2}}|" -e "s|^  dev: {host: \(.*\)}\$|  dev: {host: \1${3:+, $3}}|" \
		"$work/a/ldap2dbx.yaml"
	if [ -n "${4-}" ]; then
		sed -i "s|^  account_id: .*|&\n  $4|" "$work/a/ldap2dbx.yaml"
	fi
}

people_and_groups >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"
cat >"$work/seed" <<'JSON'
{"workspace":{"name":"prod","id":"6051"}}
{"workspace":{"name":"dev","id":"6052"}}
{"workspace_conf":{"workspace":"6051","id":"conf","enableIpAccessLists":"true"}}
{"workspace_conf":{"workspace":"6052","id":"conf","enableIpAccessLists":"true"}}
JSON
mkdir -p "$work/a"
echo '[]' >"$work/a/faults"
guard="{policies: 10, lists: 10}"
make_world a --seed "$work/seed" --egress-address "$own" --faults "$work/a/faults"

# ---- what the files alone say ----

write_mapping <<'YAML'
ip_access_lists:
- {label: bad, type: BLOCK, addresses: [198.51.100.0/24, 203.0.113.0/24], in: [prod]}
YAML
configure "$own"
run a check
check_equal "check refuses a list that blocks ourselves" 78 "$code"
check "with the place" said 'company.yaml:6:[0-9]*: list `bad` would shut ldap2dbx itself out of prod: it blocks 203.0.113.0/24, and `egress` (line [0-9]* of the configuration) has 203.0.113.9'
configure 2001:db8::9
run a check
check_equal "check refuses an address that no list can hold" 78 "$code"
check "with the reason" said "ldap2dbx.yaml:[0-9]*:10: .2001:db8::9.: Databricks' IP access lists take IPv4 only"

# ---- a plan that would shut us out ----

configure "$own"
write_mapping <<'YAML'
cluster_policies:
- {name: one, definition: {autotermination_minutes: {type: fixed, value: 30}}, in: [prod]}
ip_access_lists:
- {label: offices, type: ALLOW, addresses: [192.0.2.0/24], in: [prod, dev]}
YAML
run a check
check "check warns that we are in no list" said '`egress` 203.0.113.9 is in no list of these files that allows it in prod'
run a plan
check "a plan refuses it" said 'IP access lists of prod: ldap2dbx itself comes from 203.0.113.9 (egress, .*ldap2dbx.yaml:[0-9]*), and would be in no ALLOW list ("offices")'
forget_writes
apply_is 4 "an apply does the rest"
check_equal "nothing is sent of lists" "" "$(writes)"
check_equal "of the rest all is done" 1 "$(call GET /api/2.0/policies/clusters/list | jq '[.policies[] | select(.name == "one")] | length')"
configure "$own" "" "egress: [192.0.2.10]"
apply_is 4 "a workspace may say something else"
check_equal "which Databricks has another opinion of" "" "$(lists '"6052"' 'map(.label) | join(",")')"
check "as it tells" said '(ALLOW) in dev would shut out ldap2dbx itself'
configure "$own"

# ---- two lists that need each other ----

both='
ip_access_lists:
- {label: ours, type: ALLOW, addresses: [203.0.113.9], in: [prod], must_keep: [203.0.113.9]}
- {label: offices, type: ALLOW, addresses: [192.0.2.0/24], in: [prod], must_keep: [192.0.2.7]}
- {label: later, type: BLOCK, addresses: [203.0.113.0/24], enabled: false, in: [prod]}
'
write_mapping <<<"$both"
run a plan --out "$work/plan"
check_equal "both are planned, with a bridge" 2 "$code" || cat "$work/said"
check "which is shown" said 'ip_addresses "192.0.2.0/24" -> \|ip_addresses "192.0.2.0/24 203.0.113.9"\|holds more for a moment'
forget_writes
run a apply "$work/plan"
check_equal "the plan file holds all of it" 0 "$code" || cat "$work/said"
check_equal "every write goes: three are made, one is put off, the bridge is taken down" \
	"POST ip-access-lists,POST ip-access-lists,POST ip-access-lists,PUT LIST,PUT LIST" "$(writes | tr ',' '\n' | sort | paste -sd,)"
check_equal "they are as the rules say" '{"later":["203.0.113.0/24"],"offices":["192.0.2.0/24"],"ours":["203.0.113.9"]}' \
	"$(lists '"6051"' 'sort_by(.label) | map({key: .label, value: .ip_addresses}) | from_entries | tojson')"
check_equal "the one that blocks us is off" false "$(lists '"6051"' '.[] | select(.label == "later") | .enabled')"
second_plan_is_empty

# ---- lists that change places ----

write_mapping <<<"$(sed -e '/ours/s/203.0.113.9\], in/192.0.2.7], in/' -e '/offices/s/192.0.2.0.24\]/203.0.113.9]/' <<<"$both")"
forget_writes
apply_is 0 "two lists change places"
check_equal "over a bridge" "PUT LIST,PUT LIST,PUT LIST" "$(writes)"
second_plan_is_empty

# ---- a removal that is held ----

write_mapping <<<"$both"
apply_is 0 "they change back"
guard="{}"
configure "$own"
write_mapping <<<"$(sed -e '/ours/d' -e '/later/d' -e 's/192.0.2.0.24\]/192.0.2.0\/24, 203.0.113.0\/28]/' <<<"$both")"
apply_is 0 "one list takes over from another, whose removal is held"
check_equal "what widens is done" "192.0.2.0/24 203.0.113.0/28" "$(lists '"6051"' '.[] | select(.label == "offices") | .ip_addresses | join(" ")')"
check "what goes is held" said '\[held lists-1\]'
check_equal "and there" later,offices,ours "$(lists '"6051"' 'map(.label) | sort | join(",")')"
guard="{policies: 10, lists: 10}"
configure "$own"
run a approve all --auto-approve
apply_is 0 "approved"
check_equal "it goes" offices "$(lists '"6051"' 'map(.label) | join(",")')"

# ---- two changes, each of which would do no harm alone ----

three='
ip_access_lists:
- {label: offices, type: ALLOW, addresses: [192.0.2.0/24, 203.0.113.0/28], in: [prod], must_keep: [192.0.2.7]}
- {label: second, type: ALLOW, addresses: [192.0.2.7, 198.51.100.0/24], in: [prod]}'
write_mapping <<<"$three"
apply_is 0 "he is in two lists"
faults '{"match": "POST */ip-access-lists", "status": 400, "body": {"error_code": "INVALID_PARAMETER_VALUE", "message": "not this one"}, "times": 0}'
write_mapping <<<"$(sed -e 's/192.0.2.0.24, //' -e 's/192.0.2.7, //' <<<"$three")
- {label: third, type: ALLOW, addresses: [192.0.2.7], in: [prod]}"
apply_is 4 "the third one, to which he moves, is refused"
check_equal "he is in one of the two still" 1 "$(lists '"6051"' 'map(.ip_addresses[] | select(startswith("192.0.2."))) | length')"
faults ''
apply_is 0 "when it is taken"
check_equal "he is in the third alone" 192.0.2.7 "$(lists '"6051"' 'map(.ip_addresses[] | select(startswith("192.0.2."))) | join(" ")')"
second_plan_is_empty
write_mapping <<<"$(sed '/second/d' <<<"$three")"
apply_is 0 "and back to one"

# ---- another hand ----

id=$(lists '"6051"' '.[0].id')
call PATCH "/api/2.0/ip-access-lists/$id" '{"label":"renamed"}' >/dev/null
apply_is 0 "another hand renamed a list of ours"
check_equal "it has its label again" "$id offices" "$(lists '"6051"' '.[0] | .id + " " + .label')"
second_plan_is_empty
call PATCH "/api/2.0/ip-access-lists/$id" '{"label":"vpn"}' >/dev/null
write_mapping <<<"$(sed '/second/d' <<<"$three")
- {label: vpn, type: ALLOW, addresses: [198.51.100.0/24], in: [prod]}"
apply_is 0 "and gave it the label of a new one"
check_equal "each is what it should be" "$id offices 198.51.100.0/24" "$(lists '"6051"' '.[] | select(.label == "offices") | .id + " " + .label') $(
	lists '"6051"' '.[] | select(.label == "vpn") | .ip_addresses[0]')"
second_plan_is_empty
write_mapping <<<"$(sed '/second/d' <<<"$three")"
apply_is 0 "which goes again"

# ---- a disabled list that stays half made for a while ----

half="
ip_access_lists:
- {label: offices, type: ALLOW, addresses: [192.0.2.0/24, 203.0.113.0/28], in: [prod], must_keep: [192.0.2.7]}
- {label: half, type: ALLOW, addresses: [192.0.2.0/24], enabled: false, in: [dev]}"
write_mapping <<<"$half"
faults '{"match": "PUT */ip-access-lists/*", "status": 400, "body": {"error_code": "INVALID_PARAMETER_VALUE", "message": "not now"}}'
apply_is 4 "the second call is refused"
check "and no other hand is blamed" eval '! said "another hand" >/dev/null'
check_equal "the list is there, without effect" "half 0.0.0.0/0" "$(lists '"6052"' '.[0] | .label + " " + .ip_addresses[0]')"
faults ''
apply_is 0 "afterwards"
check "no other hand is blamed" eval '! said "another hand" >/dev/null'
check_equal "it is as it should be" "192.0.2.0/24 false" "$(lists '"6052"' '.[0] | .ip_addresses[0] + " " + (.enabled | tostring)')"
write_mapping <<<"${half%- *}"
apply_is 0 "it goes"

# ---- an end between the two calls that make a disabled list ----

write_mapping <<<"
ip_access_lists:
- {label: offices, type: ALLOW, addresses: [192.0.2.0/24, 203.0.113.0/28], in: [prod], must_keep: [192.0.2.7]}
- {label: bad, type: BLOCK, addresses: [203.0.113.0/24], enabled: false, in: [prod]}
- {label: alone, type: ALLOW, addresses: [192.0.2.0/24], enabled: false, in: [dev]}"
faults '{"match": "PUT */ip-access-lists/*", "status": 503, "times": 0}'
made() {
	[[ "$(writes)" == *PUT*PUT* ]]
}
forget_writes
start_service a
check "both are made" wait_for 20 made
stop_service a KILL
faults ''
check_equal "the only list of its kind shuts nobody out" '["0.0.0.0/0"]' "$(lists '"6052"' '.[0].ip_addresses | tojson')"
apply_is 0 "after the end"
check_equal "they are off, as they should be" "bad false alone false" \
	"$(lists '"6051"' '.[] | select(.label == "bad") | .label + " " + (.enabled | tostring)') $(lists '"6052"' '.[0] | .label + " " + (.enabled | tostring)')"
check_equal "with what they hold" "203.0.113.0/24 192.0.2.0/24" \
	"$(lists '"6051"' '.[] | select(.label == "bad") | .ip_addresses[0]') $(lists '"6052"' '.[0].ip_addresses[0]')"
check_equal "each was made once" 2 "$(requests_of a '.method == "POST" and (.path | endswith("ip-access-lists"))' | wc -l)"
second_plan_is_empty

# ---- the account ----

write_mapping <<'YAML'
ip_access_lists:
- {label: offices, type: ALLOW, addresses: [192.0.2.0/24], account: true}
YAML
configure "" "" "" "egress: [$own]"
forget_writes
apply_is 4 "the account is a place like any other"
check "with its own reason" said 'IP access lists of account: ldap2dbx itself comes from 203.0.113.9'
check_equal "nothing is sent to it" "" "$(writes | sed 's/DELETE LIST,*//g')"
write_mapping <<'YAML'
ip_access_lists:
- {label: offices, type: ALLOW, addresses: [192.0.2.0/24, 203.0.113.9], account: true}
YAML
apply_is 0 "with us in the list it is made"
check_equal "in the account" 1 "$(lists null length)"
second_plan_is_empty

# ---- the switch and lists of others ----

call PATCH /api/2.0/workspace-conf '{"enableIpAccessLists":"false"}' >/dev/null
call POST /api/2.0/ip-access-lists '{"label":"theirs","list_type":"ALLOW","ip_addresses":["198.51.100.0/24"]}' >/dev/null
configure "$own" "settings: {enableIpAccessLists: true}"
forget_writes
apply_is 4 "the switch does not go on over lists that shut us out"
check "whoever made them" said 'would be in no ALLOW list ("theirs")'
check_equal "and nothing is sent" "" "$(writes)"


# ---- the switch and a removal that is held ----

write_mapping <<'YAML'
ip_access_lists:
- {label: block, type: BLOCK, addresses: [198.51.100.0/24], in: [prod]}
YAML
call DELETE "/api/2.0/ip-access-lists/$(lists '"6051"' '.[] | select(.label == "theirs") | .id')" >/dev/null
configure "$own"
apply_is 0 "a list that blocks others, while lists are off"
configure "198.51.100.7" "settings: {enableIpAccessLists: true}"
guard="{}"
extra=
sed -i "s|^guard: .*|guard: {}|" "$work/a/ldap2dbx.yaml"
write_mapping <<<""
run a apply --auto-approve
check "its removal is held" said 'remove ip access list "block"  \[held'
check_equal "so the switch stays off: it would put the list in force" false \
	"$(call GET '/api/2.0/workspace-conf?keys=enableIpAccessLists' | jq -r .enableIpAccessLists)"
run a approve all --auto-approve
apply_is 0 "approved"
check_equal "both are done" "0 true" "$(lists '"6051"' 'map(select(.label == "block")) | length') $(call GET \
	'/api/2.0/workspace-conf?keys=enableIpAccessLists' | jq -r .enableIpAccessLists)"
second_plan_is_empty

done_testing
