#!/usr/bin/env bash
# guard -- the people's branch is emptied, one delete after the other, under the running service: no more than the
# allowance goes, the rest is held and survives a restart, additions go on, approval and rejection take exactly what they
# name, and restoring the branch dissolves the holds
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com
allowance=10 # the minimum; 5 % of some 94 users are less

count_inactive() {
	dump a | jq -s '[.[] | select(.kind == "user" and .active == false)] | length'
}

is_inactive() {
	[ "$(count_inactive)" = "$1" ]
}

active_users() {
	dump a | jq -r 'select(.kind == "user" and .active).name'
}

count_held() {
	ldap2dbx_in a status -o json | jq '[.holds[].count] | add // 0'
}

held_is() {
	[ "$(count_held)" = "$1" ]
}

# The ids and names of what is held.
list_held() {
	ldap2dbx_in a approve all --dry-run -o json 2>/dev/null | jq -r '.operations[] | [.id, .object.name] | @tsv'
}

list_people() {
	ldapsearch -Q -Y EXTERNAL -H "$LDAPI_URI" -LLL -b "ou=People,$base" '(objectClass=inetOrgPerson)' 1.1 | sed -n 's/^dn: //p'
}

add_joiner() {
	ldif <<-LDIF
		dn: uid=$1,ou=People,$base
		changetype: add
		objectClass: inetOrgPerson
		uid: $1
		givenName: Joy
		sn: Sample
		cn: Joy Sample
		mail: $1@example.com
		employeeType: staff
	LDIF
	add_to_team "$1"
}

add_to_team() {
	ldif <<-LDIF
		dn: cn=team-bi,ou=Teams,$base
		changetype: modify
		add: member
		member: uid=$1,ou=People,$base
	LDIF
}

has_member() {
	dump a | jq -es --arg group "$1" --arg member "$2" \
		'any(.[]; .kind == "group" and .name == $group and (.members | index($member)))' >/dev/null
}

# The branch as it is, with entryUUIDs, and who is in which group.
save_branch() {
	ldapsearch -Q -Y EXTERNAL -H "$LDAPI_URI" -LLL -o ldif-wrap=no -b "ou=People,$base" '(objectClass=inetOrgPerson)' \
		objectClass uid givenName sn cn displayName mail employeeNumber employeeType departmentNumber ou title \
		pwdAccountLockedTime entryUUID >"$work/people.ldif"
	ldapsearch -Q -Y EXTERNAL -H "$LDAPI_URI" -LLL -o ldif-wrap=no -b "$base" '(objectClass=groupOfNames)' member |
		sed 's/^dn:.*/&\nchangetype: modify\nreplace: member/' >"$work/members.ldif"
}

restore_branch() {
	ldapadd -c -x -H "$LDAPI_URI" -D "$ADMIN_DN" -w "$ADMIN_PASSWORD" -e '!relax' -f "$work/people.ldif" >"$work/restore.log" 2>&1
	ldif <"$work/members.ldif"
	add_to_team joy.sample # who came when the branch was saved already
}

"$top_srcdir/contrib/demo-company" "$base" | grep -v '^manager:' >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"
make_world a
ldap2dbx_in a apply --auto-approve >"$work/apply.log" 2>&1
check_equal "the first load" 0 $?
dump a >"$work/before.dump"
users=$(count_inactive) # locked ones are made inactive
save_branch

# ---- the branch is emptied ----

start_service a
check "the service follows" wait_for 20 is_settled a
# Two thirds now, the rest later. The first of them slowly, or all would be one batch and held whole.
list_people | awk 'NR % 3 > 0 {print "dn: " $0 "\nchangetype: delete\n"}' >"$work/leavers.ldif"
head -n 105 "$work/leavers.ldif" | while IFS= read -r line; do
	printf '%s\n' "$line"
	[ -n "$line" ] || sleep 0.1
done | ldif
check "the allowance goes" wait_for 20 is_inactive $((users + allowance))
tail -n +106 "$work/leavers.ldif" | ldif
check "the service settles" wait_for 20 is_settled a
check_equal "and no more than that" $((users + allowance)) "$(count_inactive)"
held=$(count_held)
check "the rest is held" [ "$held" -gt 30 ]
check "who is held keeps his groups" eval "ldap2dbx_in a explain '$(list_held | head -n 1 | cut -f 2)' -o json | jq -e '.groups | length > 0' >/dev/null"
check "a person is told" grep -q 'removal held' "$work/a-service.log"
check "status says so" eval "ldap2dbx_in a status | grep -q -i held"
add_joiner joy.sample
check "additions go on" wait_for 20 has_member analysts joy.sample@example.com

# ---- a restart ----

list_held | sort >"$work/held.before"
stop_service a
start_service a
check "the service follows again" wait_for 20 is_settled a
list_held | sort >"$work/held.after"
check "a restart keeps the holds" cmp "$work/held.before" "$work/held.after"
stop_service a KILL
start_service a
check "the service follows after a kill" wait_for 20 is_settled a
list_held | sort >"$work/held.after"
check "a kill keeps the holds" cmp "$work/held.before" "$work/held.after"
check_equal "and nobody goes" $((users + allowance)) "$(count_inactive)"

# ---- approve and reject ----

chosen=$(head -n 3 "$work/held.before")
ldap2dbx_in a approve "$(cut -f 1 <<<"$chosen" | paste -sd,)" --auto-approve >"$work/approve.log" 2>&1
check_equal "three are approved" 0 $?
check "three go" wait_for 20 is_inactive $((users + allowance + 3))
check "those three" eval '[ -z "$(active_users | grep -Fx -f <(cut -f 2 <<<"$chosen"))" ]'
check "the others are still held" wait_for 5 held_is $((held - 3))
refused=$(sed -n 4p "$work/held.before")
ldap2dbx_in a reject "$(cut -f 1 <<<"$refused")" --auto-approve --reason "stays for a while" >"$work/reject.log" 2>&1
check_equal "one is rejected" 0 $?
check "it is not held any more" wait_for 5 held_is $((held - 4))
check "status lists it as rejected" eval \
	'ldap2dbx_in a status -o json | jq -e ".rejected | map(.count) == [1] and .[0].reason == \"stays for a while\"" >/dev/null'
ldap2dbx_in a approve all --dry-run -o json | jq -r '.operations[].id' >"$work/all"
check "all does not mean it" eval '! grep -qxF "$(cut -f 1 <<<"$refused")" "$work/all"'
stop_service a
check "nor does a stopped one forget it" eval 'ldap2dbx_in a status -o json | jq -e ".rejected | length == 1" >/dev/null'
start_service a
check "the service follows with it" wait_for 20 is_settled a
second=$(sed -n 5p "$work/held.before")
for one in "$refused" "$second"; do
	ldap2dbx_in a reject "$(cut -f 1 <<<"$one")" --auto-approve --reason "stays longer" >"$work/reject.log" 2>&1
	check_equal "one more is rejected, and one anew" 0 $?
done
ldap2dbx_in a approve "$(cut -f 1 <<<"$second")" --auto-approve >"$work/approve.log" 2>&1
check_equal "a rejected one is approved after all" 0 $? || cat "$work/approve.log"
check "it goes" wait_for 20 is_inactive $((users + allowance + 4))
list_people | sed -n '1,5s/.*/dn: &\nchangetype: delete\n/p' | ldif
check "later ones are held" wait_for 20 eval '[ "$(count_held)" -gt $((held - 5)) ]'
check "the service settles again" wait_for 20 is_settled a
check_equal "nobody else went" $((users + allowance + 4)) "$(count_inactive)"
ldap2dbx_in a plan >"$work/plan.log" 2>&1
check_equal "a plan has only held ones" 3 $?

# ---- restored ----

restore_branch
check "the branch is back: no holds" wait_for 20 held_is 0 || ldap2dbx_in a status
check "everybody is active again" wait_for 20 is_inactive "$users"
check "the service settles at last" wait_for 20 is_settled a
dump a | grep -v joy.sample >"$work/after.dump"
grep -v '"kind":"group"' "$work/before.dump" >"$work/before.people"
check "as it was before" eval 'grep -v "\"kind\":\"group\"" "$work/after.dump" | diff - "$work/before.people"'
ldap2dbx_in a plan >"$work/plan.log" 2>&1
check_equal "nothing is left to do" 0 $? || cat "$work/plan.log"
stop_service a
inactive=$(count_inactive)

# ---- one edit that lets nobody in ----

sed -i 's/when: in_group.*/when: false/' "$work/a/mappings/company.yaml"
before=$(count_requests a '.method == "PATCH" or .method == "DELETE"')
start_service a
check "a mass change is held" wait_for 20 eval '[ "$(count_held)" -ge 90 ]'
check "the service settles with it" wait_for 20 is_settled a
check_equal "it is held whole" "$inactive" "$(count_inactive)"
check_equal "not one removal is sent" "$before" "$(count_requests a '.method == "PATCH" or .method == "DELETE"')"

done_testing
