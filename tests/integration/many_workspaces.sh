#!/usr/bin/env bash
# many_workspaces -- 60 workspaces, 150 groups, 20 rules: plan, apply, a second plan that is empty, and not many more calls
# than the work needs
#
# usage: many_workspaces.sh [WORKSPACES [GROUPS]]
# shellcheck source=world.sh
. "$(dirname "$0")/world.sh"

workspaces=${1:-60}
groups=${2:-150}
base=dc=example,dc=com
run_seconds=300

people=$((groups / 3))
{
	printf 'dn: %s\nobjectClass: organization\nobjectClass: dcObject\ndc: example\no: Example\n\n' "$base"
	for branch in People Groups; do
		printf 'dn: ou=%s,%s\nobjectClass: organizationalUnit\nou: %s\n\n' "$branch" "$base" "$branch"
	done
	for ((i = 1; i <= people; i++)); do
		printf 'dn: uid=p%d,ou=People,%s\nobjectClass: inetOrgPerson\nuid: p%d\ncn: p%d\nsn: Sample\nmail: p%d@example.com\n\n' \
			$i "$base" $i $i $i
	done
	for ((i = 1; i <= groups; i++)); do
		role=$([ $((i % 2)) = 0 ] && echo ro || echo rw)
		printf 'dn: cn=dbx-t%d-%s,ou=Groups,%s\nobjectClass: groupOfNames\ncn: dbx-t%d-%s\nmember: uid=p%d,ou=People,%s\n\n' \
			$i "$role" "$base" $i "$role" $((i % people + 1)) "$base"
	done
} >"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"

options=()
for ((w = 1; w <= workspaces; w++)); do
	options+=(--workspace "w$w")
done
jq -nc --argjson workspaces "$workspaces" --argjson groups "$groups" '[range(1; $workspaces + 1) | {key: "w\(.)", value: {
	directories: ["/Shared/etl", "/Shared/bi", (range(1; $groups + 1) | "/Teams/t\(.)")],
	jobs: [{name: "nightly-#", count: 20}, {name: "adhoc-#", count: 20}],
	clusters: [{name: "shared-#", count: 5, tags: {team: "etl"}}],
	"sql/warehouses": [{name: "bi"}]}}] | from_entries' >"$work/objects.json"
mkdir -p "$work/a/mappings"
: >"$work/a/requests.jsonl"
start_world_simulator a "${options[@]}" --objects "$work/objects.json"
write_config a
{
	sed '/^workspaces:/,/^  dev:/d' "$work/a/ldap2dbx.yaml"
	echo workspaces:
	for ((w = 1; w <= workspaces; w++)); do
		printf '  w%d: {host: %s, tags: {env: %s}}\n' $w "$(sim_of a ".workspaces.w$w.host")" \
			"$([ $((w % 2)) = 0 ] && echo prod || echo dev)"
	done
} >"$work/a/new.yaml"
mv "$work/a/new.yaml" "$work/a/ldap2dbx.yaml"

{
	cat <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
		  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
		grants:
		- for_each: {group: '^dbx-(?<team>t[0-9]+)-(?<role>ro|rw)\$'}
		  workspaces: {"*": USER}
		  permissions:
		  - {directory: "/Teams/\${team}", level: "\${role == 'rw' and 'CAN_EDIT' or 'CAN_READ'}", in: ["tag:env=prod"]}
	YAML
	for ((i = 1; i <= 19; i++)); do
		cat <<-YAML
			- to: {group: t$i-$([ $((i % 2)) = 0 ] && echo ro || echo rw)}
			  permissions:
			  - {job: "nightly-*", level: CAN_MANAGE_RUN}
			  - {directory: /Shared/etl, level: CAN_EDIT}
			  - {cluster: {tag: {team: etl}}, level: CAN_RESTART}
			  - {sql_warehouse: bi, level: CAN_USE}
		YAML
	done
} >"$work/a/mappings/company.yaml"

calls_of() {
	grep -o '[0-9]* calls made' "$work/said" | tail -1 | cut -d' ' -f1
}

run() {
	ldap2dbx_in "$@" >"$work/said" 2>"$work/log"
	code=$?
}

prod=$((workspaces / 2))
permission_objects=$((workspaces * (20 + 1 + 5 + 1) + prod * groups))
reads=$permission_objects
writes=$permission_objects

run a plan
check_equal "the first plan has changes" 2 $code
plan_calls=$(calls_of)
run a apply --auto-approve
check_equal "apply ends well" 0 $code
apply_calls=$(calls_of)
run a plan
check_equal "the second plan is empty" 0 $code
second_calls=$(calls_of)
# What cannot be left out: each list of permissions once for a plan; one write for each object, member set and assignment.
needed=$((reads + writes + groups * 2 + people + workspaces * groups))
echo "# $workspaces workspaces, $groups groups, $permission_objects objects with permissions:"
echo "# plan $plan_calls calls, apply $apply_calls (needs $needed), second plan $second_calls"
check "no call twice over: apply stays below a quarter more than its work" [ "$apply_calls" -le $((needed * 5 / 4 + 1000)) ]
check "a plan reads each object once" [ "$second_calls" -le $((reads * 5 / 4 + workspaces * 10 + groups * 2 + 100)) ]
done_testing
