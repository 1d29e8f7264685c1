#!/usr/bin/env bash
# Builds with counters, runs unit, scenario, sim and fuzz-corpus tests, and prints which part of each folder of src/
# they executed. Uses gcovr if it is installed, otherwise gcov alone.
#
#   tools/coverage.sh                          everything
#   tools/coverage.sh -R consensus             only these tests (arguments of ctest); builds everything
#   tools/coverage.sh --target T -R consensus  builds target T (repeatable) instead of everything
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

targets=()
selection=()
while (($# > 0)); do
  case $1 in
    -h | --help)
      sed -n '2,7s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    --target)
      [[ $# -ge 2 ]] || { echo "coverage.sh: --target needs a name" >&2; exit 2; }
      targets+=("$2")
      shift
      ;;
    *) selection+=("$1") ;;
  esac
  shift
done

cmake --preset coverage >/dev/null
if ((${#targets[@]} > 0)); then
  cmake --build --preset coverage --target "${targets[@]}"
else
  cmake --build --preset coverage
fi
find build/coverage -name '*.gcda' -delete
ctest --preset coverage "${selection[@]}"
if command -v gcovr >/dev/null; then
  gcovr --root . --filter src/ --object-directory build/coverage --print-summary
else
  python3 tools/coverage_table.py build/coverage
fi
