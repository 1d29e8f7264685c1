#!/usr/bin/env python3
"""Makes tests/golden/v1/network anew: plays the demonstration, takes evidence, kills a hospital's node and keeps what it left.

Only before version 1 is published; afterwards a new format gets a folder of its own and v1 stays as it is.

    python3 tests/golden/make.py --bin build/release/bin
"""
import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
import scenario  # noqa: E402

NODE = "hospital-a"


def take_evidence(network, story, target):
    record = next(d["record"] for d in story.reports if d["outcome"] == "filed")
    report = next(d for d in story.reports if d["outcome"] == "filed")
    auditor = "bureau-auditor"
    network.ask(auditor, "audit", "reads", "--record", record, "--prove", str(target / "evidence-reads.json"))
    network.ask(auditor, "audit", "claims", "--insurer", network.institution("insurer-a"), "--prove",
                str(target / "evidence-claims.json"))
    network.ask(auditor, "audit", "log", "--kind", "claim", "--id", report["claims"][0]["claim"], "--prove",
                str(target / "evidence-claim.json"))
    network.ask(auditor, "audit", "payouts", "--insurer", network.institution("insurer-a"), "--prove",
                str(target / "evidence-payouts.json"))
    network.ask(auditor, "audit", "operation", "--height", str(report["height"]), "--leaf", str(report["leaf"]),
                "--prove", str(target / "evidence-operation.json"))


def keep_node(network, story, target):
    """Killed in the middle of work: a log that was not cut for an orderly end."""
    record = next(d["record"] for d in story.reports if d["outcome"] == "filed")
    for _ in range(5):
        network.ask("insurer-a-adjuster", "record", "read", record, "--purpose", "HPAYMT")
    network.processes[NODE].kill()
    network.processes[NODE].wait()
    node = network.directory / "nodes" / NODE
    newest = max((node / "data" / "log").glob("*.log"))
    (target / "log").mkdir()
    (target / "log" / newest.name).write_bytes(newest.read_bytes().rstrip(b"\0"))
    for name in ("node.keystore", "passphrase"):
        shutil.copyfile(node / name, target / name)
    return node / "data" / "store"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", default="build/release/bin")
    arguments = parser.parse_args()
    target = ROOT / "tests" / "golden" / "v1" / "network"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as directory:
        network = scenario.Network(pathlib.Path(directory) / "network", arguments.bin)
        story = scenario.Story(network)
        network.init()
        network.start()
        try:
            story.play()
            time.sleep(0.5)
            take_evidence(network, story, target)
            store = keep_node(network, story, target)
        finally:
            del network.processes[NODE]
            network.stop()
        shutil.copyfile(network.directory / "genesis.json", target / "genesis.json")
        binary = pathlib.Path(arguments.bin).resolve() / "baolian_golden_test"
        subprocess.run([str(binary)], check=True, env=dict(os.environ, BAOLIAN_GOLDEN_STORE=str(store)))
    sizes = {path.name: path.stat().st_size for path in target.rglob("*") if path.is_file()}
    print(json.dumps(sizes, indent=1))


if __name__ == "__main__":
    main()
