# permissions_world.sh -- what the tests of permissions share; to be sourced
# shellcheck shell=bash
#
#   run VERB...                     as ldap2dbx_in a; sets $code, what was said is in $work/said (said WORDS looks there)
#   has_acl WORKSPACE OBJECT LINE...  the direct entries of an object are these: "group NAME LEVEL"; acl_becomes waits for it
#   set_acl WORKSPACE OBJECT KIND NAME LEVEL  somebody else gives it
#   add_group NAME UID...           into the directory
#   people_and_groups               LDIF of a directory of three people and two groups
# shellcheck source=world.sh
. "$(dirname "${BASH_SOURCE[0]}")/world.sh"

base=dc=example,dc=com

# Sets $code; what was said is in $work/said.
run() {
	ldap2dbx_in "$@" >"$work/said" 2>&1
	# shellcheck disable=SC2034 # for who sources this
	code=$?
}

said() {
	grep -q -e "$1" "$work/said" || {
		cat "$work/said"
		return 1
	}
}

# The access control list of an object as KIND NAME LEVEL lines, direct entries only.
acl() {
	local host token
	host=$(sim_of a ".workspaces.$1.host")
	token=$(sim_of a ".workspaces.$1.token")
	curl -sf -H "Authorization: Bearer $token" "$host/api/2.0/permissions/$2" | jq -r '.access_control_list[]
		| (if .group_name then "group \(.group_name)" elif .user_name then "user \(.user_name)"
			else "service \(.service_principal_name)" end) as $who
		| .all_permissions[] | select(.inherited | not) | "\($who) \(.permission_level)"' | sort
}

has_acl() {
	[ "$(acl "$1" "$2")" = "$(printf '%s\n' "${@:3}" | sort)" ] || {
		acl "$1" "$2"
		return 1
	}
}

acl_becomes() {
	wait_for 20 has_acl "$@" >/dev/null
	has_acl "$@"
}

id_of() {
	local host token
	host=$(sim_of a ".workspaces.$1.host")
	token=$(sim_of a ".workspaces.$1.token")
	curl -sf -H "Authorization: Bearer $token" "$host$2" | jq -r "$3"
}

add_group() {
	{
		printf 'dn: cn=%s,ou=Groups,%s\nchangetype: add\nobjectClass: groupOfNames\ncn: %s\n' "$1" "$base" "$1"
		printf "member: uid=%s,ou=People,$base\n" "${@:2}"
		echo
	} | ldif
}

# The other hand.
set_acl() {
	local host token
	host=$(sim_of a ".workspaces.$1.host")
	token=$(sim_of a ".workspaces.$1.token")
	curl -sf -X PATCH -H "Authorization: Bearer $token" "$host/api/2.0/permissions/$2" -o /dev/null -d "$(jq -nc \
		--arg kind "$3_name" --arg name "$4" --arg level "$5" \
		'{access_control_list: [{($kind): $name, permission_level: $level}]}')"
}

people_and_groups() {
	cat <<-LDIF
		dn: $base
		objectClass: organization
		objectClass: dcObject
		dc: example
		o: Example

		dn: ou=People,$base
		objectClass: organizationalUnit
		ou: People

		dn: ou=Groups,$base
		objectClass: organizationalUnit
		ou: Groups

	LDIF
	for name in ada bo cy; do
		printf 'dn: uid=%s,ou=People,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: Sample\nmail: %s@example.com\n\n' \
			"$name" "$base" "$name" "$name" "$name"
	done
	cat <<-LDIF
		dn: cn=dbx-etl-rw,ou=Groups,$base
		objectClass: groupOfNames
		cn: dbx-etl-rw
		member: uid=ada,ou=People,$base

		dn: cn=dbx-ops-ro,ou=Groups,$base
		objectClass: groupOfNames
		cn: dbx-ops-ro
		member: uid=bo,ou=People,$base
	LDIF
}

# Rules on standard input, for world `a`, which makes no principals.
write_mapping() {
	{
		cat <<-YAML
			version: 1
			groups:
			- search: {source: company, base: "ou=Groups,$base", filter: (cn=none)}
			  group: {displayName: "\${cn}"}
		YAML
		cat
	} | use_mapping a
}
