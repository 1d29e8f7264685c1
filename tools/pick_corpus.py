#!/usr/bin/env python3
"""Chooses which inputs of a merged corpus are kept in the repository: an even sample by size, within a limit.

    tools/pick_corpus.py MERGED TARGET_FOLDER [BYTES_MAX]

Files get short names made of their content; what is no longer chosen is removed. Inputs whose name begins with
"finding-" (broke a promise once) or "probe-" (takes a rare branch of the engine) are kept whatever the limit.
"""
import hashlib
import pathlib
import sys

BYTES_MAX = 20 * 1024
FILES_MAX = 60


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    merged, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    room = int(sys.argv[3]) if len(sys.argv) > 3 else BYTES_MAX
    chosen = {}
    everything = sorted((p.read_bytes() for p in merged.iterdir() if p.is_file()), key=lambda b: (len(b), b))
    # Every n-th, so that long inputs, which go deepest, are there too.
    step = max(1, -(-sum(map(len, everything)) // room), -(-len(everything) // FILES_MAX))
    for content in everything[step - 1 :: step]:
        if len(content) > room or not content:
            continue
        room -= len(content)
        chosen[hashlib.sha256(content).hexdigest()[:8]] = content
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith(("finding-", "probe-")) and path.name not in chosen:
            path.unlink()
    for name, content in chosen.items():
        (folder / name).write_bytes(content)
    print(f"{folder.name}: {len(chosen)} of {len(everything)} inputs, {sum(map(len, chosen.values()))} bytes")


if __name__ == "__main__":
    main()
