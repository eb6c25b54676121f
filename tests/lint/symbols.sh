#!/usr/bin/env bash
# symbols -- what decides is pure: the objects that tests/lint/pure.txt lists call no network, file, clock or loop
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
need nm
: "${CC:=cc}"
: "${AR:=ar}"

libraries='uv_|curl_|ldap_|ber_|sqlite3_|MHD_|sd_'
ours='loop_|clock_monotonic_ns$|clock_wall_ms$|log_'
# The compiler may put __, _chk, 64 or __isoc99_ around a name of the C library.
calls='open|openat|fopen|read|write|close|socket|connect|send|recv|time|clock_gettime|gettimeofday|sleep|usleep|nanosleep|getenv|secure_getenv|fork|popen|printf|fprintf|puts|getrandom|random'
forbidden="^(($libraries|$ours).*|(__)?($calls)(64)?(_chk|_2)?)\$"

# Prints  OBJECT SYMBOL  for each undefined symbol of the archive $1 in the tree $2 that an object of the list $3 has.
list_symbols() {
	nm -A -u "$2/$1" | sed -E 's/^.*:([^:]+):[ \t]+[Uw] +([^ @]+).*$/\1 \2/' |
		awk -v wanted="$3" '
			BEGIN { count = split(wanted, names, " ") }
			{
				object = $1
				sub(/^[a-z0-9_]*-/, "", object)
				sub(/\.o$/, "", object)
				for (i = 1; i <= count; i++)
					if (names[i] == "*" || names[i] == object)
						print object, $2
			}'
}

# Every object of the list must be there, else a renamed file would silently go unchecked.
list_lost() {
	local name
	[ "$3" != '*' ] || return 0
	for name in $3; do
		"$AR" t "$2/$1" | sed -E 's/^[a-z0-9_]*-//;s/\.o$//' | grep -qx -- "$name" ||
			printf '%s has no object %s; tests/lint/pure.txt names it\n' "$1" "$name"
	done
}

examine() {
	local archive objects
	while IFS=: read -r archive objects; do
		case $archive in '#'* | '') continue ;; esac
		objects=${objects# }
		[ -e "$1/$archive" ] || { echo "$archive has not been built" && continue; }
		list_lost "$archive" "$1" "$objects"
		list_symbols "$archive" "$1" "$objects" | awk -v archive="$archive" -v forbidden="$forbidden" '
			$2 ~ forbidden { print archive ": " $1 " is to be pure, and calls " $2 }' | sort -u
	done <"$pure"
}

# make_archive FOLDER BODY: an archive with one object, model-decide.o, whose function has that body
make_archive() {
	local flags
	mkdir -p "$1"
	printf '#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n#include <time.h>\nlong decide(const char *s);\n' >"$1/decide.c"
	printf 'void uv_stop(void *); void clock_format(long);\nlong decide(const char *s) { %s }\n' "$2" >>"$1/decide.c"
	# shellcheck disable=SC2206 # may hold options
	flags=($CC)
	"${flags[@]}" -O0 -c -o "$1/model-decide.o" "$1/decide.c"
	"$AR" rc "$1/libmodel.a" "$1/model-decide.o"
}

pure=$scratch/pure.txt
echo 'libmodel.a: decide' >"$pure"
make_archive "$scratch/clock" 'return (long)time(0) + (long)strlen(s);'
make_archive "$scratch/file" 'return fopen(s, "r") != 0;'
make_archive "$scratch/loop" 'uv_stop(0); return 0;'
make_archive "$scratch/good" 'clock_format(1); return (long)strlen(s);'
bites "a look at the clock" "$scratch/clock" 'decide is to be pure, and calls time'
bites "a file" "$scratch/file" 'calls fopen'
bites "the loop" "$scratch/loop" 'calls uv_stop'
accepts "pure code" "$scratch/good"
echo 'libmodel.a: decided' >"$pure"
bites "an object that is gone" "$scratch/good" 'has no object decided'

pure=$top_srcdir/tests/lint/pure.txt
finish "$top_builddir"
