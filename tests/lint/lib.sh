# lib.sh -- the frame of the lint scripts; to be sourced by bash
# shellcheck shell=bash
#
# A script defines  examine FOLDER  (prints one line per finding in the tree under FOLDER, nothing else), then calls
#   bites WHAT FOLDER PATTERN    the finding that a bad sample must give
#   accepts WHAT FOLDER          a good sample gives none
#   finish FOLDER                the real tree; prints findings, ends with the test's status

set -euo pipefail
export LC_ALL=C

: "${top_srcdir:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
# make check says where; a script that is run by itself looks where the README builds.
: "${top_builddir:=$([ -d "$top_srcdir/build" ] && echo "$top_srcdir/build" || echo "$top_srcdir")}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

bites() {
	examine "$2" >"$scratch/findings" || :
	if ! grep -q -- "$3" "$scratch/findings"; then
		printf 'the check itself is broken: it does not find %s (%s), but:\n' "$1" "$3"
		cat "$scratch/findings"
		exit 1
	fi
}

accepts() {
	examine "$2" >"$scratch/findings" || :
	if [ -s "$scratch/findings" ]; then
		printf 'the check itself is broken: it complains of %s:\n' "$1"
		cat "$scratch/findings"
		exit 1
	fi
}

finish() {
	examine "$1" >"$scratch/findings" || :
	[ -s "$scratch/findings" ] || exit 0
	cat "$scratch/findings"
	exit 1
}

# Ends the test when a program that it needs is not there: a check that cannot look has not passed.
need() {
	command -v "$1" >/dev/null && return
	printf '%s is missing; contrib/install-deps installs it\n' "$1"
	exit 1
}
