#!/usr/bin/env bash
# cli -- the command line as a whole: exit codes, what goes where, files, questions, completion; around an engine of
# cardboard (tests/support/fake_script.c), so that every outcome can be had without a directory and without Databricks
# shellcheck source=../support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

program=$top_builddir/tests/support/ldap2dbx-cardboard
config=$work/ldap2dbx.yaml
export FAKE_ENGINE=$work/engine.json NO_COLOR=

# Sets $code, $out, $errors from a run of the program.
run() {
	"$program" "$@" --config "$config" >"$work/out" 2>"$work/errors" </dev/null
	code=$?
	out=$(cat "$work/out")
	errors=$(cat "$work/errors")
}

# The same on a terminal; $1 is typed. Both outputs are in $out.
run_on_terminal() {
	local typed=$1
	shift
	out=$(printf '%s\n' "$typed" | script -qec "$(printf '%q ' "$program" "$@" --config "$config")" /dev/null)
	code=$?
}

contains() {
	case $1 in *"$2"*) return 0 ;; esac
	printf '  "%s" is not in: %s\n' "$2" "$1"
	return 1
}

operation() {
	jq -n --arg id "$1" --arg op "$2" --arg name "$3" --arg held "$4" '{id: $id, op: $op, kind: "user", target: "account",
		object: {key: ("corp/" + $name), id: "7", name: $name}, before: {}, after: {}, members: [], values: [],
		adopts: false, removal: ($op == "delete"), category: "users", follows: null,
		held: (if $held == "" then null else $held end), why: {file: "mappings/corp.yaml", line: 3, entry: null}}'
}

# engine FILTER: what the cardboard engine shows, as a jq program over {create, held}
engine() {
	jq -n --argjson create "$(operation aaaa create ada@example.com "")" \
		--argjson held "$(operation bbbb delete bo@example.com h-1)" "$1" >"$FAKE_ENGINE"
}

mkdir "$work/mappings"
cat >"$config" <<'YAML'
version: 1
sources:
  corp: {uri: ["ldapi:///"], bind: {sasl: external}}
account: {host: https://accounts.example.com, account_id: 00000000-0000-0000-0000-000000000000}
store: sqlite:state.db
YAML
cat >"$work/mappings/corp.yaml" <<'YAML'
version: 1
users:
- search: {source: corp, base: "dc=example,dc=com", filter: (mail=*)}
  user: {userName: "${lower(mail)}"}
tests:
- entry: {mail: Ada@Example.com}
  expect: {userName: ada@example.com}
YAML

# ---- usage ----

run pln
check_equal "an unknown verb" "64 ldap2dbx: unknown verb \"pln\"; did you mean \"plan\"?" "$code $errors"
run plan --otput json
check "an unknown option is answered with the nearest" contains "$errors" "did you mean --output?"
run plan --help
check_equal "help is no failure" 0 "$code"
check "and goes to standard output" contains "$out" "Usage: ldap2dbx plan"

# ---- check ----

run check
check_equal "good files" 0 "$code"
check "are counted" contains "$out" "1 source, 1 target, 1 search, 0 grants, 1 test (0 failed)"
sed -i 's/expect: .*/expect: {userName: bo@example.com}/' "$work/mappings/corp.yaml"
run check
check_equal "a failed test" 78 "$code"
check "has its place" contains "$errors" "corp.yaml:6: test failed"
sed -i 's/expect: .*/expect: {userName: ada@example.com}/;s/userName: "/usrName: "/' "$work/mappings/corp.yaml"
run check
check_equal "a wrong key" 78 "$code"
check "has its place too" contains "$errors" "corp.yaml:4:"
run check -o json
check_equal "and comes as JSON" "false" "$(jq .ok <<<"$out")"
run plan
check_equal "nothing else runs on wrong files" 78 "$code"
sed -i 's/usrName: "/userName: "/' "$work/mappings/corp.yaml"

# ---- plan ----

engine '{operations: []}'
run plan
check_equal "an empty plan" 0 "$code"
engine '{operations: [$create, $held], summary: {add: 1, held: 1}}'
run plan
check_equal "a plan with changes" 2 "$code"
check "has its closing line" contains "$out" \
	"Plan: 1 to add, 0 to change, 0 to remove, 0 to adopt, 1 held. 14 calls made."
check_equal "and nothing else on standard error" "" "$errors"
run plan -o json --out "$work/saved"
check_equal "a plan as JSON" "2 2" "$code $(jq '.operations | length' <<<"$out")"
check_equal "is in the file as well" "$(jq -S 'del(.created)' <<<"$out")" "$(jq -S 'del(.created)' "$work/saved")"
check_equal "which is for its owner alone" 600 "$(stat -c %a "$work/saved")"
run plan --out "$work/nowhere/saved"
check_equal "a plan file that cannot be written" 1 "$code"
engine '{operations: [$held]}'
run plan
check_equal "only held ones" 3 "$code"
engine '{operations: [], incomplete: true, notes: ["search of corp: size limit"]}'
run plan
check_equal "not read whole" 4 "$code"
engine '{operations: [], failure: "bind refused"}'
run plan
check_equal "a failure" "1 ldap2dbx: bind refused" "$code $errors"
"$program" plan --config "$config" >/dev/full 2>"$work/errors"
check_equal "a full disk under the report" 1 $?

# ---- apply ----

engine '{operations: [$create, $held]}'
run apply
check_equal "apply where nobody can be asked" 64 "$code"
run apply --auto-approve
check_equal "apply without a question" 0 "$code"
check "says what it did" contains "$out" "Applied: 1 done, 0 failed, 0 left, 1 held, 0 quarantined."
run apply "$work/saved"
check_equal "a plan file needs no question" 0 "$code"
check "and releases nothing that is held" contains "$out" "held: 1; a plan file does not release them"
engine '{operations: []}'
run apply "$work/saved"
check "what has moved on is left out" contains "$out" 'skipped: create user "ada@example.com" in account'
echo '# changed' >>"$work/mappings/corp.yaml"
run apply "$work/saved"
check_equal "a stale plan file" 78 "$code"
engine '{operations: [$create, ($create | .id = "cccc" | .object.key = "corp/2")], failed: 1}'
run apply --auto-approve
check_equal "partly failed" 4 "$code"
engine '{operations: [$create], failed: 1}'
run apply --auto-approve
check_equal "failed" 1 "$code"
engine '{operations: [$create], quarantined: 1}'
run apply --auto-approve
check_equal "quarantined" 4 "$code"
engine '{operations: [$held]}'
run apply --auto-approve
check_equal "nothing but held ones" 3 "$code"
echo 'mode: observe' >>"$config"
run apply --auto-approve
check_equal "observe writes nothing" 78 "$code"
sed -i '/^mode:/d' "$config"

# ---- questions ----

engine '{operations: [$create, $held]}'
run_on_terminal yes apply
check_equal "a yes" 0 "$code"
check "is asked for" contains "$out" 'Carry this out?'
run_on_terminal y apply
check_equal "only a whole one counts" 1 "$code"
check "and nothing is done" contains "$out" "Nothing was changed."
unset NO_COLOR
run_on_terminal yes plan
check "a terminal gets colours" contains "$out" $'\033[32m+'
run_on_terminal yes plan --no-color
check "or not" [ "${out#*$'\033['}" = "$out" ]
export NO_COLOR=1

# ---- without a service ----

run status
check_equal "no store yet" 1 "$code"
run approve all --dry-run
check_equal "what is held" 0 "$code"
check "is shown" contains "$out" 'delete user "bo@example.com"  [held h-1]'
run approve all
check_equal "approve where nobody can be asked" 64 "$code"
run approve all --auto-approve
check "approve without a question" contains "$out" "1 approved."
run approve users-x --auto-approve
check_equal "what is not held" 1 "$code"
run explain ada@example.com
check_equal "nobody is known" 1 "$code"
run explain ada@example.com --workspace prod
check_equal "a workspace without an object" 64 "$code"
run who-can jobs
check_equal "what names no object" 64 "$code"
run who-can job:nothing
check_equal "an object that is not there" "1 ldap2dbx: there is no object \"job:nothing\"" "$code $errors"
run who-can job:nightly -o json
check_equal "an object" "0 job:nightly" "$code $(jq -r .object <<<"$out")"
run diff ada@example.com
check_equal "a difference takes two" 64 "$code"
run check -o csv
check_equal "not everything has a CSV form" "64 ldap2dbx: \`check\` has no CSV form; say -o json" "$code $errors"
engine '{answer: {object: {target: "prod", type: "job", id: "1", name: "a, b"}, entries: [{kind: "group", name: "=x", level: "CAN_VIEW", direct: "CAN_VIEW", ours: true, state: "in_sync", file: "m.yaml", line: 3}]}}'
run who-can job:nightly -o csv
check_equal "CSV is quoted where it must be, and computes nothing" \
	'prod,job,1,"a, b",group,'"'"'=x,CAN_VIEW,,CAN_VIEW,,,in_sync,true,,m.yaml,3' "$(tail -1 <<<"$out" | tr -d '\r')"
run who-can job:nightly
check "and the place of the rule is shown" contains "$out" "  CAN_VIEW          group =x  # m.yaml:3"

# ---- with a service ----

engine '{operations: [$create, $held], explain_state: "in_sync"}'
start_process "$work/service.log" "$program" run --config "$config"
service=$!
check "the service listens" wait_for 10 test -S "$work/state.db.sock"
run status
check_equal "status through it" 0 "$code"
check "says what it does" contains "$out" "following"
run status -o json
check_equal "as JSON" following "$(jq -r .phase <<<"$out")"
run sync user ada@example.com
check_equal "sync through it" "0 ada@example.com: in order, nothing to do" "$code $out"
run who-can job:nightly -o json
check_equal "a question through it" "0 job:nightly" "$code $(jq -r .object <<<"$out")"
run who-can job:nothing
check_equal "and its refusal" 1 "$code"
run diff ada@example.com bo@example.com -o json
check_equal "a difference" "0 ada@example.com" "$code $(jq -r .a.name <<<"$out")"
run sync user
check_equal "sync of whom?" 64 "$code"
run sync user nobody
check_equal "sync of nobody" 1 "$code"
run apply --auto-approve
check_equal "apply beside it" 1 "$code"
check "says what to do" contains "$errors" "ldap2dbx approve"
run reject h-1 --auto-approve --reason "still needed"
check_equal "reject by a hold that is not there" 1 "$code"
run reject bbbb --auto-approve --reason "still needed"
check "reject by the operation" contains "$out" "1 rejected."
run approve all --auto-approve
check_equal "then nothing is held" 1 "$code"
kill -HUP "$service"
check "a hang-up looks at the files" wait_for 10 grep -q 'the one that runs' "$work/service.log"
check_equal "the service is no core dump" 0 "$(awk '/^Max core/ { print $5 }' "/proc/$service/limits")"
stop_process "$service"
check "it ends in order" grep -q 'msg=stopped' "$work/service.log"
check "and takes its socket along" [ ! -e "$work/state.db.sock" ]

# ---- the rest ----

for shell in bash zsh fish; do
	run completion $shell
	printf '%s\n' "$out" >"$work/completion.$shell"
	! command -v $shell >/dev/null || check "$shell takes its completion" $shell -n "$work/completion.$shell"
done
complete_line() {
	bash -c '. "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ldap2dbx; printf "%s " "${COMPREPLY[@]}"' \
		bash "$work/completion.bash" "$@"
}
check_equal "a verb is completed" "status " "$(complete_line ldap2dbx sta)"
check_equal "behind an option with a value too" "status " "$(complete_line ldap2dbx --config x sta)"
check_equal "an option" "--out --output " "$(complete_line ldap2dbx plan --ou | tr ' ' '\n' | sort | tr '\n' ' ' | sed 's/^ //')"
check_equal "a value" "json " "$(complete_line ldap2dbx plan -o js)"
check_equal "an argument" "service-principal " "$(complete_line ldap2dbx sync ser)"
run schema config
check "the schemas are JSON" jq -e .properties.sources <<<"$out" >/dev/null
run schema mapping
check "both of them" jq -e .properties.users <<<"$out" >/dev/null
done_testing
