#!/usr/bin/env bash
# sizes -- no C file of 1000 lines or more, no function of more than 100 lines
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
need ctags

file_lines=1000
function_lines=100

list_sources() {
	(cd "$1" && find src contrib/simulator tests -name '*.[ch]' 2>/dev/null | sort)
}

examine() {
	list_sources "$1" | (cd "$1" && xargs -r wc -l) | awk -v most=$file_lines '
		$2 != "total" && $1 >= most { print $2 ": " $1 " lines, to be split below " most }'
	list_sources "$1" | (cd "$1" && xargs -r ctags --languages=C --kinds-C=f --fields=+ne -o - 2>/dev/null) |
		awk -F '\t' -v most=$function_lines '
			{
				first = last = 0
				for (i = 4; i <= NF; i++) {
					if ($i ~ /^line:/)
						first = substr($i, 6)
					if ($i ~ /^end:/)
						last = substr($i, 5)
				}
				if (last - first + 1 > most)
					print $2 ":" first ": " $1 " is " last - first + 1 " lines long, more than " most
			}'
}

mkdir -p "$scratch/bad/src/model" "$scratch/good/src/model"
{
	printf 'int small(void)\n{\n\treturn 0;\n}\nint big(void)\n{\n'
	for ((i = 0; i < function_lines; i++)); do printf '\tsmall();\n'; done
	printf '}\n'
	for ((i = 0; i < file_lines; i++)); do printf '/* line */\n'; done
} >"$scratch/bad/src/model/big.c"
printf 'int small(void)\n{\n\treturn 0;\n}\n' >"$scratch/good/src/model/small.c"
bites "a long file" "$scratch/bad" 'big.c: 11.. lines'
bites "a long function" "$scratch/bad" 'big.c:5: big is 103 lines long'
accepts "a short file" "$scratch/good"

finish "$top_srcdir"
