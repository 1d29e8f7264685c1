#!/usr/bin/env bash
# Builds the fuzz targets (clang, preset fuzz) and runs one after the other, then prints a table. New inputs are kept in
# build/fuzz/corpus/<target> from one run to the next; inputs that broke a promise in build/fuzz/findings/.
# Exits 1 if there was a finding.
#
#   tools/fuzz.sh                      120 seconds each; engine_step, log_replay and frames 600
#   tools/fuzz.sh 30                   30 seconds each
#   tools/fuzz.sh 30 frames log_replay 30 seconds for these targets
#   tools/fuzz.sh --minimize           writes the smallest inputs that reach the same branches back to
#                                      tests/fuzz/corpus/<target>, at most 60 files and 20 KiB a target
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,10s/^# \{0,1\}//p' "$0"
  exit 0
fi
command -v clang++ >/dev/null || { echo "fuzz.sh: clang is not installed" >&2; exit 2; }

minimize=no
seconds=
targets=()
for argument in "$@"; do
  case $argument in
    --minimize) minimize=yes ;;
    [0-9]*) seconds=$argument ;;
    *) targets+=("$argument") ;;
  esac
done
if ((${#targets[@]} == 0)); then
  mapfile -t targets < <(sed -n 's/^baolian_fuzz(\([a-z_]*\) .*/\1/p' tests/fuzz/CMakeLists.txt)
fi

cmake --preset fuzz >/dev/null
cmake --build --preset fuzz
work=$PWD/build/fuzz
bin=$work/bin
mkdir -p "$work/findings" "$work/seeds" "$work/logs"
"$bin/fuzz_make_seeds" "$work/seeds" >/dev/null

# Inputs small enough to be read: long ones slow the search down and say no more.
max_length() {
  case $1 in
    engine_step) echo 600 ;;
    engine_recovery) echo 256 ;;
    log_replay) echo 2048 ;;
    *) echo 4096 ;;
  esac
}
time_for() {
  [[ -n $seconds ]] && { echo "$seconds"; return; }
  case $1 in
    engine_step | log_replay | frames) echo 600 ;;
    *) echo 120 ;;
  esac
}

if [[ $minimize == yes ]]; then
  for target in "${targets[@]}"; do
    all=$work/merged/$target
    rm -rf "$all"
    mkdir -p "$all" "$work/corpus/$target" "$work/seeds/$target" "tests/fuzz/corpus/$target"
    # The target's name in tests/fuzz/corpus comes first: what is there already stays if it is still needed.
    "$bin/fuzz_$target" -merge=1 -max_len="$(max_length "$target")" "$all" "tests/fuzz/corpus/$target" \
      "$work/seeds/$target" "$work/corpus/$target" >"$work/logs/$target.merge" 2>&1
    python3 tools/pick_corpus.py "$all" "tests/fuzz/corpus/$target"
  done
  exit 0
fi

printf '%-20s %8s %12s %8s %8s %7s  %s\n' target seconds executions per_s new files findings
found=0
for target in "${targets[@]}"; do
  corpus=$work/corpus/$target
  mkdir -p "$corpus" "$work/seeds/$target" "tests/fuzz/corpus/$target"
  log=$work/logs/$target.log
  status=0
  "$bin/fuzz_$target" -max_total_time="$(time_for "$target")" -max_len="$(max_length "$target")" -print_final_stats=1 \
    -timeout=30 -artifact_prefix="$work/findings/$target-" \
    "$corpus" "$work/seeds/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1 || status=$?
  figure() { sed -n "s/^stat::$1: *//p" "$log"; }
  finding=none
  if ((status != 0)); then
    found=1
    finding=$(grep -m1 -E 'ASSERT|violation:|ERROR: |runtime error' "$log" || echo "exit code $status; see $log")
  fi
  printf '%-20s %8s %12s %8s %8s %7s  %s\n' "$target" "$(time_for "$target")" "$(figure number_of_executed_units)" \
    "$(figure average_exec_per_sec)" "$(figure new_units_added)" "$(find "$corpus" -type f | wc -l)" "$finding"
done
exit $found
