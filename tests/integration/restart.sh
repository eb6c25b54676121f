#!/usr/bin/env bash
# restart -- a clean stop and start reads nothing again, a kill reads all; the directory and Databricks may go away and come
# back under the running service, at its start, and together
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com

reads_of() {
	count_requests a '.method == "GET" and (.path | contains("scim/v2"))'
}

whole_searches() {
	grep -c 'SRCH base="ou=People.*filter="(objectClass=inetOrgPerson)"' "$SLAPD_LOG"
}

joins() {
	ldif <<-LDIF
		dn: uid=$1,ou=People,$base
		changetype: add
		objectClass: inetOrgPerson
		uid: $1
		cn: $1
		sn: Sample
		displayName: $1
		mail: $1@example.com
		employeeType: staff

		dn: cn=team-bi,ou=Teams,$base
		changetype: modify
		add: member
		member: uid=$1,ou=People,$base
	LDIF
}

is_member() {
	dump a | jq -es --arg name "$1@example.com" \
		'any(.[]; .kind == "group" and .name == "analysts" and (.members | index($name)))' >/dev/null
}

arrives() {
	check "$1 arrives$2" wait_for 30 is_member "$1" || ldap2dbx_in a status
	check "the service settles$2" wait_for 20 is_settled a
}

stop_slapd() {
	"$support/slapd" kill "${slapd_dirs[0]}"
}

start_slapd_again() {
	eval "$("$support/slapd" restart "${slapd_dirs[0]}")"
}

# The simulator goes, and comes back on the same ports with what it knew; or with what it did not save.
stop_simulator() {
	state_of a >/dev/null
	cp "$work/a/databricks.state" "$work/a/kept.state"
	stop_process "${simulator_pid[a]}" "$1"
	cp "$work/a/kept.state" "$work/a/databricks.state"
	port_of() { sim_of a "$1" | sed 's/.*://'; }
	ports=("$(port_of .account.host)" "$(port_of .workspaces.prod.host)" "$(port_of .workspaces.dev.host)")
}

start_simulator_again() {
	start_world_simulator a --listen "${ports[0]}" --workspace "prod:${ports[1]}" --workspace "dev:${ports[2]}"
}

"$top_srcdir/contrib/demo-company" "$base" >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif" --session-log 1000
make_world a
# Nothing of what is read again in the night must disturb.
extra="reconcile: {at: \"$(date -u -d '+12 hours' +%H:%M)\"}"
write_config a
start_service a
check "a first load" wait_for 30 is_settled a
joins one.sample
arrives one.sample ""

# ---- the service ----

before=$(reads_of)
stop_service a
joins two.sample
start_service a
arrives two.sample " after a clean stop"
check_equal "a clean stop and start reads nothing of Databricks" "$before" "$(reads_of)"
stop_service a KILL
start_service a
check "it settles after a kill" wait_for 20 is_settled a
check "a kill and start reads everything" [ "$(reads_of)" -gt $((before + 3)) ]
before=$(reads_of)
stop_service a
start_service a
check "it settles after a clean stop again" wait_for 20 is_settled a
check_equal "and reads nothing again" "$before" "$(reads_of)"
joins three.sample
arrives three.sample ""
ldap2dbx_in a plan >"$work/plan.log" 2>&1
check_equal "nothing is left to do" 0 $?
stop_service a
echo '# changed' >>"$work/a/mappings/company.yaml"
before=$(reads_of)
start_service a
check "it settles with other rules" wait_for 20 is_settled a
check "other rules read everything" [ "$(reads_of)" -gt $((before + 3)) ]

# ---- the directory ----

writes=$(count_requests a '.method == "PATCH" or .method == "DELETE"')
stop_slapd
sleep 1
start_slapd_again
joins four.sample
arrives four.sample " after the directory came back"
stop_slapd
start_slapd_again
joins five.sample
printf 'dn: uid=one.sample,ou=People,%s\nchangetype: delete\n' "$base" | ldif
arrives five.sample " after a change while the service was away"
inactive() {
	dump a | jq -es --arg name "$1@example.com" 'any(.[]; .name == $name and .active == false)' >/dev/null
}
check "a leaver of that time leaves" wait_for 20 inactive one.sample
# Two joiners into two groups each, and a leaver out of two.
check "and nothing else was changed" [ $(($(count_requests a '.method == "PATCH" or .method == "DELETE"') - writes)) -le 7 ]

# ---- Databricks ----

for signal in TERM KILL; do
	stop_simulator $signal
	joins "while.${signal,,}"
	sleep 2
	start_simulator_again
	arrives "while.${signal,,}" " after Databricks came back from SIG$signal"
done
stop_service a
stop_simulator TERM
start_service a
sleep 1
start_simulator_again
joins six.sample
arrives six.sample " when Databricks came later than the service"

# ---- both, and the service killed between ----

stop_slapd
stop_simulator TERM
stop_service a KILL
start_service a
sleep 1
start_simulator_again
start_slapd_again
joins seven.sample
arrives seven.sample " after all three were gone"
ldap2dbx_in a plan >"$work/plan.log" 2>&1
check_equal "nothing is left to do at the end" 0 $? || cat "$work/plan.log"
check_equal "nobody is quarantined" '[]' "$(ldap2dbx_in a status -o json | jq -c .quarantine)"
stop_service a
check "the service ends well" grep -q 'msg=stopped' "$work/a-service.log"

done_testing
