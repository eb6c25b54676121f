#!/usr/bin/env bash
# status -- what is ours of every kind, held, quarantined and due, by target: the same through the service and without it
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

status() {
	ldap2dbx_in a status -o json | jq -c "$1"
}
is_status() {
	[ "$(status "$1")" = "$2" ] || {
		status "$1"
		return 1
	}
}
status_becomes() {
	wait_for 20 is_status "$@" >/dev/null
	is_status "$@"
}

start_slapd --ldif <(people_and_groups)
guard="{users: 100%, groups: 1, minimum: 0, policies: 0}"
extra="tokens: {sweep: {interval: 1h}}"
make_world a
mkdir "$work/out" "$work/a/policies"
sed -i "s|^  prod: {host: \(.*\)}\$|  prod: {host: \1, settings: {maxTokenLifetimeDays: 90}}|" "$work/a/ldap2dbx.yaml"
mapping() { # MORE
	use_mapping a <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
		  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
		service_principals:
		- listed: [{displayName: loader}]
		  secrets: {lifetime: 10d, rotate_before: 2d, write_to: "file:$work/out/\${displayName}"}
		  federation_policies: [{policy_id: ci, issuer: "https://idp.example.com", subject: x}]
		grants:
		- to: {group: etl-rw}
		  workspaces: {prod: USER}
		  entitlements: [workspace-access]
		  manages: {groups: [ops-ro]}
		  permissions:
		  - {cluster_policy: small, level: CAN_USE, in: [prod]}
		${1-}
		ip_access_lists:
		- {label: offices, type: BLOCK, addresses: [192.0.2.0/24], in: [prod]}
		- {label: others, type: BLOCK, addresses: [198.51.100.0/24], in: [prod, dev]}
	YAML
}
policies='cluster_policies:
- {name: small, definition: {autotermination_minutes: {type: fixed, value: 30}}, in: [prod]}'
mapping "$policies"
ldap2dbx_in a check || exit 1
ldap2dbx_in a plan -o csv | tr -d '\r' >"$work/said"
check "a plan as CSV" grep -q '^create,account,user,ada@example.com,,"create user ""ada@example.com"" in account",false,,.*company.yaml,3,"uid=ada,' "$work/said"
check_equal "has an operation a line" "$(ldap2dbx_in a plan -o json | jq '.operations | length')" "$(tail -n +2 "$work/said" | wc -l)"
start_service a
check "a first load" wait_for 30 is_settled a

prod='{"users":0,"groups":0,"service_principals":0,"members":0,"grants":2,"permissions":1,"roles":0,"cluster_policies":1,'
prod+='"ip_access_lists":2,"settings":1,"secrets":0,"federation_policies":0,"on_behalf_tokens":0}'
check "what is ours in a workspace" status_becomes '.targets[] | select(.name == "prod").ours' "$prod"
check "and in another" status_becomes '.targets[] | select(.name == "dev").ours | .ip_access_lists, .settings, .grants' $'1\n0\n0'
check "and in the account" status_becomes '.targets[] | select(.name == "account").ours | [.service_principals, .roles, .secrets,
	.federation_policies]' '[1,1,1,1]'
check "sums of it" status_becomes '.counts | [.ip_access_lists, .secrets, .permissions, .cluster_policies, .settings, .roles]' '[3,1,1,1,1,1]'
check "tokens where they are looked at" status_becomes '[.targets[] | .tokens | type]' '["null","number","number"]'
check "when each was read" status_becomes '[.targets[] | .last_read | type]' '["string","string","null"]'
check "what is due" status_becomes '[.targets[].due | [to_entries[] | select(.value != null) | .key] | join(" ")]' \
	'["secrets","permissions tokens","permissions tokens"]'
check_equal "nothing is held" '[0,0,0] null' "$(status '[.targets[].held]') $(status .elsewhere)"
ldap2dbx_in a status >"$work/said"
check "in words" grep -q '^      ours: 2 grants, 1 permissions, 1 cluster policies, 2 IP access lists, 1 settings$' "$work/said"
check "with the sums" grep -q '^Ours .* 1 roles, 1 cluster policies, 3 IP access lists, 1 settings, 1 secrets, 1 federation policies$' "$work/said"
check "and what is due" grep -q '^      due: new objects 20.*Z, tokens 20.*Z$' "$work/said"

ldap2dbx_in a status -o csv | tr -d '\r' >"$work/said"
check_equal "as CSV, a target a line" "account prod dev" "$(tail -n +2 "$work/said" | cut -d, -f1 | xargs)"
check "with a line of names" grep -q '^target,host,sign_in,.*,cluster_policies,ip_access_lists,' "$work/said"
served=$(status '[.targets[] | [.name, .ours, .held, .quarantined]], .counts')
stop_service a
check_equal "the same without the service" "$served" "$(status '[.targets[] | [.name, .ours, .held, .quarantined]], .counts')"
check_equal "which knows nothing of calls and times" '[null,null,null]' "$(status '.targets[0] | [.calls, .due, .last_read]')"
ldap2dbx_in a status >"$work/said"
check "in words too" grep -q '^      ours: 2 grants, 1 permissions, 1 cluster policies, 2 IP access lists, 1 settings$' "$work/said"

# Held and quarantined, by target.
curl -sf -X POST -H "Authorization: Bearer $(sim_of a .workspaces.dev.token)" -d '{"name": "theirs", "definition": "{}"}' \
	"$(sim_of a .workspaces.dev.host)/api/2.0/policies/clusters/create" >/dev/null
mapping 'cluster_policies:
- {name: theirs, definition: {autotermination_minutes: {type: fixed, value: 30}}, in: [dev]}'
start_service a
check "what is held has its place" status_becomes '[.targets[] | .held]' '[0,1,0]'
check "what cannot be planned, too" status_becomes '[.targets[] | .quarantined]' '[0,0,1]'
ldif <<-LDIF
	dn: uid=bo,ou=People,$base
	changetype: modify
	delete: mail
LDIF
check "and who" status_becomes '[.targets[] | .quarantined]' '[1,0,1]'
ldap2dbx_in a status >"$work/said"
check "in words" grep -q '^      1 held, [0-9]* personal access tokens, last read ' "$work/said"
served=$(status '[.targets[] | [.name, .ours, .held, .quarantined]], .counts, ([.quarantine[] | [.key, .name]] | sort)')
stop_service a
check_equal "and without the service" "$served" \
	"$(status '[.targets[] | [.name, .ours, .held, .quarantined]], .counts, ([.quarantine[] | [.key, .name]] | sort)')"

use_mapping a <<YAML
version: 1
users:
- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
  user: {userName: "\${mail}"}
YAML
sed -i '/^  prod: /d' "$work/a/ldap2dbx.yaml"
check_equal "a target that is not configured any more is not shown" '["account","dev"]' "$(status '[.targets[].name]')"
check_equal "nor counted" 1 "$(status .counts.ip_access_lists)"
done_testing
