#!/usr/bin/env bash
# resources_faults -- cluster policies, IP access lists and settings when answers are lost, lists cannot be read, another hand
# changes what is ours, or we end in the middle: nothing is made twice, nothing is removed by mistake, all comes right
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

faults() {
	printf '[%s]\n' "$1" >"$work/a/faults"
	kill -HUP "${simulator_pid[a]}"
}

# call METHOD PATH [BODY]: another hand, in prod
call() {
	curl -sf -X "$1" -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" \
		"$(sim_of a .workspaces.prod.host)$2" ${3:+-d "$3"}
}

policies() {
	call GET /api/2.0/policies/clusters/list | jq -r "[.policies[] | select(.is_default | not)] | $1"
}

lists() {
	call GET /api/2.0/ip-access-lists | jq -r "[.ip_access_lists // [] | .[] | select(.label != \"theirs\")] | $1"
}

conf() {
	call GET "/api/2.0/workspace-conf?keys=$1" | jq -r ".$1"
}

posts() {
	count_requests a "(.path | contains(\"$1\")) and .method == \"POST\""
}

apply_is() {
	run a apply --auto-approve
	check_equal "$2" "$1" "$code" || cat "$work/said"
}

second_plan_is_empty() {
	run a plan
	check_equal "the second plan is empty" 0 "$code" || cat "$work/said"
}

people_and_groups >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"
echo '[]' >"$work/faults"
mkdir -p "$work/a"
echo '[]' >"$work/a/faults"
guard="{policies: 10, lists: 10}"
make_world a --faults "$work/a/faults"
settings='maxTokenLifetimeDays: 90, restrict_workspace_admins: RESTRICT_TOKENS_AND_JOB_RUN_AS'
configure() {
	write_config a
	sed -i "s|^  prod: {host: \(.*\)}\$|  prod: {host: \1, settings: {$1}}|" "$work/a/ldap2dbx.yaml"
}
configure "$settings"
all='
cluster_policies:
- {name: one, definition: {autotermination_minutes: {type: fixed, value: 30}}, in: [prod]}
- {name: two, definition: {autotermination_minutes: {type: fixed, value: 40}}, in: [prod]}
ip_access_lists:
- {label: offices, type: ALLOW, addresses: [192.0.2.0/24], in: [prod]}
- {label: later, type: BLOCK, addresses: [198.51.100.0/24], enabled: false, in: [prod]}
'
write_mapping <<<"$all"

# ---- answers that are lost ----

faults '{"match": "POST */policies/clusters/create", "fault": "lost-reply"}, {"match": "POST */ip-access-lists", "fault": "lost-reply"},
	{"match": "PATCH */workspace-conf", "fault": "lost-reply"}, {"match": "PATCH */settings/types/*", "fault": "lost-reply"}'
apply_is 0 "answers are lost"
check_equal "no policy is made twice" 2 "$(posts policies/clusters/create)"
check_equal "no list either" 2 "$(posts ip-access-lists)"
check_equal "the policies are there" one,two "$(policies 'map(.name) | sort | join(",")')"
check_equal "the lists as well, one disabled" '{"later":false,"offices":true}' \
	"$(lists 'map({key: .label, value: .enabled}) | sort_by(.key) | from_entries | tojson')"
check_equal "so is the setting" 90 "$(conf maxTokenLifetimeDays)"
second_plan_is_empty

# ---- another hand ----

one=$(policies '.[] | select(.name == "one") | .policy_id')
call POST /api/2.0/policies/clusters/edit "{\"policy_id\":\"$one\",\"name\":\"renamed\",\"definition\":\"{}\"}" >/dev/null
call PATCH /api/2.0/workspace-conf '{"maxTokenLifetimeDays":"365"}' >/dev/null
offices=$(lists '.[] | select(.label == "offices") | .list_id')
call PATCH "/api/2.0/ip-access-lists/$offices" '{"enabled":false}' >/dev/null
apply_is 0 "what another hand changed"
check_equal "is as the rules say again, by id" "one $one" "$(policies ".[] | select(.policy_id == \"$one\") | .name + \" \" + .policy_id")"
check_equal "its definition too" 30 "$(policies '.[] | select(.name == "one") | .definition | fromjson | .autotermination_minutes.value')"
check_equal "the setting" 90 "$(conf maxTokenLifetimeDays)"
check_equal "the list" true "$(lists '.[] | select(.label == "offices") | .enabled')"
call POST /api/2.0/policies/clusters/delete "{\"policy_id\":\"$one\"}" >/dev/null
call DELETE "/api/2.0/ip-access-lists/$offices" >/dev/null
apply_is 0 "what another hand deleted"
check_equal "is made again" "one,two offices" "$(policies 'map(.name) | sort | join(",")') $(lists '.[] | select(.label == "offices") | .label')"
second_plan_is_empty

# ---- lists that cannot be read ----

write_mapping <<<'
grants:
- {to: {group: users}, permissions: [{job: "nightly-*", level: CAN_VIEW, in: [prod]}]}'
faults '{"match": "GET */policies/clusters/list*", "status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no"}, "times": 0},
	{"match": "GET */ip-access-lists*", "status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no"}, "times": 0},
	{"match": "GET */jobs/list*", "status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no"}, "times": 0}'
run a apply --auto-approve
check_equal "without lists the rest is done" 4 "$code" || cat "$work/said"
for what in "cluster policies could not be read; nothing is planned for them" "IP access lists could not be read; nothing is planned for them" \
	"objects of type job could not be looked for; no permission on what was not seen is planned"; do
	check "the plan says what could not be read, and why" said "! in prod $what: GET .*403 PERMISSION_DENIED: no" || cat "$work/said"
done
write_mapping <<<""
check_equal "and nothing is removed" "one,two later,offices" \
	"$(faults '' && policies 'map(.name) | sort | join(",")') $(lists 'map(.label) | sort | join(",")')"

# ---- settings with a will of their own ----

write_mapping <<<"$all"
apply_is 0 "as before"
configure "enableTokensConfig: true, enableGp3: true, $settings"
faults '{"match": "GET */workspace-conf*", "status": 400, "body": {"error_code": "INVALID_REQUEST", "message": "Invalid keys: [\"enableGp3\"]"}},
	{"match": "PATCH */workspace-conf", "status": 400, "body": {"error_code": "INVALID_REQUEST", "message": "Some values are not allowed: {}"}}'
run a apply --auto-approve
check_equal "a key that this workspace does not have is quarantined" 4 "$code" || cat "$work/said"
check "with the place" said 'prod has no setting enableGp3 (.*ldap2dbx.yaml:'
check "and so is a value that it does not take" said 'enableTokensConfig.*Some values are not allowed'
faults ''
apply_is 0 "when it takes them"
check_equal "they are set" "true true" "$(conf enableTokensConfig) $(conf enableGp3)"
call PATCH /api/2.0/workspace-conf '{"enableTokensConfig":"TRue"}' >/dev/null
second_plan_is_empty
configure "${settings/RESTRICT_TOKENS_AND_JOB_RUN_AS/ALLOW_ALL}"
: >"$work/a/requests.jsonl"
faults '{"match": "PATCH */settings/types/*", "status": 409, "body": {"error_code": "RESOURCE_CONFLICT", "message": "stale",
	"details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "metadata": {"etag": "not this one either"}}]}}'
apply_is 0 "another hand changed a setting in between, twice"
check_equal "it is tried once more with the etag of the refusal, then read again" "PATCH,PATCH,GET,PATCH" \
	"$(requests_of a '.path | contains("settings/types")' | jq -r .method | tail -n 4 | paste -sd,)"
second_plan_is_empty
configure "$settings"
apply_is 0 "and back"
write_mapping <<<""

# ---- who uses what goes ----

two=$(policies '.[] | select(.name == "two") | .policy_id')
call POST /api/2.1/clusters/create "{\"cluster_name\":\"nightly\",\"spark_version\":\"15.4.x-scala2.12\",\"node_type_id\":\"m5.large\",\"num_workers\":1,\"autotermination_minutes\":40,\"policy_id\":\"$two\"}" >/dev/null
run a plan
check "a plan says who uses what goes" said 'used by 1 cluster (nightly) and '
run a plan -o json
check_equal "as JSON, too" true "$(jq '.operations[] | select(.object.name == "two") | .note | startswith("used by 1 cluster (nightly) and ")' "$work/said")"
write_mapping <<<"$all"
second_plan_is_empty

# ---- an end in the middle ----

write_mapping <<<"${all}- {label: third, type: ALLOW, addresses: [203.0.113.0/24], in: [prod]}"
: >"$work/a/requests.jsonl"
faults '{"match": "POST */ip-access-lists", "after": true, "delay_ms": 60000}'
sent() {
	[ "$(lists 'map(.label) | index("third")')" != null ]
}
start_service a
check "a write is under way" wait_for 20 sent
stop_service a KILL
faults ''
start_service a
check "after a kill the service settles" wait_for 30 is_settled a
check_equal "the list was made once" 1 "$(lists 'map(select(.label == "third")) | length')"
check_equal "by one call" 1 "$(posts ip-access-lists)"
stop_service a
second_plan_is_empty
write_mapping <<<"$all"
apply_is 0 "and it is ours"
check_equal "so that it goes" 0 "$(lists 'map(select(.label == "third")) | length')"

# ---- an end in the middle, and the rule is gone by then ----

write_mapping <<<"${all/ip_access_lists:/- \{name: fourth, definition: \{autotermination_minutes: \{type: fixed, value: 50\}\}, in: [prod]\}
ip_access_lists:
- \{label: fifth, type: ALLOW, addresses: [203.0.113.0/24], in: [prod]\}}"
faults '{"match": "POST */ip-access-lists", "after": true, "delay_ms": 60000},
	{"match": "POST */policies/clusters/create", "after": true, "delay_ms": 60000}'
both_sent() {
	[ "$(lists 'map(.label) | index("fifth")')" != null ] && [ "$(policies 'map(.name) | index("fourth")')" != null ]
}
start_service a
check "two writes are under way" wait_for 20 both_sent
stop_service a KILL
faults ''
guard="{}"
configure "$settings"
write_mapping <<<"$all"
run a apply --auto-approve
check_equal "without its rule what was made is ours, and held" 3 "$code" || cat "$work/said"
check "the policy" said '- remove cluster policy "fourth"  \[held policies-'
check "with who uses it" said 'used by no cluster and '
check "the list" said '- remove ip access list "fifth"  \[held lists-'
guard="{policies: 10, lists: 10}"
configure "$settings"
run a approve all --auto-approve
apply_is 0 "approved"
check_equal "they go" "one,two later,offices" "$(policies 'map(.name) | sort | join(",")') $(lists 'map(.label) | sort | join(",")')"
second_plan_is_empty


# ---- what others put right ----

call POST /api/2.0/policies/clusters/create '{"name":"clash","definition":"{}"}' >/dev/null
call POST /api/2.0/ip-access-lists '{"label":"clash","list_type":"ALLOW","ip_addresses":["203.0.113.7"]}' >/dev/null
write_mapping <<<"${all/ip_access_lists:/- \{name: clash, definition: \{autotermination_minutes: \{type: fixed, value: 50\}\}, in: [prod]\}
ip_access_lists:
- \{label: clash, type: ALLOW, addresses: [203.0.113.0/24], in: [prod]\}}"
start_service a
check "others have those names" wait_for 30 grep -q 'msg=quarantined item=ip_access_list/ALLOW/clash' "$work/a-service.log"
call POST /api/2.0/policies/clusters/delete "{\"policy_id\":\"$(policies '.[] | select(.name == "clash") | .policy_id')\"}" >/dev/null
call DELETE "/api/2.0/ip-access-lists/$(lists '.[] | select(.label == "clash") | .list_id')" >/dev/null
ours_are_there() {
	[ "$(policies '.[] | select(.name == "clash") | .definition | fromjson | has("autotermination_minutes")')" = true ] &&
		[ "$(lists '.[] | select(.label == "clash") | .ip_addresses[0]')" = 203.0.113.0/24 ]
}
check "when they go ours are made, without anybody saying so" wait_for 60 ours_are_there
stop_service a

done_testing
