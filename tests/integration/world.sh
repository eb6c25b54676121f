# world.sh -- what the tests of the whole share: worlds, each a simulator, a configuration and perhaps the service, all of
# them on the one directory that start_slapd made; to be sourced
# shellcheck shell=bash
#
#   make_world NAME [SIMULATOR OPTION]...   $work/NAME with everything in it; the simulator runs with two workspaces
#   write_config NAME                       its ldap2dbx.yaml, from $guard, $extra and $uri; said again it is made anew
#   use_mapping NAME <YAML                  its mappings/company.yaml (default: that of mappings/company)
#   ldap2dbx_in NAME VERB...                runs the program there, at most $run_seconds long
#   start_service NAME / stop_service NAME [SIGNAL]
#   sim_of NAME FILTER                      as sim of lib.sh; requests_of NAME FILTER as requests
#   dump NAME                               what is in its Databricks, in an order and with names in place of ids
#   is_settled NAME                         the service follows, and nothing is left to do
#   ldif <LDIF                              applies changes to the directory

# shellcheck source=../support/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../support/lib.sh"

run_seconds=60
guard="{}"
extra=
uri=
declare -A simulator_pid=() service_pid=()

world_first_line() {
	[ -s "$work/$1/simulator.json" ] || process_gone "${simulator_pid[$1]}"
}

start_world_simulator() {
	local name=$1
	shift
	: >"$work/$name/simulator.json"
	setsid "$simulator" --state "$work/$name/databricks.state" --request-log "$work/$name/requests.jsonl" "$@" \
		</dev/null >"$work/$name/simulator.json" 2>>"$work/$name-simulator.log" &
	simulator_pid[$name]=$!
	processes+=($!)
	wait_for $stop_seconds world_first_line "$name"
	[ -s "$work/$name/simulator.json" ] || {
		cat "$work/$name-simulator.log" >&2
		exit 1
	}
}

make_world() {
	local name=$1
	shift
	mkdir -p "$work/$name/mappings"
	: >"$work/$name/requests.jsonl"
	start_world_simulator "$name" --workspace prod --workspace dev "$@"
	cp "$top_srcdir/mappings/company/mappings/company.yaml" "$work/$name/mappings/"
	write_config "$name"
}

write_config() {
	local at=$work/$1
	(
		umask 077
		printf '%s' "$SERVICE_PASSWORD" >"$at/ldap-password"
		sim_of "$1" .client_secret >"$at/databricks-secret"
	)
	cat >"$at/ldap2dbx.yaml" <<-YAML
		version: 1
		sources:
		  company:
		    uri: [${uri:-$URI}]
		    bind: {dn: "$SERVICE_DN", password: file:ldap-password}
		    page_size: 100
		    reconnect_max: 2s
		account:
		  host: $(sim_of "$1" .account.host)
		  account_id: $(sim_of "$1" .account.account_id)
		  auth: {type: oauth-m2m, client_id: $(sim_of "$1" .client_id), client_secret: file:databricks-secret}
		workspaces:
		  prod: {host: $(sim_of "$1" .workspaces.prod.host)}
		  dev: {host: $(sim_of "$1" .workspaces.dev.host)}
		store: sqlite:state.db
		guard: $guard
		limits: off
		$extra
	YAML
}

# Random moments; SEED=... repeats those of another run.
seed_naps() {
	RANDOM=${SEED:-$$}
	echo "seed ${SEED:-$$}"
}
random_nap() { # MILLISECONDS: at most
	local ms=$((RANDOM % $1))
	sleep "$((ms / 1000)).$(printf '%03d' $((ms % 1000)))"
}

use_mapping() {
	cat >"$work/$1/mappings/company.yaml"
}

ldap2dbx_in() {
	local name=$1
	shift
	timeout -k 2 $run_seconds "$ldap2dbx" "$@" --config "$work/$name/ldap2dbx.yaml" </dev/null
}

start_service() {
	start_process "$work/$1-service.log" "$ldap2dbx" run --config "$work/$1/ldap2dbx.yaml" --log-level "${log_level:-info}"
	service_pid[$1]=$!
}

stop_service() {
	stop_process "${service_pid[$1]}" "${2:-TERM}"
}

sim_of() {
	head -n 1 "$work/$1/simulator.json" | jq -er "$2"
}

requests_of() {
	jq -c "select($2)" "$work/$1/requests.jsonl"
}

count_requests() {
	requests_of "$1" "$2" | wc -l
}

state_written() {
	[ -s "$work/$1/databricks.state" ]
}

# The simulator's state as JSON lines, as it is now.
state_of() {
	rm -f "$work/$1/databricks.state"
	kill -USR1 "${simulator_pid[$1]}" && wait_for 10 state_written "$1" && cat "$work/$1/databricks.state"
}

# The principals of a state, read whole (jq -s), with names in place of ids.
# shellcheck disable=SC2016 # the names are jq's
dump_filter='
	([.[] | .workspace // empty | {key: .id, value: .name}] | from_entries) as $workspaces
	| ([.[] | (.user // .group // .service_principal) // empty
		| {key: .id, value: (.userName // .displayName)}] | from_entries) as $names
	| .[] | (to_entries[0] | select(.key | IN("user", "group", "service_principal"))) as {key: $kind, value: $it}
	| {kind: $kind, name: ($it.userName // $it.displayName), displayName: $it.displayName, externalId: $it.externalId,
		active: ($it.active != false), givenName: $it.name.givenName, roles: ($it.roles // [] | sort),
		members: ([$it.members // [] | .[] | $names[.] // .] | sort),
		seats: ([$it.seats // [] | .[] | {workspace: $workspaces[.workspace], level, active: (.active != false),
			entitlements: (.entitlements // [] | sort), roles: (.roles // [] | sort)}] | sort_by(.workspace)),
		home: ($it.home // "" | $workspaces[.] // .)}
	| select(.name != "dbx-sim admin")'

dump() {
	state_of "$1" | jq -rs "$dump_filter | tojson" | sort
}

is_settled() {
	ldap2dbx_in "$1" status -o json 2>/dev/null |
		jq -e '.phase == "following" and .work.queued == 0 and .work.in_flight == 0' >/dev/null 2>&1
}

ldif() {
	"$top_builddir/tests/support/ldif-apply" "$LDAPI_URI" "$ADMIN_DN" "$ADMIN_PASSWORD" >/dev/null
}
