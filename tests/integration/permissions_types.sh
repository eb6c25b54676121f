#!/usr/bin/env bash
# permissions_types -- every type of object that has permissions, from the rule to the object and back: found by each
# selector that the type has, each of its levels given, the highest of two kept, a second plan empty, a level that it has not
# refused with the list of those that it has, taken back by an event, entries of others untouched
# shellcheck source=permissions_world.sh
. "$(dirname "$0")/permissions_world.sh"

# Key in rules | type in the API | levels, low to high | selectors beside name or path, glob, id and all | what the service
# wants to know to make one, as JSON.
types='
alert|alertsv2|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE|creator|"folder":"/Shared"
app|apps|CAN_USE CAN_MANAGE|creator|
cluster|clusters|CAN_ATTACH_TO CAN_RESTART CAN_MANAGE|tag creator|
cluster_policy|cluster-policies|CAN_USE|creator|
dashboard|dashboards|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE||"folder":"/Shared"
database_instance|database-instances|CAN_USE CAN_MANAGE|tag creator|
database_project|database-projects|CAN_USE CAN_MANAGE|creator|
directory|directories|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE||
experiment|experiments|CAN_READ CAN_EDIT CAN_MANAGE|tag|
feature_table|feature-tables|CAN_VIEW_METADATA CAN_EDIT_METADATA CAN_MANAGE||
file|files|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE||
genie_space|genie|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE||"folder":"/Shared"
instance_pool|instance-pools|CAN_ATTACH_TO CAN_MANAGE|tag|
job|jobs|CAN_VIEW CAN_MANAGE_RUN CAN_MANAGE IS_OWNER|tag creator|
knowledge_assistant|knowledge-assistants|CAN_QUERY CAN_MANAGE|creator|
legacy_alert|sql/alerts|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE|creator|"folder":"/Shared"
legacy_dashboard|dbsql-dashboards|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE|tag creator|"folder":"/Shared"
notebook|notebooks|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE||
pipeline|pipelines|CAN_VIEW CAN_RUN CAN_MANAGE IS_OWNER|creator|
query|sql/queries|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE|tag creator|"folder":"/Shared"
registered_model|registered-models|CAN_READ CAN_EDIT CAN_MANAGE_STAGING_VERSIONS CAN_MANAGE_PRODUCTION_VERSIONS CAN_MANAGE|tag|
repo|repos|CAN_READ CAN_RUN CAN_EDIT CAN_MANAGE||
serving_endpoint|serving-endpoints|CAN_VIEW CAN_QUERY CAN_MANAGE|tag creator|
sql_warehouse|sql/warehouses|CAN_VIEW CAN_USE CAN_MONITOR CAN_MANAGE IS_OWNER|tag creator|
supervisor_agent|supervisor-agents|CAN_QUERY CAN_MANAGE|creator|
vector_search_endpoint|vector-search-endpoints|CAN_USE CAN_MANAGE|tag creator|
'
principals="by-word by-glob by-tag by-creator by-id by-all by-two"

each_type() {
	while IFS='|' read -r key api levels selectors more; do
		[ -z "$key" ] || "$@"
	done <<<"$types"
}

# How an object of the type is called: by path, by a name that is a path, or by a name.
name_of() {
	case $key in
	directory | file | notebook) echo "/Teams/$1-$key" ;;
	repo) echo "/Repos/teams/$1-$key" ;;
	experiment) echo "/Shared/$1-$key" ;;
	*) echo "$1-${key//_/-}" ;;
	esac
}

is_in_tree() {
	case $key in directory | file | notebook | repo) return 0 ;; esac
	return 1
}

# Its id: given where the service lets us, else asked for.
object_of() {
	local name
	name=$(name_of "$1")
	if is_in_tree; then
		echo "$api/$(id_of prod "/api/2.0/workspace/get-status?path=$name" .object_id)"
		return
	fi
	case $key in
	app | database_instance | database_project) echo "$api/$name" ;;
	cluster_policy)
		echo "$api/$(id_of prod /api/2.0/policies/clusters/list ".policies[] | select(.name == \"$name\").policy_id")"
		;;
	*) echo "$api/$([ "$1" = one ] && echo 71 || echo 72)$(printf '%s' "$api" | cksum | cut -c1-6)" ;;
	esac
}

low() {
	echo "${levels%% *}"
}

# What can be given to a group.
high() {
	local all=${levels% IS_OWNER}
	echo "${all##* }"
}

# The levels go round, so that each is given to somebody.
level_for() {
	local all at=0 who
	read -ra all <<<"${levels% IS_OWNER}"
	for who in $principals; do
		[ "$who" != "$1" ] || break
		at=$((at + 1))
	done
	[ "$1" = by-two ] && high || echo "${all[at % ${#all[@]}]}"
}

has_selector() {
	case $1 in by-tag) [[ $selectors == *tag* ]] ;; by-creator) [[ $selectors == *creator* ]] ;; *) true ;; esac
}

selector_for() {
	local by=name
	is_in_tree && by=path
	case $1 in
	by-word | by-two) printf '%s' "$(name_of one)" ;;
	by-glob) printf '{%s: "%s"}' "$by" "$(name_of 'o?e')" ;;
	by-tag) printf '{tag: {team: "*"}}' ;;
	by-creator) printf '{creator: "%s"}' "$owner" ;;
	by-id) printf '{id: "%s"}' "$(basename "$(object_of one)")" ;;
	by-all) printf '{all: true}' ;;
	esac
}

# ---- the world ----

seed_of() {
	local which tags acl id name
	for which in one two; do
		id="" tags=""
		name=$(name_of "$which")
		acl="\"acl\":[{\"group_name\":\"users\",\"permission_level\":\"$(low)\"}]"
		[ "$which" = one ] && [[ $selectors == *tag* ]] && tags='"tags":{"team":"etl"},'
		is_in_tree || id="\"id\":\"$(basename "$(object_of "$which")")\","
		printf '%s{"%s":"%s",%s%s%s%s}\n' "$([ "$which" = two ] && echo ,)" "$(is_in_tree && echo path || echo name)" "$name" \
			"$id" "$tags" "${more:+$more,}" "$acl"
	done
}

section_of() {
	[ "$key" != cluster_policy ] || return 0 # a seeded one has no creator
	printf '%s"%s":[%s]\n' "$comma" "$api" "$(seed_of)"
	comma=,
}

comma=""
{
	echo '{"prod":{'
	each_type section_of
	echo '}}'
} >"$work/objects.json"
people_and_groups >"$work/company.ldif"
{
	for who in $principals; do
		printf '\ndn: cn=dbx-%s,ou=Groups,%s\nobjectClass: groupOfNames\ncn: dbx-%s\nmember: uid=ada,ou=People,%s\n' \
			"$who" "$base" "$who" "$base"
	done
	for what in rights more; do
		printf '\ndn: cn=give-%s,ou=Groups,%s\nobjectClass: groupOfNames\ncn: give-%s\nmember: uid=ada,ou=People,%s\n' \
			$what "$base" $what "$base"
	done
} >>"$work/company.ldif"
start_slapd --ldif "$work/company.ldif"
guard="{permissions: 1000, tokens: 1000, groups: 10, minimum: 0}"
make_world a --objects "$work/objects.json"
owner=$(sim_of a .client_id)
for which in one two; do
	curl -sf -o /dev/null -H "Authorization: Bearer $(sim_of a .workspaces.prod.token)" \
		"$(sim_of a .workspaces.prod.host)/api/2.0/policies/clusters/create" \
		-d "{\"name\": \"$which-cluster-policy\", \"definition\": \"{}\"}"
	key=cluster_policy api=cluster-policies
	set_acl prod "$(object_of $which)" group users CAN_USE
done

# ---- the rules: as long as the directory has the group give-rights, and give-more for one level more ----

rule_of() {
	has_selector "$who" || return 0
	printf '  - {%s: %s, level: %s, in: [prod]}\n' "$key" "$(selector_for "$who")" "${1:-$(level_for "$who")}"
}

low_rule_of() {
	rule_of "$(low)"
}

rules() {
	cat <<-YAML
		version: 1
		users:
		- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
		  user: {userName: "\${mail}"}
		groups:
		- search: {source: company, base: "ou=Groups,$base", filter: (cn=dbx-*)}
		  through: {base: "ou=Groups,$base", filter: (cn=give-*)}
		  group: {displayName: '\${match(cn, "^dbx-(.+)\$")}'}
		grants:
	YAML
	for who in $principals; do
		printf -- '- to: {group: %s}\n  workspaces: {prod: USER}\n' "$who"
		printf -- "- for_each: {group: '^give-rights\$'}\n  to: {group: %s}\n  permissions:\n" "$who"
		each_type rule_of
	done
	who="by-two"
	printf -- "- for_each: {group: '^give-more\$'}\n  to: {group: by-two}\n  permissions:\n"
	each_type low_rule_of
	echo '  - {authorization: tokens, level: CAN_USE, in: [prod]}'
	echo '  - {authorization: passwords, level: CAN_USE, in: [prod]}'
}
rules | use_mapping a

direct_of() {
	local who
	echo "group users $(low)"
	acl prod "$(object_of "$1")" | grep -F "service $owner "
	for who in $principals; do
		has_selector "$who" || continue
		[ "$1" = one ] || [ "$who" = by-all ] || [ "$who" = by-creator ] || continue
		echo "group $who $(level_for "$who")"
	done
}

has_all() {
	local which lines
	for which in one two; do
		mapfile -t lines < <(direct_of "$which")
		check "$key: $which" acl_becomes prod "$(object_of "$which")" "${lines[@]}"
	done
}

# Of by-two the lower level is left, of the others nothing.
has_less() {
	local mine
	mine=$(acl prod "$(object_of one)" | grep -F "service $owner ")
	check "$key: what give-rights gave is taken back, what give-more gives stays" \
		acl_becomes prod "$(object_of one)" "group users $(low)" "group by-two $(low)" ${mine:+"$mine"}
	mine=$(acl prod "$(object_of two)" | grep -F "service $owner ")
	check "$key: and of the other one" acl_becomes prod "$(object_of two)" "group users $(low)" ${mine:+"$mine"}
}

has_none() {
	local mine
	mine=$(acl prod "$(object_of one)" | grep -F "service $owner ")
	check "$key: nothing of ours is left" acl_becomes prod "$(object_of one)" "group users $(low)" ${mine:+"$mine"}
}

# ---- a level that the type has not ----

refused() {
	printf 'version: 1\ngrants:\n- to: {group: x}\n  permissions:\n  - {%s: %s, level: CAN_BIND}\n' "$key" "$(name_of one)" |
		use_mapping a
	run a check
	check "$key: a level that it has not is refused with those that it has" \
		said "company.yaml:5:.*\`CAN_BIND\` is no level of $key.*levels: ${levels// /, }"
}

each_type refused
rules | use_mapping a

run a apply --auto-approve
check_equal "apply ends well" 0 $code
[ $code = 0 ] || cat "$work/said"
each_type has_all
check "tokens" has_acl prod authorization/tokens "group admins CAN_MANAGE" "group users CAN_USE" "group by-two CAN_USE"
check "passwords" eval 'acl prod authorization/passwords | grep -qx "group by-two CAN_USE"'
run a plan
check_equal "a second plan is empty" 0 $code
[ $code = 0 ] || cat "$work/said"

start_service a
wait_for 20 is_settled a
drop_group() {
	printf 'dn: cn=%s,ou=Groups,%s\nchangetype: delete\n\n' "$1" "$base" | ldif
}
drop_group give-rights
each_type has_less
drop_group give-more
each_type has_none
check "tokens: nothing of ours is left" acl_becomes prod authorization/tokens "group admins CAN_MANAGE" "group users CAN_USE"
wait_for 20 is_settled a
stop_service a
run a plan
check_equal "then nothing is left to do" 0 $code
[ $code = 0 ] || cat "$work/said"
done_testing
