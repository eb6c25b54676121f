#!/usr/bin/env bash
# planfile -- apply FILE does exactly what the file says, or less: not what came later, not what has moved on, nothing of
# what is held, nothing at all when the configuration is another one; observe writes nothing; workspaces without an account
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com

# Sets $code; what was said is in $work/said.
run() {
	ldap2dbx_in "$@" >"$work/said" 2>&1
	code=$?
}

said() {
	grep -q -e "$1" "$work/said" || {
		cat "$work/said"
		return 1
	}
}

writes_of() {
	count_requests "$1" '.method != "GET" and (.path | contains("/oidc/") | not)'
}

has_user() {
	dump "$1" | jq -es --arg name "$2@example.com" 'any(.[]; .kind == "user" and .name == $name and .active)' >/dev/null
}

joins() {
	ldif <<-LDIF
		dn: uid=$1,ou=People,$base
		changetype: add
		objectClass: inetOrgPerson
		uid: $1
		cn: $1
		sn: Sample
		displayName: ${2:-$1}
		mail: $1@example.com
		employeeType: staff

		dn: cn=team-bi,ou=Teams,$base
		changetype: modify
		add: member
		member: uid=$1,ou=People,$base
	LDIF
}

leaves() {
	printf "dn: uid=%s,ou=People,$base\nchangetype: delete\n\n" "$@" | ldif
}

renames() {
	printf "dn: uid=$1,ou=People,$base\nchangetype: modify\nreplace: displayName\ndisplayName: %s\n" "$2" | ldif
}

"$top_srcdir/contrib/demo-company" "$base" >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"
guard="{users: 2, members: 2, minimum: 0}"
make_world a

# ---- exactly that ----

run a plan --out "$work/first"
check_equal "a plan into a file" 2 $code
check_equal "which writes nothing" 0 "$(writes_of a)"
joins late.sample
run a apply "$work/first"
check_equal "the file is applied without a question" 0 $code
check "who came later is not in it" eval '! has_user a late.sample'
run a plan -o json
check_equal "but in the next plan, alone" "late.sample@example.com" \
	"$(sed -n '/^{/,$p' "$work/said" | jq -r '[.operations[] | select(.op == "create").object.name] | join(" ")')"
check "of the first nothing is left" eval '[ "$(sed -n "/^{/,\$p" "$work/said" | jq ".operations | length")" -le 3 ]'
before=$(writes_of a)
run a apply "$work/first"
check_equal "the same file again does nothing" "0 $before" "$code $(writes_of a)"
check "and says that it was left out" said 'skipped: create user'

# ---- moved on ----

joins brief.sample
joins other.sample Other
run a plan --out "$work/second"
leaves brief.sample
renames other.sample Another
run a apply "$work/second"
check "what still holds is done" has_user a late.sample
check "who left meanwhile is not made" eval '! has_user a brief.sample'
check "that is said" said 'skipped: create user "brief.sample@example.com"'
run a apply --auto-approve
check_equal "the rest is for the next apply" 0 $code
check_equal "with the newer name" Another "$(dump a | jq -r 'select(.name == "other.sample@example.com").displayName')"

# ---- stale ----

joins third.sample
run a plan --out "$work/third"
echo '# another mapping' >>"$work/a/mappings/company.yaml"
before=$(writes_of a)
run a apply "$work/third"
check_equal "a file of another configuration is refused" "78 $before" "$code $(writes_of a)"
check "and it is said why" said 'configuration'
run a plan --out "$work/third"
sed -i 's/third.sample/fourth.sample/g' "$work/third"
run a apply "$work/third"
check "a forged name makes nobody" eval '! has_user a fourth.sample'
head -c 300 "$work/first" >"$work/broken"
run a apply "$work/broken"
check "half a file is refused" [ $code != 0 ]
run a apply "$work/nowhere"
check "so is none" [ $code != 0 ]
run a apply --auto-approve

# ---- held ----

leaves ada.example ada.muster ben.muster carla.muster
run a plan --out "$work/held"
check_equal "a plan over the allowance" 3 $code
before=$(writes_of a)
run a apply "$work/held"
check_equal "releases nothing" "3 $before" "$code $(writes_of a)"
jq '.operations[].held = null' "$work/held" >"$work/freed"
run a apply "$work/freed"
check_equal "whatever the file says" "3 $before" "$code $(writes_of a)"

# ---- beside the service ----

start_service a
check "the service follows" wait_for 20 is_settled a
run a plan
check_equal "a plan goes beside the service" 3 $code
run a apply --auto-approve
check_equal "apply does not" 1 $code
check "and says what to do" said 'service'
run a sync user dan.muster@example.com
check_equal "sync goes through it" 0 $code
stop_service a

# ---- observe ----

extra="mode: observe"
make_world watcher
cp "$work/a/mappings/company.yaml" "$work/watcher/mappings/"
run watcher plan
check_equal "observe plans" 2 $code
run watcher apply --auto-approve
check_equal "but does not apply" 78 $code
start_service watcher
told() {
	grep -q "WOULD CHANGE.*$1" "$work/watcher-service.log"
}
check "the watching service tells" wait_for 20 told 'create user'
joins fifth.sample
check "what it would do, as it happens" wait_for 20 told fifth.sample
check_equal "and writes nothing" 0 "$(writes_of watcher)"
stop_service watcher

# ---- without an account ----

extra=
guard="{}"
make_world plain
sed -i '/^account:/,/^  auth:/d' "$work/plain/ldap2dbx.yaml"
for name in prod dev; do
	(umask 077 && sim_of plain ".workspaces.$name.token" >"$work/plain/$name-token")
	sed -i "s|^  $name: {host: [^}]*|&, auth: {type: pat, token: file:$name-token}|" "$work/plain/ldap2dbx.yaml"
done
sed -i '/^grants:/,/^leavers:/{/^leavers:/!d}' "$work/plain/mappings/company.yaml"
run plain plan
check_equal "without an account there is a plan for each workspace" 2 $code || cat "$work/said"
run plain apply --auto-approve
check_equal "which is applied" 0 $code || cat "$work/said"
members_in() {
	dump plain | jq -r --arg home "$1" 'select(.kind == "group" and .home == $home and .name == "finance-rw") | .members | join(" ")'
}
in_both() {
	[ "$(members_in prod)" = "$1" ] && [ "$(members_in dev)" = "$1" ]
}
check "both have the group" in_both "milo.sample@example.com nuri.example@example.com"
run plain plan
check_equal "nothing is left to do" 0 $code || cat "$work/said"
start_service plain
check "the service follows both" wait_for 20 is_settled plain
leaves nuri.example
check "a leaver leaves both" wait_for 20 in_both "milo.sample@example.com"
active_in() {
	dump plain | jq -rc --arg name "$1@example.com" 'select(.name == $name) | [.seats[] | select(.active).workspace]'
}
check_equal "and is active in none" '[]' "$(active_in nuri.example)"
check "it settles" wait_for 20 is_settled plain
run plain plan
check_equal "and nothing is left to do" 0 $code || cat "$work/said"

# One that cannot be read holds up nothing in the others.
stop_service plain
sed -i 's|^  dev: .*|&\n  lost: {host: "http://127.0.0.1:9", auth: {type: pat, token: file:no-such-file}}|' "$work/plain/ldap2dbx.yaml"
run plain plan
check_equal "of a workspace out of reach nothing is planned" 4 $code || cat "$work/said"
check "which the plan says" grep -q 'lost could not be read whole; nothing is planned there: sign-in: secret file' "$work/said" || cat "$work/said"
start_service plain
leaves milo.sample
is_out() {
	[ "$(active_in milo.sample)" = '[]' ]
}
check "a leaver leaves the others all the same" wait_for 20 is_out
lost_error() {
	ldap2dbx_in plain status -o json | jq -er '.targets[] | select(.name == "lost").error | contains("secret file")' >/dev/null
}
check "status says why the lost one is not read" wait_for 20 lost_error
stop_service plain

# An account from now on: nobody leaves the workspaces for that.
sed -i '/^  lost: /d' "$work/plain/ldap2dbx.yaml"
{
	printf 'account: {host: "%s", account_id: %s, auth: {type: oauth-m2m, client_id: %s, client_secret: file:databricks-secret}}\n' \
		"$(sim_of plain .account.host)" "$(sim_of plain .account.account_id)" "$(sim_of plain .client_id)"
	echo 'guard: {minimum: 100000}'
	grep -v '^guard:' "$work/plain/ldap2dbx.yaml"
} >"$work/with-account"
cp "$work/plain/ldap2dbx.yaml" "$work/without-account"
cp "$work/with-account" "$work/plain/ldap2dbx.yaml"
run plain plan
check "a new account makes no leavers" grep -q ' 0 to remove' "$work/said" || cat "$work/said"
check "and the plan says who stays where he was" grep -q 'principals of ours in prod were made under another configuration' "$work/said" || cat "$work/said"
before=$(wc -l <"$work/plain-service.log")
start_service plain
check "the service follows the account" wait_for 30 is_settled plain
stop_service plain
tail -n "+$((before + 1))" "$work/plain-service.log" >"$work/plain-service.log.last"
check_equal "nobody was removed" 0 "$(grep -cE 'op=(delete|deactivate|remove_members|unassign)' "$work/plain-service.log.last")"
check "it says so once" [ "$(grep -c 'made under another configuration' "$work/plain-service.log.last")" = 2 ]
# And back again: what was made in the account is kept in the store.
cp "$work/without-account" "$work/plain/ldap2dbx.yaml"
run plain plan
check "nor does its end" grep -q ' 0 to remove' "$work/said" || cat "$work/said"
check "which is said, too" grep -q 'in targets that are not configured any more (account)' "$work/said" || cat "$work/said"

done_testing
