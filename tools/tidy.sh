#!/usr/bin/env bash
# clang-tidy over the libraries that decide (core, crypto, consensus, ledger, contracts), as .clang-tidy says.
# Prints every finding once, then a count for each check. Fails if one of the checks that are errors found something.
#
#   tools/tidy.sh               all of them
#   tools/tidy.sh consensus     one library (or several)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,6s/^# \{0,1\}//p' "$0"
  exit 0
fi
command -v clang-tidy >/dev/null || { echo "tidy.sh: clang and clang-tidy are not installed" >&2; exit 2; }

libraries=("$@")
((${#libraries[@]} > 0)) || libraries=(core crypto consensus ledger contracts adjudication)
log=build/tidy/findings.log
cmake --preset tidy >/dev/null
failed=0
# Everything again: what is up to date would be silent about its findings.
cmake --build --preset tidy --target clean >/dev/null
CCACHE_DISABLE=1 cmake --build --preset tidy --target "${libraries[@]/#/baolian_}" -- -k 0 >"$log" 2>&1 || failed=1
grep -E '^[^ ].*(warning|error): .*\[[a-z].*\]$' "$log" | sed "s|^$PWD/||" | sort -u >"$log.unique" || true
cat "$log.unique"
echo "== findings by check"
sed -E 's/.*\[([a-z0-9.-]+)(,.*)?\]$/\1/' "$log.unique" | sort | uniq -c | sort -rn
echo "tidy: $(wc -l <"$log.unique") findings, $( ((failed)) && echo "with errors (see $log)" || echo "no errors")"
exit $failed
