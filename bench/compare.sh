#!/usr/bin/env bash
# Compares with etcd in one run on this machine: three etcd nodes (Debian's etcd-server, durable, values of 256
# bytes, gRPC, 100 and 400 putters), then four PBFT validators of ours with the headline workload. Prints the
# figures and the ratio. Not equal work: an etcd put is ordered by Raft and kept by three nodes; a reading of ours
# is signed, ordered by PBFT, executed by four nodes, certified, and provable offline.
#
# Usage: bench/compare.sh [SECONDS]           (60 each)
# Needs: apt install etcd-server libgrpc++-dev protobuf-compiler-grpc
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${1:-60}
build=build/release

for program in etcd protoc grpc_cpp_plugin; do
  command -v "$program" > /dev/null || {
    echo "compare.sh: $program is missing: apt install etcd-server libgrpc++-dev protobuf-compiler-grpc" >&2
    exit 1
  }
done
[ -f "$build/build.ninja" ] || cmake --preset release > /dev/null
cmake -S . -B "$build" -DBAOLIAN_BUILD_BENCH=ON > /dev/null
cmake --build "$build" --target baolian_etcd_put baolian-bench baoliand > /dev/null

work=$(mktemp -d)
pids=()
cleanup() {
  [ ${#pids[@]} -eq 0 ] || kill "${pids[@]}" 2> /dev/null || true
  wait 2> /dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# Free ports, all bound at once so that none is given twice.
read -r -a ports <<< "$(python3 -c '
import socket
held = [socket.socket() for _ in range(6)]
for one in held: one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in held])')"
cluster="n0=http://127.0.0.1:${ports[3]},n1=http://127.0.0.1:${ports[4]},n2=http://127.0.0.1:${ports[5]}"
endpoints=()
for i in 0 1 2; do
  client="http://127.0.0.1:${ports[$i]}"
  peer="http://127.0.0.1:${ports[$((i + 3))]}"
  etcd --name "n$i" --data-dir "$work/n$i" --listen-client-urls "$client" --advertise-client-urls "$client" \
    --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "$cluster" \
    --initial-cluster-state new --quota-backend-bytes 8589934592 --log-level error > "$work/n$i.log" 2>&1 &
  pids+=($!)
  endpoints+=("127.0.0.1:${ports[$i]}")
done
sleep 3

best=0
for putters in 100 400; do
  line=$("$build/bin/baolian_etcd_put" "$putters" "$seconds" "${endpoints[@]}")
  echo "etcd     $line"
  best=$(python3 -c "import json,sys; print(max(float(sys.argv[1]), json.loads(sys.argv[2])['puts_per_s']))" "$best" "$line")
done
kill "${pids[@]}"
wait "${pids[@]}" 2> /dev/null || true
pids=()
rm -rf "$work"/n?

"$build/bin/baolian-bench" --workload readings --validators 4 --consensus pbft --ops-per-tx 100 --duration "$seconds" \
  --json > "$work/ours.json"
python3 - "$best" "$work/ours.json" << 'PY'
import json, sys
best, ours = float(sys.argv[1]), json.load(open(sys.argv[2]))
shown = {key: ours[key] for key in ("ops_per_s", "p50_ms", "p99_ms", "cpu_us_per_op_all_nodes")}
print("baolian ", json.dumps(shown))
print(f"ratio: {ours['ops_per_s'] / best:.2f} certified readings (100 a signature) to one durable put of etcd")
PY
