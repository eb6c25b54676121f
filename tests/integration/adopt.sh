#!/usr/bin/env bash
# adopt -- a Databricks that was in use before: what the rules want and is there already is adopted, what nobody wants
# stays as it is, what is doubtful is quarantined, and what is protected is not touched
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com

print_person() {
	printf 'dn: uid=%s,ou=People,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: Sample\nmail: %s\n\n' \
		"$1" "$base" "$1" "$2" "${3:-$1@example.com}"
}

print_group() {
	printf 'dn: cn=%s,ou=Groups,%s\nobjectClass: groupOfNames\ncn: %s\n' "$1" "$base" "$1"
	shift
	printf "member: uid=%s,ou=People,$base\n" "$@"
	echo
}

anchor_of() {
	ldapsearch -Q -Y EXTERNAL -H "$LDAPI_URI" -LLL -b "$base" "$1" entryUUID | sed -n 's/^entryUUID: //p'
}

# fact NAME FILTER: what Databricks has of the principal of that name in any case
fact() {
	dump a | jq -rc --arg name "$1" 'select((.name | ascii_downcase) == $name) | '"$2"
}

fact_is() {
	[ "$(fact "$1" "$2")" = "$3" ]
}

quarantined() {
	ldap2dbx_in a status -o json | jq -r '.quarantine[] | .name + ": " + .reason' | grep -qi "$1"
}

{
	printf 'dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: Sample\ndc: example\n\n' "$base"
	printf "dn: ou=%s,$base\nobjectClass: organizationalUnit\n\n" People Groups
	print_person ada "Ada Sample" Ada@Example.com
	print_person bo "Bo Sample"
	print_person cy "Cy Sample"
	print_person di "Di Sample"
	print_person twin "Di Other" DI@example.com
	print_person fay "Fay Sample"
	print_group eng ada bo di fay
	print_group ops cy
	print_group power ada
	print_group sole ada
	print_group keepers ada
	print_group hollow ada
} >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"

# What was there before. Ids: 1x users, 2x groups.
cat >"$work/seed" <<JSON
{"workspace":{"name":"prod","id":"6051"}}
{"workspace":{"name":"dev","id":"6052"}}
{"user":{"id":"11","userName":"ADA@example.com","displayName":"Ada Before"}}
{"user":{"id":"12","userName":"other@example.com","displayName":"Other","externalId":"$(anchor_of '(uid=bo)')"}}
{"user":{"id":"13","userName":"cy@example.com","displayName":"Cy Sample","externalId":"$(anchor_of '(uid=cy)')"}}
{"user":{"id":"14","userName":"fay@example.com","displayName":"Fay By Hand","active":false}}
{"user":{"id":"15","userName":"stranger@example.com","displayName":"Stranger"}}
{"group":{"id":"21","displayName":"Eng","members":["11","15"],"seats":[{"workspace":"6051","level":"USER","entitlements":["workspace-access"]}]}}
{"group":{"id":"22","displayName":"ops","members":["15"],"seats":[{"workspace":"6051","level":"ADMIN"}]}}
{"group":{"id":"23","displayName":"power","members":["15"],"roles":["account_admin"]}}
{"group":{"id":"24","displayName":"sole","members":["15"]}}
{"group":{"id":"25","displayName":"keepers","members":["15"]}}
{"group":{"id":"27","displayName":"hollow"}}
{"group":{"id":"26","displayName":"strangers","members":["15"],"seats":[{"workspace":"6051","level":"USER"}]}}
JSON
extra='protected: {users: [Fay@example.com], groups: [Keepers]}'
make_world a --seed "$work/seed"
write_mapping() {
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (mail=*)}
		  user: {userName: "\${lower(mail)}", displayName: "\${cn}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=sole)}
		  group: {displayName: "\${cn}"}
		  exclusive: true
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=ops)}
		  group: {displayName: "\${cn}"}
		  adopt: true
		- search: {source: company, base: "ou=Groups,$base", filter: (objectClass=groupOfNames)}
		  group: {displayName: "\${cn}"}
		  $1
		grants:
		- to: {group: ops}
		  workspaces: {prod: USER}
		$2
	YAML
}
write_mapping "" "- to: {group: eng}
  workspaces: {prod: USER, dev: USER}
  entitlements: [workspace-access]"
ldap2dbx_in a check >"$work/check.log" 2>&1
check_equal "the files are good" 0 $? || cat "$work/check.log"
dump a | grep -E 'stranger|fay|keepers|power' >"$work/untouched.before"

# ---- adoption ----

ldap2dbx_in a plan >"$work/plan.log" 2>&1
check_equal "there is something to do" 2 $?
check "the plan says adopt" grep -q '= adopt user "ada@example.com"' "$work/plan.log" || cat "$work/plan.log"
check "it says what of the rights is there already" grep -q '= adopt assignment of group "eng": USER' "$work/plan.log" || cat "$work/plan.log"
check "it does not adopt the powerful group" eval '! grep -q "group \"power\"  #" "$work/plan.log"'
ldap2dbx_in a apply --auto-approve >"$work/apply.log" 2>&1
check_equal "applied, but for the quarantined" 4 $? || cat "$work/apply.log"
check_equal "a user of another case is adopted" "ADA@example.com Ada Sample $(anchor_of '(uid=ada)')" \
	"$(fact ada@example.com '.name + " " + .displayName + " " + .externalId')"
check_equal "one with our externalId as well" "cy@example.com Cy Sample" "$(fact cy@example.com '.name + " " + .displayName')"
check_equal "the strange member of an adopted group stays" \
	'["ADA@example.com","stranger@example.com"]' "$(fact eng .members)"
check_equal "under exclusive it goes" '["ADA@example.com"]' "$(fact sole .members)"
check_equal "an empty group is adopted" '["ADA@example.com"]' "$(fact hollow .members)"
check_equal "an assignment is adopted, another made" '["dev USER ","prod USER "]' \
	"$(fact eng '[.seats[] | .workspace + " " + .level + " " + (.roles | join(","))]')"
check_equal "an entitlement as well" '["dev workspace-access","prod workspace-access"]' \
	"$(fact eng '[.seats[] | .workspace + " " + (.entitlements | join(","))]')"
check_equal "a higher level is not lowered" '["prod ADMIN"]' "$(fact ops '[.seats[] | .workspace + " " + .level]')"
dump a | grep -E 'stranger|fay|keepers|power' | grep -vE '"name":"(eng|Eng|sole|ops)"' >"$work/untouched.after"
grep -vE '"name":"(eng|Eng|sole|ops)"' "$work/untouched.before" >"$work/untouched"
check "strangers, protected and powerful ones are untouched" diff "$work/untouched" "$work/untouched.after"
check "a powerful group is quarantined" grep -q 'power.*adopt: true' "$work/apply.log" || cat "$work/apply.log"
check "so is an externalId of another name" grep -q 'other@example.com' "$work/apply.log"
check_equal "of two entries with one name neither is made" "" "$(fact di@example.com .name)"

# ---- the service on top of it ----

start_service a
check "the service follows" wait_for 20 is_settled a
check "its status names the powerful group" quarantined '^power: '
check "whose externalId is in doubt stays so after a restart" quarantined '^bo@example.com: '
check "and both of one name" quarantined 'di@example.com.*uid=twin,'
check "each with the other's entry" quarantined 'di@example.com.*uid=di,'
ldap2dbx_in a plan >"$work/plan.log" 2>&1
check_equal "a plan has nothing but the quarantined" 4 $? || cat "$work/plan.log"

printf 'dn: uid=twin,ou=People,%s\nchangetype: modify\nreplace: mail\nmail: twin@example.com\n' "$base" | ldif
check "when one of the two has another name the other is made" \
	wait_for 10 fact_is eng .members '["ADA@example.com","di@example.com","stranger@example.com"]'
check "and so is that one" wait_for 10 fact_is twin@example.com .displayName "Di Other"

printf 'dn: uid=cy,ou=People,%s\nchangetype: modify\nreplace: mail\nmail: cyrus@example.com\n' "$base" | ldif
check "a changed userName is quarantined" wait_for 10 quarantined 'cy@example.com.*cyrus@example.com'
check_equal "and keeps what it has" '["cy@example.com","stranger@example.com"]' "$(fact ops .members)"
check_equal "the new name is not made" "" "$(fact cyrus@example.com .name)"
printf 'dn: uid=cy,ou=People,%s\nchangetype: modify\nreplace: mail\nmail: cy@example.com\n' "$base" | ldif
check "changed back it is released" wait_for 10 eval '! quarantined cyrus@example.com'

printf 'dn: cn=eng,ou=Groups,%s\nchangetype: delete\n' "$base" | ldif
check "an adopted group that is gone keeps its stranger" wait_for 20 fact_is eng .members '["stranger@example.com"]'
check "and what the rule gives to its name stays" wait_for 20 fact_is eng '[.seats[] | select(.level == "USER") | .level]' '["USER","USER"]'
check "the service settles" wait_for 20 is_settled a
stop_service a

# ---- with adopt: true, and a rule less ----

write_mapping "adopt: true" ""
start_service a
check "adopt: true adopts the powerful one" wait_for 20 fact_is power .members '["ADA@example.com","stranger@example.com"]'
check "the service settles again" wait_for 20 is_settled a
check_equal "and its role stays" '["account_admin"]' "$(fact power .roles)"
dump a | grep -E 'fay|keepers|"name":"stranger' | grep -v '"name":"\(eng\|Eng\|sole\|ops\|power\)"' >"$work/untouched.after"
grep -E 'fay|keepers|"name":"stranger' "$work/untouched" | grep -v '"name":"power"' >"$work/untouched.still"
check "protected ones are still untouched" diff "$work/untouched.still" "$work/untouched.after"

done_testing
