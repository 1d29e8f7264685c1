"""`baoliand --join`: a node whose chain is gone gets the others' newest snapshot and the blocks above it,
also when it is killed on the way, again and again; it ends with the others' state root and goes on
with them. An observer with an empty disk, and a validator that lost its store but not its log.

With --persons N it measures instead: so many persons are enrolled first.
"""

import os
import random
import shutil
import sys
import time

import network

PERSONS = 4_000
SNAPSHOT_HEIGHTS = 16
KILLS = 6
MEASURE = False


def has_snapshot(net, name):
    kept = net.data(name) / "snapshots"
    return kept.exists() and any(path.name != "making" for path in kept.iterdir())


def lose(net, name, *parts):
    """Ends the node and removes parts of its data."""
    net.kill(name)
    for part in parts:
        shutil.rmtree(net.data(name) / part, ignore_errors=True)


def wait_joined(net, name, seconds):
    """Its status as soon as it began with a snapshot and has what the others have."""
    def joined():
        status = net.status(name, quiet=True)
        return status if status and status["base_height"] > 0 else None

    return network.wait_for(f"{name} begins with a snapshot", seconds, joined, every=0.2)


def check_whole(net, name):
    config = net.directory / "nodes" / name / "node.toml"
    done = net.run(net.programs.cli, "--json", "audit", "verify-node", "--config", config, fine=None)
    network.check(done.returncode == 0, f"{name} is whole: {done.stdout[-3000:]}{done.stderr[-1000:]}")


def join_measured(net, persons):
    net.kill("bureau")
    size = {part.name: sum(f.stat().st_size for f in part.rglob("*") if f.is_file())
            for part in sorted((net.data("insurer-a") / "snapshots").iterdir()) if part.is_dir()}
    for part in ("store", "log", "snapshots"):
        shutil.rmtree(net.data("bureau") / part, ignore_errors=True)
    start = time.monotonic()
    net.start("bureau", options=["--join"])
    status = wait_joined(net, "bureau", 60 + persons / 1000)
    joined = time.monotonic()
    height, root = net.equal_roots(600)
    print(f"{persons} persons: began with the snapshot of block {status['base_height']} after "
          f"{joined - start:.1f} s, at the tip (block {height}) after {time.monotonic() - start:.1f} s; "
          f"snapshots of {({name: round(bytes / 2**20) for name, bytes in size.items()})} MiB; "
          f"root {root}", flush=True)


def test(make, options):
    net = make()
    for name in network.NODES:
        net.configure(name, snapshot_heights=100 if MEASURE else SNAPSHOT_HEIGHTS,
                      snapshot_gap_s=0)
    net.start()
    net.finish_load(net.load("--enrol", PERSONS, "--clients", 8), 120 + PERSONS / 200)
    readings = net.load("--count", 300)
    net.finish_load(readings, 120)
    network.wait_for("the others hold a snapshot", 60 + PERSONS / 5000,
                     lambda: all(has_snapshot(net, name) for name in network.NODES[:4]))
    if MEASURE:
        return join_measured(net, PERSONS)

    # An observer with an empty disk, killed at moments of its joining.
    lose(net, "bureau", "store", "log", "snapshots")
    chance = random.Random(7)
    for _ in range(KILLS):
        net.start("bureau", options=["--join"])
        time.sleep(chance.uniform(0, 2.5))
        net.kill("bureau")
    net.start("bureau", options=["--join"])
    status = wait_joined(net, "bureau", 60)
    network.check(status["base_height"] % SNAPSHOT_HEIGHTS == 0, f"base: {status['base_height']}")
    net.equal_roots()
    check_whole(net, "bureau")

    # A validator without its store: its log says what it voted, so that it may go on voting.
    lose(net, "hospital-b", "store", "snapshots")
    net.start("hospital-b", options=["--join"])
    status = wait_joined(net, "hospital-b", 60)
    network.check(status["role"] == "validator" and not status["stopped"], f"it votes: {status}")
    net.equal_roots()

    # Both go on: what comes now stands in their logs, and the validator is needed for it.
    net.kill("insurer-a")
    os.remove(net.receipts)
    net.finish_load(net.load("--count", 100), 120)
    net.start("insurer-a")
    net.equal_roots()
    print(f"after joining: {net.heights()}", flush=True)
    # A restart on the joined store.
    net.kill("bureau", "hospital-b")
    net.start("bureau", "hospital-b")
    net.equal_roots()
    check_whole(net, "bureau")
    check_whole(net, "hospital-b")


if __name__ == "__main__":
    if "--persons" in sys.argv:
        at = sys.argv.index("--persons")
        PERSONS = int(sys.argv[at + 1])
        MEASURE = True
        del sys.argv[at:at + 2]
    network.main(test)
