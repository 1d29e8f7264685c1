#!/usr/bin/env bash
# Every C++ file is as clang-format writes it. `tests/lint/format.sh clang-format --fix` rewrites.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
tool=${1:-clang-format}
if ! command -v "$tool" >/dev/null; then
  echo "format: clang-format is not installed; skipped"
  exit 77
fi
mapfile -t files < <(find src tools tests bench -name '*.h' -o -name '*.cpp' 2>/dev/null | sort)
if [[ ${2:-} == --fix ]]; then
  "$tool" -i "${files[@]}"
else
  "$tool" --dry-run --Werror "${files[@]}"
fi
echo "format: ${#files[@]} files checked"
