#!/usr/bin/env bash
# tokens_refused -- workspaces that cannot be reached, do not let us see tokens, or refuse to revoke one: what can be said is
# said, what can go goes, and no right to use tokens is taken blindly
# shellcheck source=tokens_world.sh
. "$(dirname "$0")/tokens_world.sh"

seed() {
	seed_user 11 ada
	seed_user 12 bo
	seed_user 13 cy
	seed_token prod 11 dapi-ada-1 "ada 1" 200 300
	seed_token prod 11 dapi-ada-2 "ada 2" 190 300
	seed_token prod 12 dapi-bo-1 "bo 1" 20 300
	seed_token prod 13 dapi-cy-1 "cy 1" 20 300
	seed_token dev 11 dapi-ada-dev "ada dev" 200 300
	seed_token dev 12 dapi-bo-dev "bo dev" 20 300
}
guard="{users: 5, groups: 10, tokens: 20, minimum: 2}"
start_tokens_world
denied='"status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "only admins"}, "times": 0'

mapping '  tokens: {use: true}'
run a apply --auto-approve
check_equal "the world is in order" 0 "$code"
for place in prod dev; do
	may_use_tokens $place etl-rw bo@example.com cy@example.com
done

# ---- we are no admin there ----

faults "{\"match\": \"GET */token-management/tokens*\", \"host\": \"dev\", $denied}"
run a tokens list -o json
check_equal "a workspace that does not show its tokens makes the list a part" 4 "$code"
check "which is told" said 'dev: the tokens could not be listed: .*403 PERMISSION_DENIED: only admins'
ldap2dbx_in a tokens list -o json >"$work/list" 2>/dev/null
check "in JSON, too" jq -e '.unread | length == 1 and .[0].workspace == "dev" and (.[0].reason | contains("403"))' "$work/list"
check "the others are listed" jq -e '[.tokens[].comment] | index("ada 1") != null and index("ada dev") == null' "$work/list"
mapping '  tokens: {use: true, max_lifetime: 195d}'
run a apply --auto-approve
check_equal "the others are swept" 4 "$code"
check "as the rule says" has_tokens prod "ada 2,bo 1,cy 1"
mapping '  # no tokens'
run a plan
check "who would lose the right is told where it is known" said '1 live token dies'
check "elsewhere that it is not" said 'dev: the tokens could not be listed'
run a apply --auto-approve
check "nobody loses it blindly" has_acl dev authorization/tokens "group admins CAN_MANAGE" "group etl-rw CAN_USE" \
	"user bo@example.com CAN_USE" "user cy@example.com CAN_USE"
check "where it is known they do" has_tokens prod "bo 1,cy 1"
faults ''
check "no token died there" has_tokens dev "ada dev,bo dev"
run a apply --auto-approve
check_equal "once we may see them" 0 "$code"
check "they do there, too" has_tokens dev "bo dev"

# ---- who we are ----

faults '{"match": "GET */scim/v2/Me*", "host": "prod", "status": 200, "body": {"userName": "sample"}, "times": 0}'
run a tokens list -w prod
check_equal "where nobody says who we are no list is taken" 4 "$code"
check "which is told" said 'prod does not say whom we sign in as'
faults ''

# ---- a token that went by another hand ----

mapping ""
gone='{"match": "DELETE */token-management/tokens/*", "status": 404, "after": true, "body": {"error_code": "NOT_FOUND", "message": "Token does not exist"}}'
faults "$gone"
run a tokens revoke --owner bo@example.com -w prod --auto-approve
check_equal "one that is gone between list and call was to go" 0 "$code"
check "which counts" said '1 revoked, 0 failed'
check_equal "and stands in the record" 1 "$(ldap2dbx_in a audit export | grep '"op":"remove_resource"' | grep -c 'bo 1')"
faults '{"match": "DELETE */token-management/tokens/*", "status": 400, "body": {"error_code": "NOT_FOUND", "message": "Token does not exist"}, "times": 0}'
run a tokens revoke --owner cy@example.com --auto-approve
check_equal "but 400 with that word is an error" 1 "$code"
check "which is told" said '0 revoked, 1 failed'
check "it is there" has_tokens prod "cy 1"

# ---- one that is refused keeps none of the others ----

faults ''
extra='tokens: {sweep: {at: "03:00", older_than: 1d}}'
write_config a
one=$(managed dev GET /api/2.0/token-management/tokens | jq -r '.token_infos[] | select(.comment == "bo dev").token_id')
curl -sf -X POST -H 'Authorization: Bearer dapi-bo-dev' "$(sim_of a .workspaces.dev.host)/api/2.0/token/create" -o /dev/null \
	-d '{"comment": "bo second"}'
faults "{\"match\": \"DELETE */token-management/tokens/$one\", $denied}"
ldap2dbx_in a tokens revoke --owner bo@example.com --auto-approve -o json >"$work/list" 2>/dev/null
check_equal "one that is refused is told" 4 $?
check "and counted" jq -e '.revoked == 1 and .failed == 1' "$work/list"
check "the other is gone" has_tokens dev "bo dev"
faults ''

faults "{\"match\": \"GET */token-management/tokens*\", \"host\": \"dev\", $denied}"
run a tokens revoke --owner cy@example.com --auto-approve
check_equal "what was revoked while a workspace could not be looked at is a part" 4 "$code"
check "which is" has_tokens prod ""
check "and is told" said 'dev: the tokens could not be listed'
done_testing
