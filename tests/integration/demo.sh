#!/usr/bin/env bash
# demo -- contrib/demo tells its story to the end, within its time, and leaves nothing running or lying about
# shellcheck source=../support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

seconds=180

# Everything that the demo starts names its temp folder, which lies in ours.
list_leftovers() {
	pgrep -f "$work/demo/" | grep -vx "$$"
	ls -A "$work/demo"
}

run_demo() {
	TMPDIR="$work/demo" "$top_srcdir/contrib/demo" --no-install --build "$top_builddir" >"$work/demo.log" 2>&1
}

mkdir "$work/demo"
began=$SECONDS
check "the demo comes to its end" run_demo
check "in less than three minutes" [ $((SECONDS - began)) -lt $seconds ]
check "joiner, mover and leaver arrive" [ "$(grep -c 'ms after$\|before its writer' "$work/demo.log")" -ge 8 ]
check "the second plan is empty" grep -q 'nothing: directory and Databricks agree' "$work/demo.log"
check_equal "nothing is left" "" "$(list_leftovers)"
done_testing
