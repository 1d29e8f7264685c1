#!/usr/bin/env bash
# Shows the whole product on this machine: installs what is missing, builds release, starts two hospitals, two insurers and an
# observer (regulator and medical-insurance bureau) on loopback, discharges patients, reads records, proves and verifies.
#
#   tools/demo.sh                  leaves the network running and says how to query and stop it
#   tools/demo.sh --once           stops it at the end; exit code 0 only if everything held
#   tools/demo.sh --consensus raft the same under Raft instead of PBFT: it bears crashes, not lies
#   tools/demo.sh --summary FILE   writes what happened as JSON
#   tools/demo.sh --stop           stops a network that was left running
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

network=demo-network
arguments=()
while (($# > 0)); do
  case $1 in
    --once) arguments+=(--once) ;;
    --summary)
      [[ $# -ge 2 ]] || { echo "demo.sh: --summary needs a file" >&2; exit 2; }
      arguments+=(--summary "$2")
      shift
      ;;
    --consensus)
      [[ ${2-} == pbft || ${2-} == raft ]] || { echo "demo.sh: --consensus is pbft or raft" >&2; exit 2; }
      arguments+=(--consensus "$2")
      shift
      ;;
    --stop)
      exec python3 tools/demo/scenario.py --network "$network" --stop
      ;;
    -h | --help)
      sed -n '2,10s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *)
      echo "demo.sh: unknown argument '$1'; try --help" >&2
      exit 2
      ;;
  esac
  shift
done

echo "== packages"
tools/install-packages.sh
echo "== release build (the first one takes some minutes)"
cmake --preset release >/dev/null
cmake --build --preset release --target baoliand baolian
echo "== demonstration"
exec python3 tools/demo/scenario.py --network "$network" --bin build/release/bin "${arguments[@]}"
