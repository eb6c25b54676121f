#!/usr/bin/env bash
# headers -- each header compiles alone, and twice in one file
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

: "${CC:=cc}"
: "${L2D_HEADER_CFLAGS:=$(pkg-config --cflags libuv libcurl ldap jansson yaml-0.1 sqlite3 lua5.4 libpcre2-8 libcrypto \
	libmicrohttpd libsystemd)}"

examine() {
	local header flags
	# shellcheck disable=SC2206 # lists of words, both of them
	flags=($CC $L2D_HEADER_CFLAGS)
	while read -r header; do
		printf '#include "%s"\n#include "%s"\n' "$1/$header" "$1/$header" |
			"${flags[@]}" -std=gnu17 -D_GNU_SOURCE -fsyntax-only -Wall -Wextra -Werror -I"$1/src" \
				-I"$top_builddir" -include "$top_srcdir/src/base/banned.h" -x c - >"$scratch/words" 2>&1 ||
			{ printf '%s does not compile alone:\n' "$header" && cat "$scratch/words"; }
	done < <(cd "$1" && find src contrib/simulator tests -name '*.h' 2>/dev/null | sort)
}

mkdir -p "$scratch/bad/src/model" "$scratch/good/src/model"
printf '#ifndef A\n#define A\nbool is_this_known(void);\n#endif\n' >"$scratch/bad/src/model/unknown.h"
printf 'enum twice { ONE };\n' >"$scratch/bad/src/model/unguarded.h"
printf '#ifndef A\n#define A\n#include <stdbool.h>\nbool is_this_known(void);\n#endif\n' >"$scratch/good/src/model/dn.h"
bites "a header that lacks an include" "$scratch/bad" 'src/model/unknown.h does not compile alone'
bites "a header without a guard" "$scratch/bad" 'src/model/unguarded.h does not compile alone'
accepts "a complete header" "$scratch/good"

finish "$top_srcdir"
