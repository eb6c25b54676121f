#!/usr/bin/env bash
# nested -- groups in groups, kept and flattened, seen through, in loops and too deep; and what a directory does to them
# while the service runs: renamed people, groups and folders, dangling members, a folder that leaves and comes back
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

base=dc=example,dc=com
deepest=12 # layers; Databricks takes ten

person() {
	printf 'uid=%s,ou=%s,%s' "$1" "${2:-People}" "$base"
}

group() {
	printf 'cn=%s,ou=%s,%s' "$1" "${2:-Groups}" "$base"
}

print_person() {
	printf 'dn: %s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: Sample\n' "$(person "$@")" "$1" "$1"
	[ "$1" = nomail ] || printf 'mail: %s@example.com\n' "$1"
	echo
}

# print_group DN MEMBER...
print_group() {
	local name=${1#cn=}
	printf 'dn: %s\nobjectClass: groupOfNames\ncn: %s\n' "$1" "${name%%,*}"
	shift
	printf 'member: %s\n' "$@"
	echo
}

change_member() {
	printf 'dn: %s\nchangetype: modify\n%s: member\nmember: %s\n' "$1" "$2" "$3" | ldif
}

swap_member() {
	printf 'dn: %s\nchangetype: modify\ndelete: member\nmember: %s\n-\nadd: member\nmember: %s\n' "$1" "$2" "$3" | ldif
}

# modrdn DN NEWRDN [NEWSUPERIOR]
modrdn() {
	printf 'dn: %s\nchangetype: modrdn\nnewrdn: %s\ndeleteoldrdn: 1\n' "$1" "$2"
	[ $# -lt 3 ] || printf 'newsuperior: %s\n' "$3"
}

members() {
	dump "$1" | jq -r --arg name "$2" 'select(.kind == "group" and .name == $name) | [.members[] | split("@")[0]] | sort | join(" ")'
}

members_are() {
	[ "$(members "$1" "$2")" = "$3" ]
}

check_members() {
	check "$1: $2 holds $3" wait_for 10 members_are "$1" "$2" "$3" || printf 'got: %s\n' "$(members "$1" "$2")"
}

count_writes() {
	count_requests "$1" '(.method != "GET") and (.path | contains("scim") or contains("permissionassignments"))'
}

settle() {
	check "$1: both settle" wait_for 15 is_settled keep
	wait_for 15 is_settled flat
}

# After a change that means nothing to Databricks. The marker tells that the service has got past it.
check_silence() {
	change_member "$(group marker)" "${3:-add}" "$(person b)"
	check_members keep marker "${4:-a b}"
	check_members flat marker "${4:-a b}"
	check_equal "$1: keep wrote only the marker" $(($2 + 1)) "$(count_writes keep)"
}

{
	printf 'dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: Sample\ndc: example\n\n' "$base"
	printf "dn: ou=%s,$base\nobjectClass: organizationalUnit\n\n" People Berlin,ou=People Groups Teams Elsewhere
	for name in a b c d e nomail; do print_person $name; done
	for name in f g; do print_person $name Berlin,ou=People; done
	print_person ghost Elsewhere
	print_group "$(group marker)" "$(person a)"
	print_group "$(group top)" "$(group mid)" "$(person a)"
	print_group "$(group mid)" "$(group low)" "$(person b)"
	print_group "$(group low)" "$(person c)"
	print_group "$(group loop1)" "$(group loop2)" "$(person d)"
	print_group "$(group loop2)" "$(group loop1)" "$(person e)"
	print_group "$(group mixed)" "$(group team-x Teams)" "$(person nomail)"
	print_group "$(group team-x Teams)" "$(person f Berlin,ou=People)" "$(group team-y Teams)"
	print_group "$(group team-y Teams)" "$(person g Berlin,ou=People)"
	print_group "$(group guests)" "$(person a)" "$(person ghost Elsewhere)"
	for ((i = 1; i < deepest; i++)); do print_group "$(group deep$i)" "$(group deep$((i + 1)))"; done
	print_group "$(group deep$deepest)" "$(person e)"
} >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif" --no-memberof

# write_mapping NAME keep|flatten
write_mapping() {
	use_mapping "$1" <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${lower(mail)}", displayName: "\${cn}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (objectClass=groupOfNames)}
		  through: {base: "ou=Teams,$base", filter: (objectClass=groupOfNames)}
		  group: {displayName: "\${cn}"}
		  nested: $2
	YAML
}
for name in keep flat; do
	make_world $name
	write_mapping $name ${name/flat/flatten}
	ldap2dbx_in $name apply --auto-approve >"$work/$name-apply.log" 2>&1
	check_equal "$name: the first load" 0 $? || tail -n 5 "$work/$name-apply.log"
done

check_members keep top "a mid"
check_members keep mid "b low"
check_members keep low c
check_members keep loop1 "d e"
check_members keep loop2 "d e"
check_members keep mixed "f g"
check_members keep guests a
check_members keep deep1 deep2
check_members flat top "a b c"
check_members flat mid "b c"
check_members flat loop1 "d e"
check_members flat mixed "f g"
check_members flat deep1 e
# Whoever is at the bottom of the too deep ones is in all of them, over at most ten layers.
check "keep: the deepest are flattened" eval "members keep deep9 | grep -qw 'deep10\|e'"
for name in keep flat; do
	ldap2dbx_in $name plan >"$work/$name-plan.log" 2>&1
	check_equal "$name: nothing is left to do" 0 $? || cat "$work/$name-plan.log"
	start_service $name
done
settle "at the start"

# ways NAME PERSON: its groups as explain lists them, each with the way to it
ways() {
	ldap2dbx_in "$1" explain "$2@example.com" -o json | jq -r '[.groups[] | .name + (if .via then " by " + .via else "" end)] | join(", ")'
}
for name in keep flat; do
	check_equal "$name: by which groups of the directory somebody is where" "low, mid by low, top by low > mid" "$(ways $name c)"
	check_equal "$name: also those that are only looked through" "mixed by team-y > team-x" "$(ways $name g)"
done
check_equal "keep: loops end" "loop1, loop2 by loop1" "$(ways keep d)"
check_equal "keep: in an order" "deep1 deep10 deep11 deep12 deep2" \
	"$(ldap2dbx_in keep explain e@example.com -o json | jq -r '[.groups[].name | select(startswith("deep"))][:5] | join(" ")')"

# ---- what changes nothing ----

before=$(count_writes keep)
modrdn "ou=Berlin,ou=People,$base" ou=Munich | ldif
swap_member "$(group team-x Teams)" "$(person f Berlin,ou=People)" "$(person f Munich,ou=People)"
swap_member "$(group team-y Teams)" "$(person g Berlin,ou=People)" "$(person g Munich,ou=People)"
check_silence "a renamed folder, its member caught up" "$before"
check_members keep mixed "f g"
check_members flat mixed "f g"

before=$(count_writes keep)
modrdn "$(person a)" uid=a2 | ldif
check_silence "a renamed person" "$before" delete a
for name in top guests marker; do
	swap_member "$(group $name)" "$(person a)" "$(person a2)"
done
settle "the member caught up"
check_members keep top "a mid"
check_members flat top "a b c"

# ---- what changes something ----

modrdn "$(group low)" cn=lower | ldif
swap_member "$(group mid)" "$(group low)" "$(group lower)"
check_members keep mid "b lower"
check_members keep lower c
check_members flat mid "b c"

change_member "$(group lower)" add "$(person d)"
check_members flat top "a b c d"
check_members keep lower "c d"
printf 'dn: %s\nchangetype: delete\n' "$(person c)" | ldif
check_members flat top "a b d"
check_members keep lower d
printf 'dn: %s\nchangetype: delete\n' "$(person d)" | ldif # the group has nothing but dangling members now
check_members keep lower ""
check_members flat top "a b"
check_members flat loop1 e

printf 'dn: %s\nchangetype: modify\nadd: mail\nmail: nomail@example.com\n' "$(person nomail)" | ldif
check_members keep mixed "f g nomail"
check_members flat mixed "f g nomail"

change_member "$(group loop2)" delete "$(group loop1)" # the loop is cut: loop1 holds loop2
check_members keep loop1 loop2
check_members keep loop2 e
change_member "$(group loop2)" add "$(group loop1)"
check_members keep loop1 e
check_members keep loop2 e

change_member "$(group top)" delete "$(group mid)"
check_members keep top a
check_members flat top a

# ---- a folder leaves and comes back ----

id_of() {
	state_of "$1" | jq -r --arg name "$2" '.user // empty | select(.userName == $name) | "\(.id) \(.active != false)"'
}
is_id() {
	[ "$(id_of "$1" "$2")" = "$3" ]
}
id=$(id_of keep g@example.com)
modrdn "ou=Munich,ou=People,$base" ou=Munich "ou=Elsewhere,$base" | ldif
check "keep: who left with his folder is deactivated" wait_for 15 is_id keep g@example.com "${id% *} false"
check_members keep mixed nomail
modrdn "ou=Munich,ou=Elsewhere,$base" ou=Munich "ou=People,$base" | ldif
check "keep: who came back is the same one" wait_for 15 is_id keep g@example.com "$id"
settle "at the end"
for name in keep flat; do
	ldap2dbx_in $name plan >"$work/$name-plan.log" 2>&1
	check_equal "$name: nothing is left to do at the end" 0 $? || cat "$work/$name-plan.log"
done

done_testing
