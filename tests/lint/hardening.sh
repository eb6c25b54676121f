#!/usr/bin/env bash
# hardening -- the program is position-independent, fully relocated before it runs, without executable stack, and the
# compiler's stack protection is in it
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
need readelf
: "${CC:=cc}"

examine() {
	readelf -hlWd "$1" >"$scratch/elf"
	grep -q 'Type:.*DYN' "$scratch/elf" || echo "$1 is not position-independent (PIE)"
	grep -q 'GNU_RELRO' "$scratch/elf" || echo "$1 has no RELRO segment"
	grep -qE 'BIND_NOW|Flags:.*NOW' "$scratch/elf" || echo "$1 is not bound at start (NOW)"
	grep -qE 'GNU_STACK.* RW +0x' "$scratch/elf" || echo "$1 has an executable stack"
	! grep -qE 'R(PATH|UNPATH)' "$scratch/elf" || echo "$1 has a run path"
	# Into a file first: grep -q would cut the pipe, and pipefail call that a failure.
	readelf -sW "$1" >"$scratch/symbols"
	grep -q '__stack_chk_fail' "$scratch/symbols" || echo "$1 has no stack protector"
}

# shellcheck disable=SC2206 # may hold options
compiler=($CC)
printf 'void fill(char *); void fill(char *s) { s[0] = 0; }\nint main(void) { char s[64]; fill(s); return s[0]; }\n' \
	>"$scratch/main.c"
"${compiler[@]}" -O0 -fno-stack-protector -no-pie -Wl,-z,norelro,-z,lazy,-z,execstack -Wl,-rpath,/tmp \
	-o "$scratch/bad" "$scratch/main.c" 2>/dev/null
"${compiler[@]}" -O0 -fstack-protector-all -fPIE -pie -Wl,-z,relro,-z,now,-z,noexecstack \
	-o "$scratch/good" "$scratch/main.c"
bites "a fixed address" "$scratch/bad" 'not position-independent'
bites "no RELRO" "$scratch/bad" 'no RELRO'
bites "lazy binding" "$scratch/bad" 'not bound at start'
bites "an executable stack" "$scratch/bad" 'executable stack'
bites "a run path" "$scratch/bad" 'run path'
bites "no stack protector" "$scratch/bad" 'no stack protector'
accepts "a hardened program" "$scratch/good"

case ${L2D_LDFLAGS:-} in
*relro*) finish "$top_builddir/src/ldap2dbx" ;;
*)
	echo "configured without hardening (sanitizers, or --disable-hardening): nothing to look at"
	exit 77
	;;
esac
