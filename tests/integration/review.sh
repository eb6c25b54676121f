#!/usr/bin/env bash
# review -- who can do what, how a principal comes to it, and what two have in common: with rights that rules give and rights
# that nobody asked for, on objects that a rule selects and on others; alone and through the service
# shellcheck source=rules_world.sh
. "$(dirname "$0")/rules_world.sh"

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
start_slapd --ldif <(people_and_groups)
guard="{permissions: 50%, groups: 10, minimum: 3}"
echo '{"rules": []}' >"$work/faults.json"
make_world a --objects "$work/objects.json" --faults "$work/faults.json"
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
  entitlements: [databricks-sql-access]
  roles: [billing.admin]
  manages: {groups: [ops-ro]}
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
cp "$work/a/mappings/company.yaml" "$work/company.yaml"
printf -- '- to: {service_principal: nobody}\n  workspaces: {prod: USER}\n' >>"$work/a/mappings/company.yaml"
for attempt in 1 2 3; do
	run a who-can /Shared/etl
	check "several are told in the order of the configuration ($attempt)" said 'directory/[0-9]* in prod, directory/[0-9]* in dev'
	check_equal "and nothing that was not asked" 0 "$(grep -c quarantined "$work/said")"
done
for question in "explain ada@example.com" "diff ada@example.com bo@example.com" "tokens list"; do
	# shellcheck disable=SC2086 # words
	run a $question
	check_equal "nor to $question" 0 "$(grep -c quarantined "$work/said")"
done
run a plan
check "a plan tells it" said 'msg=quarantined'
cp "$work/company.yaml" "$work/a/mappings/company.yaml"
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

# ---- roles ----

scim="/api/2.0/accounts/$(sim_of a .account.account_id)/scim/v2"
patch_roles() { # PATH ROLE
	account_call PATCH "$scim/$1" "$(jq -nc --arg role "$2" '{schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		Operations: [{op: "add", path: "roles", value: [{value: $role}]}]}')" >/dev/null
}
new_service() {
	account_call POST "$scim/ServicePrincipals" "$(jq -nc --arg name "$1" \
		'{schemas: ["urn:ietf:params:scim:schemas:core:2.0:ServicePrincipal"], displayName: $name, active: true}')" |
		jq -r .applicationId
}
ops=$(principal_id group ops-ro)
patch_roles "Users/$(principal_id user cy@example.com)" account_admin
add_rule "groups/$ops" roles/group.manager users/cy@example.com
add_rule "" roles/marketplace.admin users/bo@example.com

run a who-can group:ops-ro -o json
check_equal "who manages a group: by a rule, with its place" "group.manager in_sync true company.yaml" \
	"$(said_json '.entries[] | select(.name == "etl-rw") | "\(.level) \(.state) \(.ours) \(.file | split("/") | last)"')"
check_equal "and by nobody's rule" "group.manager foreign false" \
	"$(said_json '.entries[] | select(.name == "cy@example.com") | "\(.level) \(.state) \(.ours)"')"
check_equal "of the account" "account group $ops true" "$(said_json '.object | "\(.target) \(.type) \(.id) \(.ruled)"')"
run a who-can "group/$ops" manager --expand
check "by its id, with the people behind groups" said 'ada@example.com  through etl-rw'
run a who-can "group/$ops" manager --expand -o csv
check "as CSV" said "^account,group,$ops,ops-ro,user,ada@example.com,group.manager,etl-rw,"
run a who-can group:ops-ro owner
check_equal "no such role" 64 "$code"
check "has those that there are" said 'group.manager, group.assumer'
run a who-can group:nobody
check_equal "no such group" 1 "$code"
run a who-can group:ops-ro --workspace prod
check_equal "a workspace has no say in it" 64 "$code"
one=$(new_service loader)
two=$(new_service loader)
run a who-can service_principal:loader
check_equal "several service principals of one name" 64 "$code"
check "are listed" said "service_principal/$one"
check "all of them" said "service_principal/$two"
add_rule "servicePrincipals/$two" roles/servicePrincipal.user groups/ops-ro
run a who-can "service-principal:$two" user -o json
check_equal "who uses one that no rule names" "ops-ro foreign false" \
	"$(said_json '"\(.entries[0] | "\(.name) \(.state)") \(.object.ruled)"')"
run a who-can account -o json
check_equal "the account's roles: by a rule" "etl-rw true" \
	"$(said_json '.entries[] | select(.level == "billing.admin") | "\(.name) \(.ours)"')"
check_equal "by others, in the rule set" "bo@example.com foreign" \
	"$(said_json '.entries[] | select(.level == "marketplace.admin") | "\(.name) \(.state)"')"
check_equal "and over SCIM" "cy@example.com foreign" \
	"$(said_json '.entries[] | select(.level == "account_admin" and .kind == "user" and .name != "dbx-sim admin") | "\(.name) \(.state)"')"
run a who-can account account_admin
check "one role of them" said 'account_admin *user cy@example.com  no rule asked for it'
run a who-can workspace:prod -o json
check_equal "who is in a workspace" "USER in_sync" \
	"$(said_json '.entries[] | select(.name == "etl-rw" and .level == "USER") | "\(.level) \(.state)"')"
check_equal "with entitlements" "in_sync true" \
	"$(said_json '.entries[] | select(.name == "etl-rw" and .level == "databricks-sql-access") | "\(.state) \(.ours)"')"
run a who-can workspace:prot
check_equal "no such workspace" 64 "$code"
check "has its likely one" said 'did you mean "prod"'
run a explain ada@example.com
check "roles are told among the rights, with the way and the rule" said 'account: group ops-ro  group.manager  through etl-rw  # .*company.yaml'
check "those of the account as well" said 'account: role billing.admin  through etl-rw'
run a explain cy@example.com
check "and what no rule asked for" said 'account: group ops-ro  group.manager  no rule asked for it'
check "over SCIM, too" said 'account: role account_admin  (no rule asked for it)'
prod_call() {
	curl -sf -X "$1" -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" ${3:+-d "$3"} \
		"$(sim_of a .workspaces.prod.host)$2"
}
prod_call PATCH "/api/2.0/preview/scim/v2/Users/$(principal_id user ada@example.com)" '{"schemas":
	["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{"op": "add", "path": "entitlements",
	"value": [{"value": "allow-cluster-create"}]}]}' >/dev/null
prod_call POST /api/2.0/token/create '{"comment": "sample"}' >/dev/null
run a explain ada@example.com -o json
check_equal "an entitlement that somebody gave her in a workspace" "prod ada@example.com false foreign" \
	"$(said_json '.grants[] | select(.value == "allow-cluster-create") | "\(.target) \(.to) \(.ours) \(.state)"')"
check_equal "all was read" 0 "$(said_json '.unread | length')"
run a explain ada@example.com group:ops-ro -o json
check_equal "how somebody comes to a role" "group.manager etl-rw" "$(said_json '"\(.level) \(.ways[0].name)"')"
run a explain bo@example.com account
check "or to one of the account's" said 'user "bo@example.com": marketplace.admin'
run a diff ada@example.com bo@example.com
check "what others gave one of them is a difference" said '  < prod: entitlement allow-cluster-create  to ada'
check "two are told apart by roles, too" said '  < account: group ops-ro  group.manager'
run a explain ada@example.com -o csv
check "as CSV, too" said 'account,group,.*,ops-ro,group.manager,etl-rw'
run a who-can authorization:tokens --workspace prod
check_equal "who may use tokens" 0 "$code"

cat >>"$work/a/mappings/company.yaml" <<YAML
- to: {service_principal: "$two"}
  workspaces: {prod: USER}
  tokens: {max_lifetime: 90d}
YAML
run a apply --auto-approve
prod_call POST /api/2.0/token-management/on-behalf-of/tokens \
	"$(jq -nc --arg id "$two" '{application_id: $id, comment: "sample", lifetime_seconds: 3600}')" >/dev/null
run a explain "$two"
check "tokens that work are counted where tokens are read" said '  tokens  *prod: 1 that work'
run a explain "$two" -o csv
check "as CSV, too" said "^$two,prod,tokens,,,1,"

faults() {
	echo "$1" >"$work/faults.json"
	kill -HUP "${simulator_pid[a]}"
}

# ---- through the service ----

start_service a
wait_for 20 is_settled a
run a who-can job:adhoc -o json
check_equal "an object that no rule selects, through the service" 4713 "$(said_json .object.id)"
run a explain ada@example.com job:4711 -o json
check_equal "and how somebody comes to it" CAN_MANAGE_RUN "$(said_json .level)"
run a who-can job:twice
check_equal "several are a matter of usage there, too" 64 "$code"
run a who-can group:ops-ro manager -o json
check_equal "roles, through the service" 2 "$(said_json '[.entries[] | select(.name | IN("etl-rw", "cy@example.com"))] | length')"
run a who-can account billing.admin
check "the account's, too" said 'billing.admin *group etl-rw'
faults '{"rules": [{"match": "GET /api/2.0/preview/scim/v2/Users/*", "host": "dev", "times": 0, "status": 403,
	"body": {"error_code": "PERMISSION_DENIED", "message": "sample"}}]}'
run a explain ada@example.com -o json
check_equal "a workspace that does not tell is named" "0 dev" "$code $(said_json '.unread[].target')"
check_equal "the others are told" foreign "$(said_json '.grants[] | select(.value == "allow-cluster-create") | .state')"
kill -STOP "${simulator_pid[a]}"
run a explain ada@example.com
kill -CONT "${simulator_pid[a]}"
check_equal "while Databricks is away there is an answer all the same" 0 "$code"
check "with what is known, and what was not read" said 'not read now: prod: it did not answer in time'
stop_service a
done_testing
