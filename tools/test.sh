#!/usr/bin/env bash
# Installs what is missing, builds, and runs every test:
#   1. release build, warnings as errors, all labels      2. AddressSanitizer + UBSan: unit, scenario, sim
# `tools/test.sh --quick` leaves out the second.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

quick=no
for argument in "$@"; do
  case $argument in
    --quick) quick=yes ;;
    -h | --help)
      sed -n '2,5s/^# \{0,1\}//p' "$0"
      exit 0
      ;;
    *)
      echo "test.sh: unknown argument '$argument'; try --help" >&2
      exit 2
      ;;
  esac
done

step() { printf '\n== %s (%s)\n' "$1" "$(date -u +%H:%M:%S)"; }

step "packages"
tools/install-packages.sh

step "release build, warnings as errors"
cmake --preset ci >/dev/null
cmake --build --preset ci

if [[ $quick == no ]]; then
  step "sanitizer build"
  cmake --preset asan >/dev/null
  cmake --build --preset asan
  step "AddressSanitizer and UndefinedBehaviorSanitizer: unit, scenario, sim"
  ctest --preset asan
fi

step "all tests"
ctest --preset ci
