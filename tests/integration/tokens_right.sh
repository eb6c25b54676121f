#!/usr/bin/env bash
# tokens_right -- who loses the right to use tokens loses his tokens for good: what the guard holds of that, what a person
# decides, what happens by event, and who keeps it by another way
# shellcheck source=tokens_world.sh
. "$(dirname "$0")/tokens_world.sh"

seed() {
	seed_user 11 ada
	# An admin there by another hand.
	seed_user 12 bo | jq -c '.user.seats[0].level = "ADMIN"'
	seed_user 13 cy
	seed_user 14 guest
	jq -nc --arg prod "$prod" '{group: {id: "21", displayName: "outsiders", members: ["14"],
		seats: [{workspace: $prod, level: "USER"}]}}'
	seed_token prod 14 dapi-guest-1 "guest 1" 20 300
	seed_token prod 14 dapi-guest-2 "guest 2" 20 300
	for n in 1 2 3; do
		seed_token prod 11 "dapi-ada-$n" "ada $n" 20 300
		seed_token prod 12 "dapi-bo-$n" "bo $n" 20 300
	done
	seed_token prod 13 dapi-cy-1 "cy 1" 20 300
	seed_token dev 11 dapi-ada-dev "ada dev" 20 300
	seed_token dev 13 dapi-cy-dev "cy dev" 20 300
}
guard="{users: 5, groups: 10, tokens: 2, minimum: 1}"
start_tokens_world

# `etl-rw` (ada) and `ops-ro` (bo) may use tokens as long as the directory has a group for it.
rules() {
	mapping "- for_each: {group: \"^tok-(?<who>.+)\$\"}
  to: {group: '\${who}'}
  workspaces: {\"*\": USER}
  tokens: {use: true}
- to: {group: ops-ro}
  workspaces: {\"*\": USER}"
}
printf 'dn: cn=dbx-ops-ro,ou=Groups,%s\nchangetype: modify\nadd: member\nmember: uid=cy,ou=People,%s\n-\n' "$base" "$base" | ldif
add_group tok-etl-rw ada
add_group tok-ops-ro bo
rules
sed -i 's/filter: (cn=dbx-\*)/filter: (cn=*)/; s/(\(match([^)]*)\)/\1 or cn/; s/"^dbx-(.+)\$")}/"^dbx-(.+)$") or cn}/' "$work/a/mappings/company.yaml"
run a apply --auto-approve
check_equal "rights to use tokens are given" 0 "$code"
may_use_tokens prod etl-rw ops-ro cy@example.com outsiders
may_use_tokens dev etl-rw ops-ro cy@example.com
everybody="ada 1,ada 2,ada 3,bo 1,bo 2,bo 3,cy 1,guest 1,guest 2"
check "nobody lost a token" has_tokens prod "$everybody"

remove_group() {
	printf 'dn: cn=%s,ou=Groups,%s\nchangetype: delete\n' "$1" "$base" | ldif
}
holds_tokens() {
	[ "$(ldap2dbx_in a status -o json | jq '[.holds[] | select(.category == "tokens").count] | add // 0')" = "$1" ]
}
may_use() { # WORKSPACE
	acl "$1" authorization/tokens | grep CAN_USE | awk '{print $2}' | paste -sd, -
}
use_becomes() {
	wait_for 20 use_is "$@"
	use_is "$@"
}
use_is() {
	[ "$(may_use "$1")" = "$2" ] || {
		may_use "$1"
		return 1
	}
}

start_service a
wait_for 30 is_settled a
# ada has three in prod (over two: held) and one in dev, by an event.
remove_group tok-etl-rw
# The lists of tokens are read for it, workspace by workspace: dev's alone would pass, and is held only if it comes in one batch.
holds_prod() {
	holds_tokens 1 || holds_tokens 2
}
wait_for 20 holds_prod
check "the end of a right by an event is held where too many tokens die" holds_prod
check "nobody loses it" use_is prod "etl-rw,ops-ro,outsiders,cy@example.com"
check "no token dies" has_tokens prod "$everybody"
run a approve tokens --dry-run -o json
check "the hold says how many" jq -e '[.operations[] | select(.target == "prod").before["live tokens"]] == ["3"]' "$work/said"
run a reject tokens --reason "not now" --auto-approve
check_equal "a person may reject it" 0 "$code"
run a sync
check "then it stays" use_is prod "etl-rw,ops-ro,outsiders,cy@example.com"

# It comes back: the rejection is of no interest any more. Then it goes anew, and is approved, after a restart.
add_group tok-etl-rw ada
wait_for 20 is_settled a
remove_group tok-etl-rw
wait_for 20 holds_tokens 2
check "the next time it is held anew" holds_tokens 2
stop_service a
start_service a
wait_for 30 is_settled a
check "also over a restart" holds_tokens 2
run a approve tokens --auto-approve
check_equal "a person may approve it" 0 "$code"
check "then the right goes" use_becomes prod "ops-ro,outsiders,cy@example.com"
check "and the tokens with it" tokens_become prod "bo 1,bo 2,bo 3,cy 1,guest 1,guest 2"
check "everywhere" tokens_become dev "cy dev"

# bo keeps it as an admin, and cy by himself: nothing dies. Four went within the hour, so any of theirs would be too many.
stop_service a
sed -i 's/tokens: 2, minimum: 1/tokens: 5, minimum: 1/' "$work/a/ldap2dbx.yaml"
start_service a
wait_for 30 is_settled a
remove_group tok-ops-ro
check "who keeps the right by another way loses no token" use_becomes prod "outsiders,cy@example.com"
check "not one" has_tokens prod "bo 1,bo 2,bo 3,cy 1,guest 1,guest 2"
check "and nothing was held" holds_tokens 0
stop_service a

# Nobody reads who is in a group of others: what dies with its right may be everybody's who has no other.
may_use_tokens dev ops-ro cy@example.com
mapping '  permissions: [{authorization: tokens, level: CAN_USE, exclusive: true}]'
run a plan -o json
check "of a group of others the most that may die counts" jq -e '[.operations[] | select(.op == "remove_permissions"
	and .target == "prod") | {(.members[0].name): .before["live tokens"]}] | add | .outsiders == "2" and ."cy@example.com" == "1"
	or .outsiders == "3" and ."cy@example.com" == "0"' "$work/said"
run a plan
check "each token once" said 'prod: 3 live tokens die'
check "also of somebody who loses it by two entries" said 'dev: 1 live token dies'
done_testing
