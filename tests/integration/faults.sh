#!/usr/bin/env bash
# faults -- first loads into a Databricks where one thing or another goes wrong all the time: each ends as it should, with
# nothing made twice and nothing left to do
#
# usage: faults.sh [NAME]...     only the worlds of these names; "dropped", which takes over a minute, only by its name
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com
worlds=()
chosen=" $* "

# world NAME RULES [SIMULATOR OPTION]...: a service that starts on an empty Databricks with these faults
world() {
	local name=$1 rules=$2
	shift 2
	[ "$chosen" = "  " ] || [[ $chosen == *" $name "* ]] || return 0
	printf '{"seed": 7, "rules": [%s]}\n' "$rules" >"$work/$name.faults"
	worlds+=("$name")
	make_world "$name" --faults "$work/$name.faults" "$@"
	start_service "$name"
}

# often FAULT...: each hits one request in twenty of those that read or write principals
often() {
	local fault separator=
	for fault in "$@"; do
		printf '%s{"match": "* *scim/v2/*", "fault": "%s", "probability": 0.05}' "$separator" "$fault"
		separator=,
	done
}

same_end() {
	dump "$1" >"$work/$1.dump"
	cmp -s "$work/$1.dump" "$work/calm.dump"
}

# From here on nothing goes wrong.
end_faults() {
	echo '[]' >"$work/$1.faults"
	kill -HUP "${simulator_pid[$1]}"
}

plan_is_empty() {
	ldap2dbx_in "$1" plan >"$work/$1-plan.log" 2>&1
}

"$top_srcdir/contrib/demo-company" "$base" >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif" --log 0
make_world calm
ldap2dbx_in calm apply --auto-approve >"$work/calm.log" 2>&1
check_equal "a first load where nothing goes wrong" 0 $?
dump calm >"$work/calm.dump"

world throttled "$(often throttle-sec throttle-float throttle-neg)"
world throttled-bare "$(often throttle-bare)"
world disguised "$(often scim-500-limit code-400-limit bucket-text)"
world broken "$(often 500 scim-null 503 503-html 503-retry-after 502-text)"
world garbage "$(often garbage-string garbage-number garbage-byte login-page)"
world cut "$(often cut-before lost-reply 504-applied half-body)"
world stale '{"match": "POST *", "fault": "fresh-404", "probability": 0.3},
	{"match": "POST *", "fault": "list-lag", "probability": 0.3},
	{"match": "PATCH *", "fault": "stale-get", "probability": 0.3}, {"match": "PATCH *", "fault": "flap", "probability": 0.3},
	{"match": "POST *", "fault": "lost-reply", "probability": 0.1}'
world stale-services '{"match": "POST *ServicePrincipals", "cut": "after", "stale": {"reads": 3, "list_reads": 3}, "times": 3}'
world short-tokens '{"match": "POST *", "fault": "revoke-tokens", "probability": 0.05}' --token-lifetime 5 --latency 30
world sign-in '{"match": "POST */v1/token", "fault": "oauth-throttle", "times": 2},
	{"match": "POST */v1/token", "fault": "503", "times": 2}'
world assignment '{"match": "* *permissionassignments*", "fault": "late-principal", "times": 2},
	{"match": "PUT *permissionassignments*", "fault": "item-error", "times": 2},
	{"match": "* *permissionassignments*", "fault": "lost-reply", "probability": 0.3}'
world quirks "$(often 503)" --quirk wide-ids=on --quirk patch-no-content=on --quirk text-plain=on \
	--quirk expires-in-text=on --quirk strict-remove=on --page-max 7
world wide-ids "$(often lost-reply)" --quirk wide-ids=on

[ "$chosen" = "  " ] || world dropped '{"match": "PATCH *accounts*/Groups/*", "skip": 2, "times": 2, "status": 200, "body":
	{"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "id": "1", "displayName": "x", "members": []}}'

all_same_end() {
	local name
	for name in "${worlds[@]}"; do
		same_end "$name" || return 1
	done
}

# Things go wrong for a while, then no more. What was quarantined in good faith, a person would ask for again.
wait_for 15 all_same_end
for name in "${worlds[@]}"; do
	end_faults "$name"
	ldap2dbx_in "$name" retry all >>"$work/$name-retry.log" 2>&1
done
for name in "${worlds[@]}"; do
	# Members that were dropped are missed after a minute, when reads no longer lag.
	check "$name: ends as it should" wait_for 75 same_end "$name" || diff "$work/calm.dump" "$work/$name.dump" | cut -c 1-300
	check "$name: settles" wait_for 30 is_settled "$name"
	# A plan knows nothing of the writes that the service has just made: reads that lag show it their past.
	check "$name: nothing is left to do" wait_for 20 plan_is_empty "$name" || cat "$work/$name-plan.log"
done

# ---- the store is lost, and service principals cannot be listed: none is made twice ----

name=${worlds[0]}
stop_service "$name"
rm "$work/$name/state.db"*
printf '[{"match": "GET *ServicePrincipals?*startIndex*", "status": 403, "body": {}, "times": 0}]' >"$work/$name.faults"
kill -HUP "${simulator_pid[$name]}"
posts=$(count_requests "$name" '.method == "POST" and (.path | endswith("ServicePrincipals"))')
start_service "$name"
check "a lost store: the service follows" wait_for 40 is_settled "$name"
check_equal "a lost store: no service principal is made" "$posts" \
	"$(count_requests "$name" '.method == "POST" and (.path | endswith("ServicePrincipals"))')"
end_faults "$name"
check "a lost store: the same end" same_end "$name"

done_testing
