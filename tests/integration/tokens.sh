#!/usr/bin/env bash
# tokens -- whose personal access tokens there are, which go by a grant's lifetime, by the sweep and by a person's word, and
# how many die with a right to use tokens
# shellcheck source=tokens_world.sh
. "$(dirname "$0")/tokens_world.sh"

seed() {
	seed_user 11 ada
	seed_user 12 bo
	seed_user 13 cy
	seed_user 14 guest
	seed_user 15 root
	seed_token prod 11 dapi-ada-old "ada old" 200 300
	seed_token prod 11 dapi-ada-new "ada new" 5 300
	seed_token prod 12 dapi-bo-old "bo old" 200 300
	seed_token prod 13 dapi-cy "cy laptop" 20 never
	seed_token prod 14 dapi-guest "guest" 400 never
	seed_token prod 15 dapi-root "root" 400 never
	seed_token dev 12 dapi-bo-dev "bo dev" 40 300
}
guard="{users: 5, groups: 10, tokens: 4, minimum: 2}"
extra='protected: {users: [root@example.com]}'
start_tokens_world

mapping ""
run a tokens list --workspace prod
check "before anything is ours the directory knows its people" said 'ada@example.com  *in .* 200d .*ada old'
run a apply --auto-approve
check_equal "people and groups are there" 0 "$code"
check_equal "nobody asked for tokens" 0 "$(count_requests a '(.path | contains("token-management")) and .workspace == "dev"')"
all=$(tokens_of)

# ---- the list ----

run a tokens list --workspace prod
check_equal "tokens are listed" 0 "$code"
check "with their owners" said 'ada@example.com  *in .* 200d .*ada old'
check "those that nobody manages are told apart" said 'guest@example.com  *not_managed'
check "one that never expires" said 'cy@example.com  *in .* never '
check "a protected owner's" said 'root@example.com  *not_managed  *protected'
check "our own" said ' own .*dbx-sim'
run a tokens list --workspace prod --owner ADA@example.com --older-than 90d -o csv
check_equal "a list can be narrowed" 0 "$code"
check_equal "and comes as CSV" 2 "$(grep -c . "$work/said")"
run a tokens list -o json
check "or JSON" jq -e '.tokens | map(select(.owner == "bo@example.com" and .state == "in")) | length == 2' "$work/said"
check "sorted by workspace, owner and time" jq -e '.tokens | map([(.workspace == "dev"), .owner, .created]) | . == sort' "$work/said"
check "with what is known of each" jq -e '.tokens[] | select(.comment == "ada old") | .workspace == "prod" and .owner_id == "11"
	and (.id | length == 64) and .never_expires == false and .guarded == null and .age == "200d"
	and (.last_used | startswith("20")) and (.expires | startswith("20"))' "$work/said"
cp "$work/said" "$work/list"
run a tokens list -o json
check "twice the same" cmp "$work/said" "$work/list"

# ---- the right to use tokens ----

mapping '  tokens: {use: true}'
run a apply --auto-approve
check_equal "a right to use tokens is given" 0 "$code"
may_use_tokens prod etl-rw bo@example.com cy@example.com guest@example.com root@example.com
check "which others have, too" has_tokens prod "$all"
mapping '  # no tokens'
run a plan
check "its end shows how many tokens die" said '2 live tokens die with the right to use tokens'
check "at the entry" said 'live tokens "2" -> "0"'
check "and takes nothing else" said '2 to remove'
run a plan -o json
check "JSON says so, too" jq -e '[.operations[] | select(.before["live tokens"] == "2" and .weight == 2)] | length == 1' "$work/said"
mapping '  tokens: {use: true}'
run a plan
check_equal "it stays" 0 "$code"

# ---- the lifetime of a grant ----

mapping '  tokens: {use: true, max_lifetime: 90d}'
run a plan
check_equal "a lifetime of a grant has changes" 2 "$code"
check "the old token of a member goes" said 'ada old of ada@example.com'
check "for the reason given" said 'older than 90d'
check_equal "that of a stranger to the group does not" 0 "$(grep -c 'bo old' "$work/said")"
run a apply --auto-approve
check_equal "apply revokes" 0 "$code"
check "only that" has_tokens prod "${all/ada old,/}"
run a plan
check_equal "the second plan is empty" 0 "$code"

# ---- by a person's word ----

run a tokens revoke --owner bo@example.com --workspace prod --auto-approve -o json
check_equal "a person may name an owner" 0 "$code"
check "and hears what became of it" jq -e '.revoked == 1 and .failed == 0 and .guarded == 0' "$work/said"
check "whose tokens go" has_tokens prod "$(echo "$all" | sed 's/ada old,//; s/bo old,//')"
check "where he says" has_tokens dev "bo dev"
run a tokens revoke --auto-approve
check_equal "but not nobody" 64 "$code"
run a tokens revoke --owner root@example.com --auto-approve
check_equal "protected people's are left alone" 1 "$code"
check "which is told" said '1 of these is left alone.*--include-protected'
check "they are there" has_tokens prod "$(echo "$all" | sed 's/ada old,//; s/bo old,//')"
run a tokens revoke --id "$(managed prod GET /api/2.0/token-management/tokens | jq -r '.token_infos[] | select(.comment == "dbx-sim").token_id')" --auto-approve
check_equal "and so is our own" 1 "$code"
run a tokens revoke --owner root@example.com --auto-approve --include-protected
check_equal "unless he says that, too" 0 "$code"
check "then they go" has_tokens prod "ada new,cy laptop,guest"
run a tokens revoke --owner nobody@example.com --auto-approve
check_equal "nobody's tokens are gone already" 0 "$code"

# ---- the sweep ----

extra='protected: {users: [ada@example.com]}
tokens: {sweep: {at: "03:00", never_expiring: true, older_than: 1h}}'
write_config a
run a tokens sweep --auto-approve
check_equal "the sweep goes now" 0 "$code"
check "over what never expires and is too old, but not over protected people's, our own, and whom the directory never knew" \
	has_tokens prod "ada new,guest"
check "everywhere" has_tokens dev ""
extra='tokens: {sweep: {at: "03:00", older_than: 2d, others: true}}'
write_config a
run a plan
check "over all if it is told to" said 'guest of guest@example.com'
run a tokens sweep --auto-approve
check_equal "but the guard counts all that went within the window" 3 "$code"
check "which is told" said 'All of these are held'
check "and nothing goes" has_tokens prod "ada new,guest"
run a approve tokens --auto-approve
check "until a person approves" said '2 approved'
run a tokens sweep --auto-approve
check_equal "then it does" 0 "$code"
check "all of them" has_tokens prod ""
check_equal "the record holds" 0 "$(ldap2dbx_in a audit verify >/dev/null; echo $?)"
check_equal "and names what was revoked" 8 "$(ldap2dbx_in a audit export | grep -c '"op":"remove_resource"')"

# ---- our own at last ----

run a tokens revoke --owner "$(sim_of a .client_id)" --workspace dev --auto-approve --include-protected
check_equal "our own goes by that word" 0 "$code"
check_equal "for good" 403 "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $(sim_of a .workspaces.dev.token)" \
	"$(sim_of a .workspaces.dev.host)/api/2.0/token-management/tokens")"
done_testing
