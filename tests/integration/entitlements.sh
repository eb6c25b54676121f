#!/usr/bin/env bash
# entitlements -- entitlements and roles of users, groups and service principals, value by value: what rules give and take
# back, beside what others gave, and beside what comes through groups
# shellcheck source=rules_world.sh
. "$(dirname "$0")/rules_world.sh"

prod_call() { # METHOD PATH [BODY]
	curl -sf -X "$1" -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" ${3:+-d "$3"} \
		"$(sim_of a .workspaces.prod.host)$2"
}
# What PRINCIPAL PATH ("Users/ID") has of its own in prod, or at the account, as lines, ATTRIBUTE by attribute.
values() { # prod|account PATH
	if [ "$1" = prod ]; then
		prod_call GET "/api/2.0/preview/scim/v2/$2?attributes=entitlements,roles"
	else
		account_call GET "$scim/$2?attributes=roles"
	fi | jq -r '((.entitlements // []) + (.roles // []))[] | .value' | sort
}
has_values() { # prod|account PATH VALUE...
	[ "$(values "$1" "$2")" = "$(printf '%s\n' "${@:3}" | sort)" ] || {
		values "$1" "$2"
		return 1
	}
}
values_become() {
	wait_for 20 has_values "$@" >/dev/null
	has_values "$@"
}
give() { # prod|account PATH ATTRIBUTE VALUE: somebody else does
	local body
	body=$(jq -nc --arg attribute "$3" --arg value "$4" '{schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
		Operations: [{op: "add", path: $attribute, value: [{value: $value}]}]}')
	if [ "$1" = prod ]; then
		prod_call PATCH "/api/2.0/preview/scim/v2/$2" "$body"
	else
		account_call PATCH "$scim/$2" "$body"
	fi >/dev/null
}

profile=arn:aws:iam::123456789012:instance-profile
start_slapd --ldif <(people_and_groups)
guard="{permissions: 1000, groups: 10, minimum: 3}"
make_world a
scim="/api/2.0/accounts/$(sim_of a .account.account_id)/scim/v2"
mapping() {
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
		  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
		  gone: empty
		service_principals:
		- listed:
		  - {displayName: loader}
		grants:
		$1
	YAML
}
all="- to: {group: etl-rw}
  workspaces: {prod: USER}
  entitlements: [workspace-access, allow-cluster-create]
  roles: [$profile/etl, $profile/shared]
- to: {user: bo@example.com}
  workspaces: {prod: USER}
  entitlements: [databricks-sql-access]
  roles: [$profile/bo]
- to: {service_principal: loader}
  workspaces: {prod: USER}
  entitlements: [allow-instance-pool-create]
  roles: [account_admin, $profile/loader]"
mapping "$all"
run a plan
check_equal "entitlements and roles are planned" 2 "$code"
run a apply --auto-approve
check_equal "and given" 0 "$code"
etl=Groups/$(principal_id group etl-rw)
bo=Users/$(principal_id user bo@example.com)
ada=Users/$(principal_id user ada@example.com)
loader=ServicePrincipals/$(principal_id service_principal loader)
check "to a group" has_values prod "$etl" workspace-access allow-cluster-create "$profile/etl" "$profile/shared"
check "to a user" has_values prod "$bo" databricks-sql-access "$profile/bo"
check "to a service principal" has_values prod "$loader" allow-instance-pool-create "$profile/loader"
check "the account's to the account's" has_values account "$loader" account_admin
run a plan
check_equal "the second plan is empty" 0 "$code"

give prod "$etl" entitlements databricks-sql-access
give prod "$etl" roles "$profile/other"
give prod "$bo" entitlements allow-cluster-create
give prod "$bo" roles "$profile/shared"
give prod "$loader" entitlements workspace-access
give account "$etl" roles account_admin
run a plan
check_equal "what others give is no change" 0 "$code"
mapping "- to: {group: etl-rw}
  workspaces: {prod: USER}
  entitlements: [workspace-access]
  roles: [$profile/shared]
- to: {user: bo@example.com}
  workspaces: {prod: USER}
- to: {service_principal: loader}
  workspaces: {prod: USER}"
run a apply --auto-approve
check_equal "what rules give no more is taken back" 0 "$code"
check "from a group, value by value" has_values prod "$etl" workspace-access databricks-sql-access "$profile/shared" "$profile/other"
check "the account's role of others stays" has_values account "$etl" account_admin
check "from a user" has_values prod "$bo" allow-cluster-create "$profile/shared"
check "from a service principal" has_values prod "$loader" workspace-access
check "and from it at the account" has_values account "$loader"
run a plan
check_equal "then nothing is left" 0 "$code"

# Of its own beside what its group has: adopted is only what is really its own.
mapping "$all
- to: {user: ada@example.com}
  workspaces: {prod: USER}
  entitlements: [workspace-access, databricks-sql-access]"
give prod "$ada" entitlements databricks-sql-access
run a plan
check "what a user has only through a group is given to her, too" said '+ .*workspace-access'
check "what others gave her is adopted" said '= .*databricks-sql-access'
run a apply --auto-approve
check "both are her own" has_values prod "$ada" workspace-access databricks-sql-access
run a plan
check_equal "nothing more" 0 "$code"

# By event: who leaves the directory's group loses what its rule gave, and keeps what another gives.
mapping "- for_each: {group: '^dbx-(?<team>.+)\$'}
  workspaces: {prod: USER}
  entitlements: [workspace-access]
  roles: ['$profile/\${team}']
- to: {group: ops-ro}
  workspaces: {prod: USER}
  entitlements: [allow-cluster-create]"
run a apply --auto-approve
ops=Groups/$(principal_id group ops-ro)
give prod "$ops" roles "$profile/other"
check "a rule for each group" has_values prod "$ops" workspace-access allow-cluster-create "$profile/ops-ro" "$profile/other"
start_service a
wait_for 20 is_settled a
printf 'dn: cn=dbx-ops-ro,ou=Groups,%s\nchangetype: delete\n\n' "$base" | ldif
check "its end takes just what it gave" values_become prod "$ops" allow-cluster-create "$profile/other"
add_group dbx-ops-ro bo
check "and when it comes back so does that" values_become prod "$ops" workspace-access allow-cluster-create "$profile/ops-ro" "$profile/other"
stop_service a
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
done_testing
