#!/usr/bin/env bash
# services_events -- an entry that comes while the service runs is a service principal with a secret, a federation policy and
# a token; when it goes, so do they
# shellcheck source=services_world.sh
. "$(dirname "$0")/services_world.sh"

add_service() { # NAME
	printf 'dn: cn=%s,ou=People,%s\nchangetype: add\nobjectClass: applicationProcess\ncn: %s\n\n' "$1" "$base" "$1" | ldif
}
drop_service() { # NAME
	printf 'dn: cn=%s,ou=People,%s\nchangetype: delete\n\n' "$1" "$base" | ldif
}
has_all() { # NAME
	[ -s "$work/out/$1" ] && [ -s "$work/out/prod-web" ] && signs_in "$1" "$(cat "$work/out/$1")" && token_signs_in "$work/out/prod-web" &&
		[ "$(policies "$1" | jq -r .oidc_policy.subject)" = "$(service "$1" applicationId)" ]
} 2>/dev/null
may_use_tokens() { # NAME
	acl prod authorization/tokens | grep -qx "service $(service "$1" applicationId) CAN_USE"
} 2>/dev/null
has_nothing() { # NAME
	[ "$(secrets_of "$1" | wc -l)" = 0 ] && [ "$(tokens_of "$1" | wc -l)" = 0 ]
}

start_slapd --ldif <(people_and_groups)
guard="{users: 5, groups: 10, tokens: 0, permissions: 0, minimum: 1}"
make_services_world --cloud aws
mkdir "$work/out"
use_mapping a <<-YAML
	version: 1
	users:
	- search: {source: company, base: "ou=People,$base", filter: (objectClass=inetOrgPerson)}
	  user: {userName: "\${mail}"}
	service_principals:
	- search: {source: company, base: "ou=People,$base", filter: (objectClass=applicationProcess)}
	  service_principal: {displayName: "\${cn}"}
	  secrets: {lifetime: 90d, rotate_before: 30d, write_to: "file:$work/out/\${displayName}"}
	  federation_policies: [{policy_id: ci, issuer: "https://idp.example.com", subject: "\${applicationId}"}]
	grants:
	- to: {service_principal: web}
	  workspaces: {prod: USER}
	  tokens: {use: true, on_behalf_of: {lifetime: 90d, write_to: "file:$work/out/\${workspace}-web"}}
YAML
run a apply --auto-approve
check_equal "without such an entry the grant names nobody" 4 "$code"
start_service a
wait_for 20 is_settled a
add_service web
check "an entry that comes has all of it" wait_for 20 has_all web
wait_for 20 is_settled a
check "and may use tokens, as soon as it has a name there" wait_for 20 may_use_tokens web
check_equal "one secret, one token" "1 1" "$(secrets_of web | wc -l) $(tokens_of web | wc -l)"
drop_service web
check "an entry that goes takes them along" wait_for 20 has_nothing web
check "and is not held, since it follows from the leaving" wait_for 20 is_settled a
check_equal "whose right to use them went, too" 0 "$(acl prod authorization/tokens | grep -c '^service')"
stop_service a
run a plan
check_equal "then nothing is left to do" 0 "$code"
done_testing
