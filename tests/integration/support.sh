#!/usr/bin/env bash
# support -- what the other tests lean on: the throw-away slapd, the sample company, and the clock of ldif-apply
# shellcheck source=../support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

count_entries() {
	ldapsearch -Q -Y EXTERNAL -H "$LDAPI_URI" -LLL -b "$BASE" "$1" 1.1 2>/dev/null | grep -c '^dn:'
}

is_between() {
	[ "$1" -lt "$2" ] && [ "$2" -lt "$3" ]
}

# libldap takes certificates from the environment, which LDAPNOINIT forbids.
who_am_i() {
	env -u LDAPNOINIT LDAPTLS_CACERT="$CA_FILE" ldapwhoami "$@" 2>&1
}

"$top_srcdir/contrib/demo-company" >"$work/one.ldif"
LC_ALL=C.UTF-8 "$top_srcdir/contrib/demo-company" >"$work/two.ldif"
check "the company is the same every time" cmp "$work/one.ldif" "$work/two.ldif"
check_equal "no two people share a uid" "" "$(sed -n 's/^uid: //p' "$work/one.ldif" | sort | uniq -d)"

start_slapd --ldif "$work/one.ldif" --tls
check_equal "all people are there" 200 "$(count_entries '(objectClass=inetOrgPerson)')"
check_equal "a group may hold a team" 1 \
	"$(count_entries '(&(cn=dbx-analysts)(member=cn=team-bi,ou=Teams,dc=example,dc=com))')"
check_equal "memberOf is filled" 15 "$(count_entries '(memberOf=cn=team-backend,ou=Teams,dc=example,dc=com)')"
check_equal "four people are locked" 4 "$(count_entries '(pwdAccountLockedTime=*)')"

check_equal "ldapi: EXTERNAL is the service" "dn:$SERVICE_DN" "$(who_am_i -Q -Y EXTERNAL -H "$LDAPI_URI")"
check_equal "ldaps with a client certificate: EXTERNAL is the service" "dn:$SERVICE_DN" \
	"$(LDAPTLS_CERT=$CLIENT_CERT LDAPTLS_KEY=$CLIENT_KEY who_am_i -Q -Y EXTERNAL -H "$LDAPS_URI")"
check_equal "StartTLS and a password" "dn:$SERVICE_DN" \
	"$(who_am_i -x -ZZ -H "$URI" -D "$SERVICE_DN" -w "$SERVICE_PASSWORD")"

before=$(monotonic_ns)
confirmed=$(printf 'dn: cn=new,ou=Groups,%s\nobjectClass: groupOfNames\ncn: new\nmember: %s\n' "$BASE" "$ADMIN_DN" |
	"$top_builddir/tests/support/ldif-apply" "$LDAPI_URI" "$ADMIN_DN" "$ADMIN_PASSWORD")
after=$(monotonic_ns)
check_equal "ldif-apply names what it wrote" "cn=new,ou=Groups,$BASE" "${confirmed#* }"
check "its clock is CLOCK_MONOTONIC" is_between "$before" "${confirmed%% *}" "$after"

old_uri=$URI
old_pid=$SLAPD_PID
"$support/slapd" kill "${slapd_dirs[0]}"
check "a killed server is gone" process_gone "$old_pid"
eval "$("$support/slapd" restart "${slapd_dirs[0]}")"
check_equal "a restarted one has its port" "$old_uri" "$URI"
check_equal "and its data" 1 "$(count_entries '(cn=new)')"

"$support/slapd" down "${slapd_dirs[0]}"
check "down leaves nothing" [ ! -e "${slapd_dirs[0]}" ]
mkdir "$work/mine"
check "down spares what it did not make" eval "! '$support/slapd' down '$work/mine' 2>/dev/null && [ -e '$work/mine' ]"

done_testing
