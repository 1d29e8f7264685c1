"""Archive and prune with real processes: files that are the same on every node, answers from them, the error's
name without them, offline checks, verify-node, a node that was pruned and restarted, and one that was wiped."""

import json
import shutil
import time

import network
from verify_node import Verifier, stop

SPAN = 20
RETENTION_S = 2
FLUSH_PAUSE_S = 1.5
READINGS = 400


def configure(net):
    for name in network.NODES:
        config = net.directory / "nodes" / name / "node.toml"
        config.write_text(config.read_text() + f'retention = "{RETENTION_S}s"\narchive_span = {SPAN}\n')


def archive_of(net, name):
    return net.directory / "nodes" / name / "data" / "archive"


def blocks_of(net, name):
    return {file.name: file.read_bytes() for file in sorted(archive_of(net, name).glob("*.blk"))}


def refused(net, *arguments):
    answer = net.cli(*arguments, fine=(3,))
    network.check(answer.get("code") == "pruned", f"refused as pruned: {answer}")
    return answer["message"]


def first_reading(net):
    """The oldest acknowledged reading below every node's mark: its record and place."""
    with open(net.receipts, encoding="utf-8") as file:
        return json.loads(file.readline())


def load_until_pruned(net, spans):
    """Readings until every node has pruned so many spans; blocks carry the time that judges age. A
    node prunes what its store has durably, and flushes it when nothing was executed for a second
    (else after a minute): so each round leaves it such a pause."""
    def pruned():
        return all(net.status(name)["first_block"] > spans * SPAN for name in network.NODES)

    deadline = time.monotonic() + 40
    while not pruned():
        network.check(time.monotonic() < deadline,
                      f"pruned: {[net.status(name)['first_block'] for name in network.NODES]}")
        net.finish_load(net.load("--clients", 8, "--count", 60), 60)
        time.sleep(FLUSH_PAUSE_S)


def check_offline(net, file, reading):
    def archive(*arguments, fine=(0,)):
        done = net.run(net.programs.cli, "--json", "archive", *arguments, fine=fine)
        return json.loads(done.stdout)

    listed = archive("list", file.parent)["files"]
    network.check(listed and listed[0]["file"] == file.name and listed[0]["last"] == SPAN, listed)
    verified = archive("verify", file, "--genesis", net.genesis)
    network.check(verified["whole"] and verified["certified"] >= SPAN
                  and verified["hash"] == listed[0]["hash"], f"archive verify: {verified}")
    shown = archive("show", file, "--transaction", reading["tx_id"], "--genesis", net.genesis)
    found = [one for one in shown["operations"] if one["leaf"] == reading["leaf"]]
    network.check(found and found[0]["operation"] == "records.read" and found[0]["institution_name"],
                  f"archive show --transaction: {shown}")
    shown = archive("show", file, "--id", reading["record"], "--kind", "records.read")
    network.check(any(one["tx_id"] == reading["tx_id"] for one in shown["operations"]),
                  "archive show --id finds the reading of the record")
    network.check("header" in archive("show", file, "--height", reading["height"]), "show --height")

    bad = net.root / file.name
    shutil.copy(file.with_suffix(".cert"), bad.with_suffix(".cert"))
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    bad.write_bytes(content)
    broken = archive("verify", bad, "--genesis", net.genesis, fine=(5,))
    network.check(not broken["whole"] and 0 < broken["first_bad_height"] <= SPAN, f"one bit: {broken}")


def test(make, options):
    net = make()
    configure(net)
    net.start()
    net.finish_load(net.load("--clients", 8, "--count", READINGS), 120)
    reading = first_reading(net)
    load_until_pruned(net, -(-reading["height"] // SPAN))
    height, _ = net.equal_roots()

    kept = {name: blocks_of(net, name) for name in network.NODES}
    shared = set.intersection(*(set(files) for files in kept.values()))
    network.check(shared, f"every node has archived: { {name: list(kept[name]) for name in kept} }")
    for file in shared:
        network.check(len({files[file] for files in kept.values()}) == 1, f"{file} is the same everywhere")

    hospital = "hospital-a"
    auditor = f"{hospital}-compliance"
    evidence = net.root / "operation.json"
    operation = ["audit", "operation", "--height", reading["height"], "--leaf", reading["leaf"], "--prove"]
    net.cli(auditor, *operation, evidence)
    net.verify(evidence)
    before = net.cli(auditor, "record", "log", reading["record"])
    window = net.root / "window.json"
    net.cli(auditor, "record", "log", reading["record"], "--prove", window)
    net.verify(window)
    check_offline(net, archive_of(net, hospital) / min(shared), reading)

    elsewhere = net.root / "elsewhere"
    archive_of(net, hospital).rename(elsewhere)
    name = min(shared).removesuffix(".blk")
    network.check(name in refused(net, auditor, *operation, evidence), "the error names the archive")
    # A list comes from index rows, which stay: it is answered without the blocks.
    listed = net.cli(auditor, "record", "log", reading["record"])
    network.check(listed["entries"][0]["outcome"] == "record_read", f"the list goes on: {listed['entries'][:1]}")
    network.check(net.status(hospital)["height"] >= height, "the node goes on")
    stop(net, hospital)
    away = Verifier(net, hospital).whole()
    network.check(any("pruned" in remark for remark in away["remarks"]), f"a remark, no damage: {away}")
    shutil.rmtree(archive_of(net, hospital), ignore_errors=True)
    elsewhere.rename(archive_of(net, hospital))
    victim = Verifier(net, hospital)
    answer = victim.whole()
    checked = {check["name"]: check["checked"] for check in answer["checks"]}
    network.check(checked.get("archive files", 0) > 0, f"archives were looked at: {checked}")
    file = archive_of(net, hospital) / min(shared)
    victim.flipped(file, file.stat().st_size // 2, {"archive"})
    victim.flipped(file.with_suffix(".cert"), file.with_suffix(".cert").stat().st_size - 3, {"archive"})

    net.start(hospital)
    again = net.cli(auditor, "record", "log", reading["record"])
    network.check(again["entries"][:len(before["entries"])] == before["entries"],
                  "answers from the archive after the restart as before")
    net.finish_load(net.load("--clients", 4, "--count", 50), 60)
    net.equal_roots()

    # An empty observer gets the old blocks from its peers' archives.
    stop(net, "bureau")
    for part in ("store", "log", "archive"):
        shutil.rmtree(net.directory / "nodes" / "bureau" / "data" / part, ignore_errors=True)
    net.start("bureau")
    height, _ = net.equal_roots()
    network.check(net.check_receipts()["problems"] == [], "every reading is in every node's log")
    print(f"height {height}, {len(shared)} archive files the same on {len(kept)} nodes")


if __name__ == "__main__":
    network.main(test)
