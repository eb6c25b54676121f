# lib.sh -- what the shell tests and the demo share; to be sourced by bash
# shellcheck shell=bash
#
# Sourcing it makes a temp folder $work, which goes, with every process noted in it, when the script ends. A failed
# check prints what was expected, and the logs of slapd and the simulator; the script goes on and ends with status 1.
# With KEEP_WORK=yes in the environment the folder stays.
#
#   check NAME COMMAND...        runs COMMAND; counts and prints "ok"/"not ok"
#   check_equal NAME WANT GOT    the same for two texts
#   wait_for SECONDS COMMAND...  until COMMAND succeeds; false after the deadline
#   start_process LOG COMMAND... in the background; sets $! and has it ended with the script
#   stop_process PID [SIGNAL]    ends one and waits until it is gone
#   start_slapd [OPTION]...      tests/support/slapd up; sets its variables
#   start_simulator [OPTION]...  sets SIM_PID, SIM_FIRST (file with its first line), SIM_LOG, SIM_REQUESTS
#   sim FILTER                   jq -r FILTER on the first line, as  sim .account.host
#   requests FILTER              jq -c 'select(FILTER)' on the request log
#   monotonic_ns                 CLOCK_MONOTONIC now, as the request log has it
#   done_testing                 the closing words and the exit status; last line of a test

set -uo pipefail
export LDAPNOINIT=1 LC_ALL=C.UTF-8

: "${top_srcdir:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
# make check says where; a script that is run by itself looks where the README builds: in place.
: "${top_builddir:=$top_srcdir}"
support=$top_srcdir/tests/support
simulator=$top_builddir/contrib/simulator/dbx-sim
# shellcheck disable=SC2034 # for those who source this
ldap2dbx=$top_builddir/src/ldap2dbx

work=$(mktemp -d "${TMPDIR:-/tmp}/ldap2dbx.XXXXXX") || exit 1
processes=()
slapd_dirs=()
checks_run=0
checks_failed=0
stop_seconds=10

# Runs "$2"... until it succeeds, at most $1 seconds long.
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.02
	done
}

# Also one that has ended and is not yet taken note of by its parent is gone.
process_gone() {
	local stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 0
	case ${stat##*) } in Z* | X*) return 0 ;; esac
	return 1
}

start_process() {
	local log=$1
	shift
	setsid "$@" </dev/null >>"$log" 2>&1 &
	processes+=($!)
}

stop_process() {
	local pid=$1 signal=${2:-TERM}
	kill "-$signal" "$pid" 2>/dev/null || return 0
	wait_for $stop_seconds process_gone "$pid" || kill -KILL "$pid" 2>/dev/null
	{ wait "$pid"; } 2>/dev/null
}

# Every process is in a session of its own, so Ctrl-C reaches this script alone, which then ends them in order.
cleanup() {
	local pid dir
	for pid in "${processes[@]}"; do
		stop_process "$pid"
	done
	for dir in "${slapd_dirs[@]}"; do
		"$support/slapd" down "$dir"
	done
	if [ -n "${KEEP_WORK:-}" ]; then
		echo "kept: $work"
	else
		rm -rf "$work"
	fi
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

start_slapd() {
	local dir=$work/slapd${#slapd_dirs[@]} settings
	slapd_dirs+=("$dir")
	settings=$("$support/slapd" up "$dir" "$@") || exit 1
	eval "$settings"
}

first_line_there() {
	[ "$(wc -l <"$SIM_FIRST")" -ge 1 ]
}

simulator_decided() {
	first_line_there || process_gone "$SIM_PID"
}

start_simulator() {
	SIM_FIRST=$work/simulator.json
	SIM_LOG=$work/simulator.log
	SIM_REQUESTS=$work/requests.jsonl
	: >"$SIM_FIRST"
	: >"$SIM_REQUESTS"
	setsid "$simulator" --listen 0 --request-log "$SIM_REQUESTS" "$@" </dev/null >"$SIM_FIRST" 2>>"$SIM_LOG" &
	SIM_PID=$!
	processes+=("$SIM_PID")
	if ! wait_for $stop_seconds simulator_decided || ! first_line_there; then
		cat "$SIM_LOG" >&2
		echo "the simulator did not start" >&2
		exit 1
	fi
}

sim() {
	head -n 1 "$SIM_FIRST" | jq -er "$1"
}

requests() {
	jq -c "select($1)" "$SIM_REQUESTS"
}

monotonic_ns() {
	"$top_builddir/tests/support/ldif-apply" --now
}

show_logs() {
	local log
	for log in "$work"/*.log "$work"/slapd*/slapd.log; do
		[ -s "$log" ] || continue
		printf -- '--- %s\n' "${log#"$work"/}"
		tail -n 40 "$log"
	done
}

check() {
	local name=$1
	shift
	checks_run=$((checks_run + 1))
	if "$@"; then
		printf 'ok %s\n' "$name"
		return 0
	fi
	checks_failed=$((checks_failed + 1))
	printf 'not ok %s\n' "$name"
	return 1
}

check_equal() {
	check "$1" [ "$2" = "$3" ] || {
		printf 'expected:\n%s\ngot:\n%s\n' "$2" "$3"
		return 1
	}
}

done_testing() {
	printf '%d checks, %d failed\n' "$checks_run" "$checks_failed"
	[ "$checks_run" -gt 0 ] && [ "$checks_failed" = 0 ] && exit 0
	show_logs
	exit 1
}
