#!/usr/bin/env python3
"""Table of executed lines and branches per folder of src/, from gcov's own JSON. For where gcovr is missing.

    tools/coverage_table.py build/coverage [--files]      --files: also every file, worst first
"""
import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]


def read_counts(build):
    """(file, line) -> hits and (file, line, branch) -> hits, over all translation units."""
    lines = collections.Counter()
    branches = collections.Counter()
    # By the notes of the compiler, not by the counters: what was never run counts as not executed.
    data = sorted(str(p.resolve()) for p in pathlib.Path(build).rglob("*.gcno"))
    if not any(pathlib.Path(build).rglob("*.gcda")):
        sys.exit("coverage_table: no counters; build with the preset coverage and run tests first")
    for start in range(0, len(data), 50):
        out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *data[start : start + 50]],
                             capture_output=True, text=True, check=True, cwd=build).stdout
        for text in out.splitlines():
            if not text.startswith("{"):
                continue
            for file in json.loads(text)["files"]:
                path = pathlib.Path(file["file"])
                if not path.is_relative_to(ROOT / "src"):
                    continue
                name = str(path.relative_to(ROOT))
                for line in file["lines"]:
                    lines[name, line["line_number"]] += line["count"]
                    for i, branch in enumerate(line["branches"]):
                        if not branch["throw"]:
                            branches[name, line["line_number"], i] += branch["count"]
    return lines, branches


def totals(counts, group):
    out = collections.defaultdict(lambda: [0, 0])
    for key, hits in counts.items():
        entry = out[group(key[0])]
        entry[0] += 1
        entry[1] += hits > 0
    return out


def share(entry):
    return f"{100 * entry[1] / entry[0]:5.1f} %" if entry[0] else "    - "


def print_head(title):
    print(f"{title:48} {'lines':>7} {'executed':>9} {'branches':>9} {'taken':>8}")


def print_rows(lines, branches, group, order):
    by_line, by_branch = totals(lines, group), totals(branches, group)
    for name in sorted(by_line, key=lambda n: order(n, by_line[n])):
        branch = by_branch[name]
        print(f"{name:48} {by_line[name][0]:7} {share(by_line[name]):>9} {branch[0]:9} {share(branch):>8}")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    lines, branches = read_counts(sys.argv[1])
    print_head("folder")
    print_rows(lines, branches, lambda f: "/".join(f.split("/")[:2]), lambda name, _: name)
    print_rows(lines, branches, lambda _: "all", lambda name, _: name)
    if "--files" in sys.argv:
        print()
        print_head("file")
        print_rows(lines, branches, lambda f: f, lambda _, entry: entry[1] / entry[0])


if __name__ == "__main__":
    main()
