#!/usr/bin/env bash
# Plants every bug of src/core/seeded_bug.h, one at a time, and runs the simulator until an invariant
# catches it; then runs the unbroken program over the same seeds. Prints what caught each and after
# how many seeds, and ends with "caught X of Y".
#
# Usage: tests/seeded_bugs/run.sh [--only NAME]... [--seeds N] [--jobs N]
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -f build/bugs/build.ninja ] || cmake --preset bugs > build/bugs-configure.log
cmake --build --preset bugs
exec python3 tests/seeded_bugs/run.py --sim build/bugs/bin/baolian-sim "$@"
