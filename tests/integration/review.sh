#!/usr/bin/env bash
# review -- who can do what, how a principal comes to it, and what two have in common: with rights that rules give and rights
# that nobody asked for, on objects that a rule selects and on others; alone and through the service
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

said_json() {
	jq -r "$1" "$work/said"
}

cat >"$work/objects.json" <<'JSON'
{"prod": {"directories": [{"path": "/Shared/etl", "acl": [{"group_name": "users", "permission_level": "CAN_READ"}]}, "/Teams/etl", "/Teams/ops"],
  "jobs": [{"name": "nightly-load", "id": "4711"}, {"name": "nightly-clean", "id": "4712"}, {"name": "adhoc", "id": "4713"},
    {"name": "twice", "id": "4714"}, {"name": "twice", "id": "4715"}],
  "clusters": [{"name": "shared", "tags": {"team": "etl"}}]},
 "dev": {"directories": ["/Shared/etl"], "jobs": [{"name": "nightly-load", "id": "99"}]}}
JSON
start_slapd --ldif /dev/stdin <<LDIF
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

$(for name in ada bo cy; do
	printf 'dn: uid=%s,ou=People,%s\nobjectClass: inetOrgPerson\nuid: %s\ncn: %s\nsn: Sample\nmail: %s@example.com\n\n' \
		$name $base $name $name $name
done)

dn: cn=dbx-etl-rw,ou=Groups,$base
objectClass: groupOfNames
cn: dbx-etl-rw
member: uid=ada,ou=People,$base

dn: cn=dbx-ops-ro,ou=Groups,$base
objectClass: groupOfNames
cn: dbx-ops-ro
member: uid=bo,ou=People,$base
LDIF
guard="{permissions: 50%, groups: 10, minimum: 3}"
make_world a --objects "$work/objects.json"
use_mapping a <<YAML
version: 1
users:
- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
  user: {userName: "\${mail}"}
groups:
- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
grants:
- to: {group: etl-rw}
  workspaces: {prod: USER, dev: USER}
  permissions:
  - {job: "nightly-*", level: CAN_MANAGE_RUN, in: [prod]}
  - {directory: /Shared/etl, level: CAN_EDIT}
  - {cluster: {tag: {team: etl}}, level: CAN_RESTART, in: [prod]}
- for_each: {group: '^dbx-(?<team>[a-z]+)-(?<role>ro|rw)\$'}
  workspaces: {prod: USER}
  permissions:
  - {directory: "/Teams/\${team}", level: "\${role == 'rw' and 'CAN_EDIT' or 'CAN_READ'}", in: [prod]}
YAML

run a apply --auto-approve
check_equal "the rights are given" 0 "$code"

# ---- who-can ----

run a who-can job:nightly-load -o json --workspace prod
check_equal "a job by its name" 0 "$code"
check_equal "has the entry of a rule, with its place" "CAN_MANAGE_RUN in_sync true company.yaml" \
	"$(said_json '.entries[] | select(.name == "etl-rw") | "\(.level) \(.state) \(.ours) \(.file | split("/") | last)"')"
check_equal "and its owner, whom no rule asked for" "foreign false" \
	"$(said_json '.entries[] | select(.level == "IS_OWNER") | "\(.state) \(.ours)"')"
run a who-can job:nightly-load CAN_VIEW --expand --workspace prod
check "people behind groups are told" said 'ada@example.com  through etl-rw'
run a who-can job:nightly-load CAN_VIEW --expand --workspace prod -o csv
check "as CSV, too" said '^prod,job,4711,nightly-load,user,ada@example.com,CAN_MANAGE_RUN,etl-rw,'
run a who-can job:4713 -o json
check_equal "a job that no rule selects, by its id" "4713 false" "$(said_json '"\(.object.id) \(.object.ruled)"')"
run a who-can job:adhoc -o json
check_equal "and by its name" 4713 "$(said_json .object.id)"
run a who-can job/4711
check "TYPE/ID" said 'job "nightly-load" (4711) in prod'
run a who-can job:twice
check_equal "several of one name" 64 "$code"
check "are listed" said 'job/4714 in prod, job/4715 in prod'
run a who-can /Shared/etl
check_equal "a path in two workspaces" 64 "$code"
run a who-can /Shared/etl --workspace prod -o json
check_equal "in one of them, with what the folder above gives" "CAN_READ CAN_MANAGE foreign" \
	"$(said_json '.entries[] | select(.name == "users") | "\(.direct) \(.inherited) \(.state)"')"
run a who-can /Teams -o json
check_equal "a folder that no rule names" "directory false" "$(said_json '"\(.object.type) \(.object.ruled)"')"
run a who-can job:nobody
check_equal "what is not there" 1 "$code"
run a who-can jub:adhoc
check_equal "no such type" 64 "$code"
check "has its likely one" said 'did you mean "job"'
run a who-can job:adhoc CAN_RIDE
check_equal "no such level" 64 "$code"
check "has those that there are" said 'CAN_MANAGE_RUN'
run a who-can job:adhoc --workspace nowhere
check_equal "no such workspace" 64 "$code"

# ---- explain ----

run a explain ada@example.com -o json
check_equal "permissions are told with their rule" 2 \
	"$(said_json '[.permissions[] | select(.type == "job" and .state == "in_sync" and .ours and .to == "etl-rw")] | length')"
run a explain ada@example.com
check "and in words" said 'prod: job nightly-load  CAN_MANAGE_RUN  through etl-rw  # '
run a explain ada@example.com job:nightly-load --workspace prod
check "how somebody comes to it" said 'user "ada@example.com": CAN_MANAGE_RUN'
check "by which group" said 'CAN_MANAGE_RUN *group etl-rw'
run a explain ada@example.com /Shared/etl --workspace prod -o json
check_equal "by several ways" "CAN_MANAGE etl-rw,users" "$(said_json '"\(.level) \([.ways[].name] | join(","))"')"
run a explain bo@example.com job:nightly-load --workspace prod -o json
check_equal "by none" "null 0" "$(said_json '"\(.level) \(.ways | length)"')"
run a explain ada@example.com --workspace prod
check_equal "a workspace alone is no question" 64 "$code"

# ---- diff ----

run a diff ada@example.com bo@example.com
check "what only one has" said '  < account: group etl-rw'
check "and the other" said '  > account: group ops-ro'
run a diff ada@example.com bo@example.com -o csv
check "as CSV" said '^ada@example.com,prod,job,4711,nightly-load,CAN_MANAGE_RUN,etl-rw,'
run a diff ada@example.com nobody
check_equal "with nobody" 1 "$code"

# ---- through the service ----

start_service a
wait_for 20 is_settled a
run a who-can job:adhoc -o json
check_equal "an object that no rule selects, through the service" 4713 "$(said_json .object.id)"
run a explain ada@example.com job:4711 -o json
check_equal "and how somebody comes to it" CAN_MANAGE_RUN "$(said_json .level)"
run a who-can job:twice
check_equal "several are a matter of usage there, too" 64 "$code"
stop_service a
done_testing
