"""Measures enrolment through the ordinary path; no ctest, since a time says nothing on a machine that
does other work.

Persons are enrolled at both insurers and attested by the bureau; hospital, insurers and bureau are the four
validators. Then RAM and disk of each node, the time of a restart until the node answers (the others being
idle), and the disk after compaction. With --join there are four other validators and the bureau observes, and
a node with an empty disk then joins by a snapshot.

    python3 tests/e2e/enrolment.py --node … --cli … --load … --persons 3000000 --join
"""

import os
import pathlib
import sys
import time

import join
import network

PERSONS = 100_000
IDLE_TRIES = 90
JOINS = "--join" in sys.argv
FOUR = {"hospital-a": "hospital", "insurer-a": "insurer", "insurer-b": "insurer",
        "bureau": "medical_insurance+regulator"}
PERSONS_PER_SNAPSHOT_HEIGHT = 6_000  # some five snapshots on the way


def memory_mib(pid):
    """What the kernel holds for the process now, and at most so far."""
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    found = {line.split(":")[0]: int(line.split()[1]) // 1024
             for line in lines if line.startswith(("VmRSS", "VmHWM"))}
    return found["VmRSS"], found["VmHWM"]


def cpu_seconds(pid):
    """What the process has used of all cores so far, background work included."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def disk_bytes(directory):
    return sum(file.stat().st_blocks * 512 for file in directory.rglob("*") if file.is_file())


def show(net, persons):
    for name, process in net.processes.items():
        now, most = memory_mib(process.pid)
        data = net.directory / "nodes" / name / "data"
        parts = {part.name: disk_bytes(part) for part in sorted(data.iterdir()) if part.is_dir()}
        print(f"{name:<12} CPU {cpu_seconds(process.pid) / persons * 1e6:.0f} us a person, "
              f"RAM {now:>6} MiB (at most {most}), store {parts['store'] / persons:.0f} "
              f"bytes a policy, all: "
              + ", ".join(f"{part} {size / 2**20:.0f} MiB" for part, size in parts.items()),
              flush=True)


def wait_until_idle(net):
    """All nodes share this machine's cores here: one that compacts takes from one that starts."""
    def used():
        return sum(cpu_seconds(process.pid) for process in net.processes.values())
    for _ in range(IDLE_TRIES):
        before = used()
        time.sleep(2)
        if used() - before < 0.2:
            return
    print("the nodes did not come to rest", flush=True)


def restart(net, name):
    net.kill(name)
    start = time.monotonic()
    net.start(name)
    seconds = time.monotonic() - start
    now, most = memory_mib(net.processes[name].pid)
    print(f"killed and restarted: {name} answers after {seconds:.1f} s, RAM {now} MiB (at most {most})", flush=True)


def compact(net, name, persons):
    """Rewrites a node's store; what is left of it."""
    net.kill(name)
    config = net.directory / "nodes" / name / "node.toml"
    done = net.run(net.programs.node, "--config", config, "--compact")
    left = disk_bytes(net.data(name) / "store")
    net.start(name)
    print(f"{name}: {done.stdout.strip()}: {left / persons:.0f} bytes a policy", flush=True)


def test(make, options):
    persons = PERSONS
    if JOINS:
        net = make()
        heights = max(1, persons // PERSONS_PER_SNAPSHOT_HEIGHT)
        for name in network.NODES:
            net.configure(name, snapshot_heights=heights, snapshot_gap_s=0)
    else:
        network.NODES[:] = FOUR
        net = make(institutions=[f"{name}:{name}:{kinds}:vote" for name, kinds in FOUR.items()])
    net.start()
    loading = net.load("--enrol", persons, "--clients", 8)
    summary = net.finish_load(loading, 60 + persons / 200)
    print(f"enrolled: {summary}", flush=True)
    height, root = net.equal_roots()
    show(net, persons)
    wait_until_idle(net)
    restart(net, "insurer-b")
    compact(net, "hospital-a", persons)
    print(f"height {height}, state root {root}")
    if JOINS:
        join.join_measured(net, persons)


if JOINS:
    sys.argv.remove("--join")
if "--persons" in sys.argv:
    at = sys.argv.index("--persons")
    PERSONS = int(sys.argv[at + 1])
    del sys.argv[at:at + 2]
network.main(test)
