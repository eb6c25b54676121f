#!/usr/bin/env bash
# docs -- what the program knows and what its manual pages say are the same: verbs, options, exit codes, keys of
# configuration and mappings, functions of expressions, keys of log lines
#
# The pages are read by their mdoc macros. In ldap2dbx.yaml.5 a comment before a list says of which map its keys are:
#   .\" keys of sources.NAME          .\" mapping keys of users[] groups[]
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
need jq

# Properties of a JSON Schema as paths, each with $1 in front: sources.NAME.uri, users[].when
list_schema_keys() {
	jq -r --arg what "$1" '
		def walk_keys($prefix):
			(.properties | objects | to_entries[] | .key as $key |
				$prefix + $key, (.value | walk_keys($prefix + $key + "."))),
			(.additionalProperties | objects | walk_keys($prefix + "NAME.")),
			(.items | objects | walk_keys($prefix[:-1] + "[].")),
			((.allOf, .anyOf, .oneOf) | arrays | .[] | walk_keys($prefix));
		walk_keys("") | $what + " " + .'
}

# What the program in $1 (a folder with ldap2dbx and the sources' src) knows, one fact a line.
list_known() {
	"$2" help --list | awk '$1 == "verb" { print } $1 == "option" { print "option", $3 }'
	"$2" schema config | list_schema_keys key
	"$2" schema mapping | list_schema_keys mapping-key
	sed -nE 's/^\tEXIT_[A-Z_]+ = ([0-9]+),?.*/exit \1/p' "$1/src/cli/command.h"
	find "$1/src" -name '*.c' -print0 | sort -z | xargs -0 awk '
		/log_event\(/ { inside = 1 }
		inside {
			line = $0
			while (match(line, /\{"[a-z_]+",/)) {
				print "log-key", substr(line, RSTART + 2, RLENGTH - 4)
				line = substr(line, RSTART + RLENGTH)
			}
		}
		/;$/ { inside = 0 }'
	sed -nE 's/^\t+\{"([a-z_]+)", do_[a-z_]+,.*/function \1/p' "$1/src/rules/functions.c"
}

# What the pages in $1/doc describe, in the same form.
list_described() {
	awk '
		/^\.S[hs] / { section = substr($0, 5) }
		section == "Verbs" && /^\.It Cm / { print "verb", $3 }
		section == "Options" && /^\.It / {
			for (i = 2; i < NF; i++)
				if ($i == "Fl" && $(i + 1) ~ /^-/)
					print "option -" $(i + 1)
		}
		section == "EXIT STATUS" && /^\.It [0-9]/ { print "exit", $2 }' "$1/doc/ldap2dbx.1"
	awk '
		/^\.\\" (mapping )?keys of/ {
			what = $2 == "mapping" ? "mapping-key" : "key"
			sub(/^.*keys of ?/, "")
			count = split($0, prefix, " ")
			if (count == 0)
				prefix[count = 1] = ""
		}
		/^\.Sh / { if ($2 == "EXPRESSIONS") count = 0 }
		/^\.It Ic / {
			for (i = 3; i <= NF; i++)
				for (j = 1; j <= count; j++)
					if ($i != "," && $i != "Ic")
						print what, prefix[j] (prefix[j] == "" ? "" : ".") $i
		}
		/^\.It Fn / {
			for (i = 2; i < NF; i++)
				if ($i == "Fn")
					print "function", $(i + 1)
		}' "$1/doc/ldap2dbx.yaml.5"
	awk '
		/^\.S[hs] / { section = substr($0, 5) }
		section == "Keys" && /^\.It Li / {
			for (i = 2; i < NF; i++)
				if ($i == "Li")
					print "log-key", $(i + 1)
		}' "$1/doc/ldap2dbx.8"
}

examine() {
	list_known "$1" "$program" | sort -u >"$scratch/known"
	list_described "$1" | sort -u >"$scratch/described"
	comm -23 "$scratch/known" "$scratch/described" | sed 's/$/: no manual page describes it/'
	comm -13 "$scratch/known" "$scratch/described" | sed 's/$/: described, but the program does not know it/'
}

sample=$scratch/sample
mkdir -p "$sample/doc" "$sample/src/cli" "$sample/src/rules"
cat >"$sample/ldap2dbx" <<'SAMPLE'
#!/bin/sh
case "$*" in
"help --list") printf 'option * --config\nverb plan\noption plan --out\n' ;;
"schema config") echo '{"properties":{"sources":{"allOf":[{"additionalProperties":{"properties":{"uri":{}}}}]}}}' ;;
"schema mapping") echo '{"properties":{"users":{"items":{"properties":{"when":{}}}}}}' ;;
esac
SAMPLE
chmod +x "$sample/ldap2dbx"
printf 'enum exit_code {\n\tEXIT_DONE = 0,\n};\n' >"$sample/src/cli/command.h"
printf '\t\t{"lower", do_lower, false},\n' >"$sample/src/rules/functions.c"
printf '.Ss Verbs\n.It Cm plan Op Fl -out\n.Ss Options\n.It Fl c Ar f , Fl -config Ar f\n.It Fl -out\n.Sh EXIT STATUS\n.It 0\n' \
	>"$sample/doc/ldap2dbx.1"
printf '.\\" keys of\n.It Ic sources\n.\\" keys of sources.NAME\n.It Ic uri\n.\\" mapping keys of\n.It Ic users\n' \
	>"$sample/doc/ldap2dbx.yaml.5"
printf '.\\" mapping keys of users[]\n.It Ic when\n.Sh EXPRESSIONS\n.It Fn lower text\n' >>"$sample/doc/ldap2dbx.yaml.5"
printf '.Ss Keys\n.It Li uri , Li base\n.Sh FILES\n' >"$sample/doc/ldap2dbx.8"
printf 'log_event(LOG_NOTICE, "connected",\n\t{"uri", uri}, {"base", base});\nint a[] = {{"other", 1}};\n' >"$sample/src/cli/log.c"
program=$sample/ldap2dbx
accepts "pages that say what the program knows" "$sample"
cp -r "$sample/doc" "$scratch/good"
sed -i '/^\.It/d' "$sample"/doc/*
for fact in "verb plan" "option --out" "exit 0" "key sources.NAME.uri" "mapping-key users\[\].when" "function lower" "log-key base"; do
	bites "what no page describes" "$sample" "^$fact: no manual page"
done
cp "$scratch/good"/* "$sample/doc/"
sed -i 's/Cm plan/Cm plot/;s/-out$/-outt/;s/^.It 0/.It 9/' "$sample/doc/ldap2dbx.1"
sed -i 's/Ic uri/Ic url/;s/Fn lower/Fn lowest/' "$sample/doc/ldap2dbx.yaml.5"
sed -i 's/Li base/Li bass/' "$sample/doc/ldap2dbx.8"
for fact in "verb plot" "option --outt" "exit 9" "key sources.NAME.url" "function lowest" "log-key bass"; do
	bites "what the program does not know" "$sample" "^$fact: described, but"
done

program=$top_builddir/src/ldap2dbx
finish "$top_srcdir"
