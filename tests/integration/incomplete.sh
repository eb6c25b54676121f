#!/usr/bin/env bash
# incomplete -- a directory search that is cut short: nothing of ours is removed, neither by a plan nor by the service, it
# is said why, and once the directory is whole again everything goes on by itself
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com
octets=20000 # of some 100,000 that a whole read takes: the second page of the people

people_limit() {
	ldapmodify -x -H "$LDAPI_URI" -D cn=config -w "$ADMIN_PASSWORD" >/dev/null <<-LDIF
		dn: olcDatabase={1}mdb,cn=config
		changetype: modify
		replace: olcLimits
		olcLimits: {0}dn.exact="$SERVICE_DN" size=$1 time=unlimited
	LDIF
}

# The removals of every kind that world $1 was asked to make.
removals() {
	requests_of "$1" '.method == "DELETE" or .method == "PATCH"' | wc -l
}

# plan_says NAME WORDS: the plan of the world removes nothing, is no clean one, and says WORDS
plan_says() {
	local code before after
	before=$(removals a)
	ldap2dbx_in a plan -o json >"$work/plan.json" 2>"$work/plan.log"
	code=$?
	after=$(removals a)
	ldap2dbx_in a plan >"$work/plan.text" 2>>"$work/plan.log"
	check_equal "plan, $1: no removal" "0 0" "$(jq '[.operations[] | select(.removal)] | length' "$work/plan.json") $((after - before))"
	check_equal "plan, $1: exit status" 4 $code
	check "plan, $1: says why" grep -q "$2" "$work/plan.text" || tail -n 20 "$work/plan.text" "$work/plan.log"
}

# service_waits NAME WORDS: a service that starts now removes nothing, and its status says WORDS
status_says() {
	ldap2dbx_in a status -o json 2>/dev/null | jq -r '.sources[] | .error, (.searches[].error)' | grep -q "$1"
}

service_waits() {
	local before
	before=$(removals a)
	start_service a
	check "service, $1: says why" wait_for 15 status_says "$2" || ldap2dbx_in a status -o json
	sleep 0.5 # time for a mistake
	check_equal "service, $1: nothing removed" "$before" "$(removals a)"
}

active() {
	[ "$(dump a | jq -r "select(.name == \"$1\").active")" = "$2" ]
}

# goes_on NAME: the service that waits takes up the leaver that it could not be sure of, and has nothing else to do
goes_on() {
	check "service, $1: goes on by itself" wait_for 20 active "$leaver" false
	check "service, $1: settles" wait_for 20 is_settled a
	check "service, $1: the leaver was asked for by anchor" asked_for "$anchor"
	stop_service a
	ldap2dbx_in a plan >"$work/plan.text" 2>&1
	check_equal "service, $1: and all is well" 0 $? || cat "$work/plan.text"
}

# Whether slapd was asked, since that person left, for the entryUUID $1, which its log has as octets.
asked_for() {
	local octets
	octets=$(sed 's/-//g;s/../\\\\&/g' <<<"$1")
	tail -n "+$log_from" "$SLAPD_LOG" | grep -qiE "filter=.*entryUUID=($1|$octets)"
}

# Lets one person go, so that there is a removal that is right.
leave() {
	anchor=$(ldapsearch -Q -Y EXTERNAL -H "$LDAPI_URI" -LLL -b "uid=$1,ou=People,$base" -s base entryUUID | sed -n 's/^entryUUID: //p')
	leaver=$1@example.com
	printf 'dn: uid=%s,ou=People,%s\nchangetype: delete\n' "$1" "$base" | ldif
	log_from=$(wc -l <"$SLAPD_LOG")
}

# The service forgets what it read before: it must read everything again.
forget_entries() {
	sqlite3 "$work/a/state.db" 'DELETE FROM entry; DELETE FROM cookie; DELETE FROM meta WHERE name = "searches"'
}

"$top_srcdir/contrib/demo-company" "$base" >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"
start_process "$work/proxy.port" "$top_builddir/tests/support/cut-proxy" "${URI##*:}" $octets
proxy=$!
wait_for 5 test -s "$work/proxy.port"
kill -USR1 $proxy
make_world a
# Retries are slow enough to be seen, and fast enough to be waited for.
uri=ldap://127.0.0.1:$(cat "$work/proxy.port")
extra="reconcile: {at: \"02:00\"}"
write_config a
ldap2dbx_in a apply --auto-approve >"$work/apply.log" 2>&1
check_equal "the first load" 0 $?
ldap2dbx_in a plan >"$work/plan.log" 2>&1
check_equal "a whole directory: nothing to do" 0 $?

people_limit 50
plan_says "size limit" "[Ss]ize limit"
people_limit unlimited

kill -USR2 $proxy
plan_says "connection lost in a page" "incomplete"
kill -USR1 $proxy

sed -i.good 's/ou=People,dc/ou=Persons,dc/' "$work/a/mappings/company.yaml"
plan_says "wrong base" "noSuchObject"
mv "$work/a/mappings/company.yaml.good" "$work/a/mappings/company.yaml"

printf wrong >"$work/a/ldap-password"
plan_says "bind refused" "invalidCredentials"
printf '%s' "$SERVICE_PASSWORD" >"$work/a/ldap-password"

"$support/slapd" kill "${slapd_dirs[0]}"
plan_says "no server" "incomplete"
eval "$("$support/slapd" restart "${slapd_dirs[0]}")"

# ---- the service, at its start ----

leave ada.example
people_limit 50
service_waits "size limit" "[Ss]ize limit"
people_limit unlimited
goes_on "size limit"

leave ben.muster
kill -USR2 $proxy
forget_entries
service_waits "connection lost in a page" "."
kill -USR1 $proxy
goes_on "connection lost in a page"

leave carla.muster
forget_entries
"$support/slapd" kill "${slapd_dirs[0]}"
service_waits "no server" "."
eval "$("$support/slapd" restart "${slapd_dirs[0]}")"
goes_on "no server"

done_testing
