"""The demonstration, its summary, and its evidence in the hands of the second verifier."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import network

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTCOMES = {"published_case": "opened", "not_insured": "not_insured", "no_consent": "invited_then_opened",
            "stranger": "nothing_filed"}


def check_summary(summary):
    found = {one["name"]: one["outcome"] for one in summary["discharges"]}
    network.check(found == OUTCOMES, f"outcomes of the discharges: {found}")
    stages = next(one for one in summary["discharges"] if one["name"] == "published_case")["stages_ms"]
    order = [stages[name] for name in ("filed", "granted", "released", "opened")]
    network.check(order == sorted(order), f"the steps are out of order: {stages}")
    network.check(len(summary["readings"]) == 5, f"readings: {summary['readings']}")
    network.check(all(one["verified"] for one in summary["evidence"]) and summary["evidence"],
                  f"evidence: {summary['evidence']}")


def test(make, options):
    node = shutil.which("node")
    with tempfile.TemporaryDirectory(prefix="baolian-demo-") as directory:
        summary_file = pathlib.Path(directory) / "summary.json"
        place = pathlib.Path(directory) / "network"
        binaries = pathlib.Path(options.node).resolve().parent
        done = subprocess.run([sys.executable, str(ROOT / "tools/demo/scenario.py"), "--network", str(place),
                               "--bin", str(binaries), "--once", "--summary", str(summary_file)],
                              capture_output=True, text=True, timeout=120)
        network.check(done.returncode == 0, f"the demonstration failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        summary = json.loads(summary_file.read_text(encoding="utf-8"))
        check_summary(summary)
        if node is None:
            print("node is not installed: the second verifier was not asked")
            return network.SKIPPED
        for one in summary["evidence"]:
            second = subprocess.run([node, str(ROOT / "tests/verifier/verify.mjs"), one["path"],
                                     str(place / "genesis.json")], capture_output=True, text=True, timeout=60)
            network.check(second.returncode == 0, f"the second verifier: {second.stdout}{second.stderr}")
            print(second.stdout)
    return 0


network.main(test)
