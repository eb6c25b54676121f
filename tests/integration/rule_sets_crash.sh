#!/usr/bin/env bash
# rule_sets_crash -- kill -9 at random moments while roles are given and taken back, Databricks loses answers after their
# effect, and somebody else writes the same rule sets: the end is what the rules say, and not an entry of others is lost
#
# usage: rule_sets_crash.sh [KILLS]
# shellcheck source=rules_world.sh
. "$(dirname "$0")/rules_world.sh"

kills=${1:-12}
groups=10
seed_naps

# All rule sets, without what the creator of a group has.
all_rules() {
	local team
	for ((team = 1; team <= groups; team++)); do
		rule_set "groups/${ids[$team]}" | sed "s/^/$team /"
	done | grep -v " servicePrincipals/"
	rule_set "" | sed 's/^/account /'
}

all_are() {
	all_rules | sort >"$work/now"
	cmp -s "$work/now" "$1"
}

# The other writer: gives and takes a role of its own in one rule set after the other, until it is told to stop.
others_write() {
	local team
	while [ -e "$work/writing" ]; do
		team=$((RANDOM % groups + 1))
		add_rule "groups/${ids[$team]}" roles/group.assumer users/bo@example.com
		drop_rule "groups/${ids[$team]}" roles/group.assumer users/bo@example.com
	done 2>/dev/null
}

# Its last step may have met a writer that was faster.
settle_others() {
	local team
	for ((team = 1; team <= groups; team++)); do
		wait_for 10 drop_rule "groups/${ids[$team]}" roles/group.assumer users/bo@example.com
	done
}

echo '{"rules": []}' >"$work/faults.json"
{
	people_and_groups
	for ((team = 1; team <= groups; team++)); do
		printf '\ndn: cn=team-%d,ou=Groups,%s\nobjectClass: groupOfNames\ncn: team-%d\nmember: uid=ada,ou=People,%s\n' \
			"$team" "$base" "$team" "$base"
	done
} >"$work/people.ldif"
start_slapd --ldif "$work/people.ldif"
guard="{permissions: 1000, groups: 10, minimum: 0}"
make_world a --latency 10 --faults "$work/faults.json"
mapping() { # MANAGES
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: "(|(cn=dbx-*)(cn=team-*))"}
		  group: {displayName: "\${cn}"}
		grants:
		- to: {group: dbx-etl-rw}
		  workspaces: {prod: USER}
		$1
	YAML
}
mapping ''
run a apply --auto-approve
check_equal "the groups are there" 0 "$code"
state_of a >"$work/state"
for ((team = 1; team <= groups; team++)); do
	ids[team]=$(jq -r --arg name "team-$team" '.group // empty | select(.displayName == $name) | .id' "$work/state")
	add_rule "groups/${ids[$team]}" roles/group.manager users/cy@example.com
done
add_rule "" roles/marketplace.admin users/cy@example.com
all_rules | sort >"$work/less"
{
	cat "$work/less"
	for ((team = 1; team <= groups; team++)); do echo "$team roles/group.manager groups/dbx-ops-ro"; done
	echo "account roles/billing.admin groups/dbx-ops-ro"
} | sort >"$work/full"
cat >"$work/faults.json" <<'JSON'
{"seed": 1, "rules": [
 {"match": "PUT */access-control/rule-sets", "fault": "lost-reply", "probability": 0.15},
 {"match": "PUT */access-control/rule-sets", "fault": "patch-conflict", "probability": 0.1},
 {"match": "GET */access-control/rule-sets", "fault": "cut-before", "probability": 0.05}]}
JSON
kill -HUP "${simulator_pid[a]}"

teams=$(for ((team = 1; team <= groups; team++)); do printf '%steam-%d' "${sep-}" "$team" && sep=', '; done)
touch "$work/writing"
others_write &
writer=$!
mapping "- to: {group: dbx-ops-ro}
  manages: {groups: [$teams]}
  roles: [billing.admin]"
for ((i = 0; i < kills / 2; i++)); do
	start_service a
	random_nap 700
	stop_service a KILL
done
start_service a
wait_for 30 is_settled a
rm "$work/writing"
wait "$writer"
echo '{"rules": []}' >"$work/faults.json"
kill -HUP "${simulator_pid[a]}"
settle_others
check "given, with $((kills / 2)) kills and another writer" wait_for 30 all_are "$work/full" || diff "$work/full" "$work/now"
stop_service a KILL

cat >"$work/faults.json" <<'JSON'
{"seed": 2, "rules": [
 {"match": "PUT */access-control/rule-sets", "fault": "lost-reply", "probability": 0.2},
 {"match": "GET */access-control/rule-sets", "fault": "cut-before", "probability": 0.05}]}
JSON
kill -HUP "${simulator_pid[a]}"
mapping ''
for ((i = 0; i < kills / 2; i++)); do
	start_service a
	random_nap 700
	stop_service a KILL
done
start_service a
check "taken back, with $((kills / 2)) kills" wait_for 30 all_are "$work/less" || diff "$work/less" "$work/now"
check "and it settles" wait_for 30 is_settled a
stop_service a
check_equal "our own lost answers are nobody's drift" 0 "$(grep -c 'drift: a rule set' "$work/a-service.log")"
echo '{"rules": []}' >"$work/faults.json"
kill -HUP "${simulator_pid[a]}"
run a plan
check_equal "then nothing is left to do" 0 "$code"
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
done_testing
