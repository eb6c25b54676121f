#!/usr/bin/env bash
# samples -- the configurations under mappings/ are what `ldap2dbx check` calls good, and a broken one is not
# shellcheck source=../support/lib.sh
. "$(dirname "$0")/../support/lib.sh"

for sample in minimal company; do
	check "mappings/$sample is good" "$ldap2dbx" check --config "$top_srcdir/mappings/$sample/ldap2dbx.yaml"
done

cp -r "$top_srcdir/mappings/company" "$work/broken"
chmod -R u+w "$work/broken"
sed -i 's/^  when: .*/  whem: true/' "$work/broken/mappings/company.yaml"
"$ldap2dbx" check --config "$work/broken/ldap2dbx.yaml" >"$work/words.log" 2>&1
check_equal "a wrong key is a configuration error" 78 $?
check "and is shown with its place and the likely word" grep -q 'company.yaml:[0-9]*:[0-9]*: .*whem.*when' "$work/words.log"

if [ ! -e /etc/ldap2dbx ]; then
	"$ldap2dbx" check >"$work/words.log" 2>&1
	check_equal "no configuration anywhere is a configuration error" 78 $?
	check "and the remedy is told" grep -q -- '--config FILE' "$work/words.log"
fi
done_testing
