#!/usr/bin/env bash
# Profiles the nodes of a benchmark: runs the headline workload on four PBFT validators, samples all threads of
# all nodes with perf while the bench measures, draws a flame graph and prints the bench's figures beside it.
#
# Usage: bench/profile.sh [SECONDS] [OUTPUT.svg]      (20 and flame.svg; SECONDS are the measured ones, 5 or more)
# Needs: apt install linux-perf; a built release preset, or BAOLIAN_BIN with the folder of baolian-bench and baoliand.
#        Run as root, or with `sysctl kernel.perf_event_paranoid=0`.
#
# Release binaries keep no frame pointers, so perf copies the top 32 KiB of the stack with each sample and unwinds it
# afterwards (--call-graph dwarf); with 8 KiB most stacks of the executor are cut. The clock of the processor is
# sampled, not its cycles: virtual machines often have no counter of cycles. 99 times a second and core, not 100, so
# as not to march in step with timers. All cores are sampled and the nodes picked out afterwards, because the clock of
# a single thread never strikes while it runs less than 10 us at a time.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() {
  echo "profile.sh: $1" >&2
  exit 1
}

case ${1:-} in
  -h | --help)
    sed -n '2,7s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
    exit 0
    ;;
esac
seconds=${1:-20}
output=${2:-flame.svg}
if [[ ! $seconds =~ ^[0-9]+$ ]] || ((seconds < 5)); then
  fail "SECONDS must be a number, 5 or more"
fi
bin=${BAOLIAN_BIN:-$here/../build/release/bin}
for program in baolian-bench baoliand; do
  [ -x "$bin/$program" ] || fail "$bin/$program is missing: cmake --preset release && cmake --build --preset release"
done
command -v perf > /dev/null || fail "perf is missing: apt install linux-perf"
command -v script > /dev/null || fail "script is missing: apt install bsdutils"

work=$(mktemp -d)
terminal=
bench=
nodes=()
# Children of ours only: other benches may run on this machine.
find_processes() {
  bench=$(pgrep -P "$terminal" -x baolian-bench) || bench=
  nodes=()
  [ -z "$bench" ] || mapfile -t nodes < <(pgrep -P "$bench" -x baoliand)
}
cleanup() {
  # A bench that ends by itself ends its nodes; one that is killed does not.
  [ -z "$terminal" ] || find_processes
  [ -z "$bench" ] || kill "$bench" "${nodes[@]}" 2> /dev/null || true
  [ -z "$terminal" ] || kill "$terminal" 2> /dev/null || true
  wait 2> /dev/null || true
  # No children of this shell: wait does not know them, and they write files until they have ended.
  for node_pid in "${nodes[@]}"; do
    timeout 20 tail --pid="$node_pid" -f /dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM HUP

perf record -q -N -a -e cpu-clock -o "$work/probe" true > /dev/null 2> "$work/probe.err" || {
  cat "$work/probe.err" >&2
  fail "perf may not sample: run as root, or set sysctl kernel.perf_event_paranoid=0 (containers: CAP_PERFMON)"
}

# The bench says when it begins to measure only in its progress bar, and draws that only on a terminal: script gives
# it one and writes the bar to a file. The JSON goes past it.
export program=$bin/baolian-bench node=$bin/baoliand seconds work
# shellcheck disable=SC2016  # the variables are for the inner shell
script --quiet --flush --return --command 'exec "$program" --node "$node" --workload readings --validators 4 \
  --ops-per-tx 100 --warm-up 8 --duration "$seconds" --directory "$work/network" --json > "$work/figures.json"' \
  "$work/bar" < /dev/null > /dev/null &
terminal=$!
bench_failed() {
  tr '\r' '\n' < "$work/bar" | tail -n 5 >&2
  fail "the bench ended early"
}
echo "registering 500,000 records, then $seconds s measured ..." >&2
until grep -q measuring "$work/bar" 2> /dev/null; do
  kill -0 "$terminal" 2> /dev/null || bench_failed
  sleep 0.2
done
find_processes
[ ${#nodes[@]} -eq 4 ] || bench_failed
pids=$(IFS=,; echo "${nodes[*]}")

# The bar is redrawn once a second: up to one second has passed, and one is kept free at the end.
perf record -q -N -e cpu-clock -F 99 --call-graph dwarf,32768 -o "$work/perf.data" -a \
  -- sleep "$((seconds - 2))" > "$work/record.log" 2>&1 || {
  cat "$work/record.log" >&2
  fail "perf record failed"
}
status=0
wait "$terminal" || status=$?
terminal=
bench=
nodes=()
((status == 0)) || bench_failed

title=$(python3 - "$work/figures.json" << 'PY'
import json, sys
figures = json.load(open(sys.argv[1]))
settings = figures["settings"]
print(f"baolian {figures['version']}: {settings['workload']}, {settings['validators']} validators, "
      f"{settings['ops_per_tx']} operations a transaction, {figures['ops_per_s']:,.0f} operations/s")
PY
)
# Names of inlined functions would take addr2line minutes, and the picture twice the rows.
perf script -i "$work/perf.data" --pid "$pids" --no-inline -F comm,pid,tid,time,ip,sym,dso > "$work/stacks" \
  2> "$work/script.log" || {
  cat "$work/script.log" >&2
  fail "perf script failed"
}
python3 "$here/flame_graph.py" "$work/stacks" --title "$title" -o "$output" > "$work/tables"

python3 - "$work/figures.json" << 'PY'
import json, sys
figures = json.load(open(sys.argv[1]))
print(f"{figures['ops_per_s']:,.1f} certified operations/s, p50 {figures['p50_ms']} ms, p99 {figures['p99_ms']} ms, "
      f"{figures['cpu_us_per_op_all_nodes']} us of processor time an operation, all nodes")
for key, name, head in (("threads", "thread", "all nodes, by thread"),
                        ("executor_stages", "stage", "the executor, by stage")):
    print(f"\n  {head:<56}   us/op")
    for row in figures[key]:
        print(f"    {row[name]:<54} {row['cpu_us_per_op']:7.2f}")
PY
echo
echo "perf, of all nodes: $(cat "$work/tables")"
echo
echo "$output: $(($(wc -c < "$output") / 1024)) KiB"
