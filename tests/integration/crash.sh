#!/usr/bin/env bash
# crash -- kill -9 at random moments of a first load and of a stream of changes, while Databricks loses answers after
# their effect: the end is that of an undisturbed run, nothing is made twice, nothing goes that should stay
#
# usage: crash.sh [KILLS]     half of them in the first load, half in the changes
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

kills=${1:-20}
base=dc=example,dc=com
seed_naps

# A life of the service in world $1, ended at a random moment.
short_life() {
	start_service "$1"
	random_nap 2000
	stop_service "$1" KILL
}

# What is left of a leaver's attributes depends on when he was seen last.
settled_facts() {
	dump "$1" | jq -c 'if .active then . else .displayName = null end'
}

# Whether world $1 ends as the undisturbed world $2.
same_end() {
	settled_facts "$1" >"$work/wild.dump"
	settled_facts "$2" >"$work/calm.dump"
	[ -s "$work/calm.dump" ] && cmp -s "$work/wild.dump" "$work/calm.dump"
}

show_difference() {
	diff "$work/calm.dump" "$work/wild.dump" | cut -c 1-1000
}

person() {
	printf 'uid=%s,ou=People,%s' "$1" "$base"
}

print_team_change() {
	printf 'dn: cn=team-%s,ou=Teams,%s\nchangetype: modify\n%s: member\nmember: %s\n\n' "$1" "$base" "$2" "$(person "$3")"
}

print_joiner() {
	printf 'dn: %s\nchangetype: add\nobjectClass: inetOrgPerson\nuid: %s\ngivenName: Joy\nsn: %s\ncn: Joy %s\n' \
		"$(person "$1")" "$1" "$1" "$1"
	printf 'displayName: Joy %s\nmail: %s@example.com\nemployeeType: staff\n\n' "$1" "$1"
	print_team_change bi add "$1"
}

# What happens in the company on day $1; few enough leave for the guard to let them go.
print_day() {
	local joiner=joy.n$1 before=joy.n$(($1 - 1)) earlier=joy.n$(($1 - 5))
	print_joiner "$joiner"
	[ "$1" -gt 0 ] || return
	printf 'dn: %s\nchangetype: modify\nreplace: displayName\ndisplayName: Renamed %s\n\n' "$(person "$before")" "$before"
	print_team_change data-science add "$before"
	[ $(($1 % 2)) = 1 ] || [ "$1" -gt 16 ] || print_team_change bi delete "$before"
	[ $(($1 % 5)) != 0 ] || [ "$1" -gt 40 ] || printf 'dn: %s\nchangetype: delete\n\n' "$(person "$earlier")"
	[ "$1" -gt 8 ] || print_groups "$1"
	printf 'dn: uid=svc-n%d,ou=Services,%s\nchangetype: add\nobjectClass: account\nuid: svc-n%d\n\n' "$1" "$base" "$1"
}

# A group comes, and the one of three days before goes.
print_groups() {
	printf 'dn: cn=dbx-n%d,ou=Groups,%s\nchangetype: add\nobjectClass: groupOfNames\ncn: dbx-n%d\n' "$1" "$base" "$1"
	printf 'member: cn=team-bi,ou=Teams,%s\n\n' "$base"
	[ "$1" -le 3 ] || printf 'dn: cn=dbx-n%d,ou=Groups,%s\nchangetype: delete\n\n' $(($1 - 3)) "$base"
}

# What was asked to be deleted, each once.
deleted() {
	requests_of "$1" '.method == "DELETE"' | jq -r .path | sort -u | wc -l
}

"$top_srcdir/contrib/demo-company" "$base" >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"
cat >"$work/faults.json" <<'JSON'
{"seed": 1, "rules": [
 {"match": "GET *", "fault": "cut-before", "probability": 0.01},
 {"match": "* *scim/v2/*", "fault": "lost-reply", "probability": 0.1},
 {"match": "* *permissionassignments/*", "fault": "lost-reply", "probability": 0.2}]}
JSON
make_world calm
make_world wild --latency 100 --faults "$work/faults.json"

# ---- the first load ----

ldap2dbx_in calm apply --auto-approve >"$work/calm.log" 2>&1
check_equal "the undisturbed first load" 0 $?
for ((i = 0; i < kills / 2; i++)); do
	short_life wild
done
start_service wild
check "a first load with $((kills / 2)) kills ends as an undisturbed one" wait_for 60 same_end wild calm || show_difference
stop_service wild KILL

# ---- changes ----

start_service calm
check "the undisturbed service follows" wait_for 20 is_settled calm
for ((i = 0; i < (kills + 1) / 2; i++)); do
	start_service wild
	random_nap 2000
	print_day $i | ldif
	random_nap 2000
	stop_service wild KILL
done
start_service wild
check "changes with $(((kills + 1) / 2)) kills end as undisturbed ones" wait_for 60 same_end wild calm || show_difference
check "and nothing is left to do" wait_for 60 is_settled wild

# ---- afterwards ----

check_equal "nothing was deleted on the way" "$(deleted calm)" "$(deleted wild)"
check_equal "nothing is held" 0 "$(ldap2dbx_in wild status -o json | jq '.holds | length')"
check_equal "nothing is quarantined" '[]' "$(ldap2dbx_in wild status -o json | jq -c .quarantine)"
kill -HUP "${simulator_pid[wild]}"
ldap2dbx_in wild plan >"$work/plan.log" 2>&1
check_equal "the next plan is empty" 0 $? || cat "$work/plan.log"
stop_service wild
ldap2dbx_in wild audit verify >"$work/audit.log" 2>&1
check_equal "the audit holds" 0 $?
check_equal "no intent is open" 0 "$(sqlite3 "$work/wild/state.db" 'SELECT count(*) FROM intent')"

# ---- removals that just pass the guard: a crash must not count them twice ----

# A dozen lose their place in a group that they are in through a team; six leave, and their places follow.
print_cut() {
	printf 'dn: cn=dbx-staff,ou=Groups,%s\nchangetype: modify\ndelete: member\n' "$base"
	printf 'member: cn=team-data-engineering,ou=Teams,%s\n\n' "$base"
	ldapsearch -Q -Y EXTERNAL -H "$LDAPI_URI" -LLL -b "cn=team-infrastructure,ou=Teams,$base" member |
		sed -n 's/^member: \(.*\)/dn: \1\nchangetype: delete\n/p' | head -n 18
}

stop_service calm
guard="{members: 12, users: 6, minimum: 0}"
make_world full
make_world torn --latency 100 --faults "$work/faults.json"
for name in full torn; do
	ldap2dbx_in $name apply --auto-approve >"$work/$name.log" 2>&1
	check_equal "$name: the first load" 0 $?
done
start_service full
check "the undisturbed one follows" wait_for 20 is_settled full
print_cut | ldif
for ((i = 0; i < (kills + 3) / 4; i++)); do
	short_life torn
done
start_service torn
check "removals with $(((kills + 3) / 4)) kills end as undisturbed ones" wait_for 60 same_end torn full || show_difference
check "and nothing is left of them" wait_for 60 is_settled torn
check_equal "none is held" "0 0" \
	"$(ldap2dbx_in full status -o json | jq '.holds | length') $(ldap2dbx_in torn status -o json | jq '.holds | length')"

done_testing
