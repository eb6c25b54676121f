#!/usr/bin/env bash
# layers -- each folder of src/ includes only from the folders that src/layers.txt allows it, and a library's header
# only where tests/lint/libraries.txt says; the simulator, which stands for somebody else's service, knows base only
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Prints  FILE:LINE FOLDER INCLUDED  for each quoted include from a folder, and each include in angle brackets.
list_includes() {
	(cd "$1" && find src contrib/simulator -name '*.[ch]' 2>/dev/null | sort | xargs -r awk '
		/^[ \t]*#[ \t]*include[ \t]*["<]/ {
			folder = FILENAME
			sub(/^src\//, "", folder)
			sub(/^contrib\/simulator\/.*/, "simulator", folder)
			sub(/\/.*/, "", folder)
			match($0, /["<][^">]*/)
			print FILENAME ":" FNR, folder, substr($0, RSTART, RLENGTH)
		}')
}

examine() {
	list_includes "$1" | awk -v layers="$1/src/layers.txt" -v libraries="$top_srcdir/tests/lint/libraries.txt" '
		function read_table(file, allowed, known,    line, part, names, count, i) {
			while ((getline line < file) > 0) {
				if (line ~ /^[ \t]*(#|$)/)
					continue
				split(line, part, ":")
				known[part[1]] = 1
				count = split(part[2], names, " ")
				for (i = 1; i <= count; i++)
					allowed[part[1], names[i]] = 1
			}
		}
		BEGIN {
			read_table(layers, may, folder)
			read_table(libraries, reach, library)
			folder["simulator"] = may["simulator", "base"] = 1
			reach["microhttpd.h", "simulator"] = 1
		}
		!($2 in folder) { print $1 ": the folder " $2 " is not in src/layers.txt"; next }
		{ name = substr($3, 2); from = name; sub(/\/.*/, "", from) }
		$3 ~ /^"/ && name ~ /\// && !(from in folder) { print $1 ": \"" name "\" is in no layer"; next }
		$3 ~ /^"/ && name ~ /\// && from != $2 && !(($2, from) in may) { print $1 ": " $2 " may not include " name }
		$3 ~ /^"/ && name !~ /\// && $2 != "simulator" && name != "config.h" { print $1 ": write \"folder/" name "\"" }
		$3 ~ /^</ && (name in library) && !((name, $2) in reach) { print $1 ": " $2 " may not know <" name ">" }'
}

mkdir -p "$scratch/bad/src/model" "$scratch/bad/src/sync" "$scratch/bad/src/new" "$scratch/bad/contrib/simulator"
printf 'base:\nmodel: base\nsync: model base\n' >"$scratch/bad/src/layers.txt"
printf '#include "sync/plan.h"\n#  include <ldap.h>\n#include "dn.h"\n' >"$scratch/bad/src/model/dn.c"
printf '#include "model/dn.h"\n#include "base/err.h"\n#include <stdio.h>\n' >"$scratch/bad/src/sync/plan.c"
printf '#include "base/err.h"\n' >"$scratch/bad/src/new/new.c"
printf '#include "model/dn.h"\n' >"$scratch/bad/contrib/simulator/main.c"
bites "an include upwards" "$scratch/bad" 'src/model/dn.c:1: model may not include sync/plan.h'
bites "a library in the wrong folder" "$scratch/bad" 'src/model/dn.c:2: model may not know <ldap.h>'
bites "an include without its folder" "$scratch/bad" 'src/model/dn.c:3: write'
bites "a folder that is in no layer" "$scratch/bad" 'src/new/new.c:1: the folder new'
bites "a simulator that knows the product" "$scratch/bad" 'main.c:1: simulator may not include'
rm -r "$scratch/bad/src/model" "$scratch/bad/src/new" "$scratch/bad/contrib"
accepts "includes downwards" "$scratch/bad"

finish "$top_srcdir"
