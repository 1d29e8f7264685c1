"""The demonstration, its summary, and its evidence in the hands of the second verifier."""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import network

ROOT = pathlib.Path(__file__).resolve().parents[2]
# What each discharge comes to, and what it pays: worked out by hand in docs/products and in the scenario's comments.
PAYABLE_FEN = {"published_case": 311290, "no_consent": 258860, "year_1": 63000, "year_2": 185000, "limit": 1000000,
               "paper": 63000, "ambiguous": 420000, "refused": 120000}
OUTCOMES = {**{name: "paid" for name in PAYABLE_FEN}, "not_insured": "not_insured", "stranger": "nothing_filed"}


def check_summary(summary):
    found = {one["name"]: one["outcome"] for one in summary["discharges"]}
    network.check(found == OUTCOMES, f"outcomes of the discharges: {found}")
    paid = {one["name"]: one["payable_fen"] for one in summary["discharges"] if "payable_fen" in one}
    network.check(paid == PAYABLE_FEN, f"payable amounts: {paid}")
    stages = next(one for one in summary["discharges"] if one["name"] == "published_case")["stages_ms"]
    order = [stages[name] for name in ("filed", "granted", "released", "opened", "decided", "paid")]
    network.check(order == sorted(order), f"the steps are out of order: {stages}")
    network.check(len(summary["readings"]) == 5, f"readings: {summary['readings']}")
    network.check(all(one["verified"] for one in summary["evidence"]) and len(summary["evidence"]) == 2,
                  f"evidence: {summary['evidence']}")


def check_nothing_leaked(place):
    """No node wrote a person's number or an item of a bill in clear: not into its data, not into its log. The embedded
    payment service is the bank: its own files name payees. Public contents are public."""
    canaries = [b"99999919", "进口耗材".encode(), "阑尾切除术".encode()]
    files = [path for path in (place / "nodes").rglob("*") if path.is_file() and "/data/" in str(path)
             and not {"payment-service", "contents"} & set(path.parts)]
    for path in [*files, *place.glob("*.log")]:
        written = path.read_bytes()
        for canary in canaries:
            network.check(canary not in written, f"{canary.decode()} stands in clear in {path.relative_to(place)}")
    network.check(len(files) > 100, "the nodes wrote less than expected: was the place right?")


def test(make, options):
    node = shutil.which("node")
    with tempfile.TemporaryDirectory(prefix="baolian-demo-") as directory:
        summary_file = pathlib.Path(directory) / "summary.json"
        place = pathlib.Path(directory) / "network"
        binaries = pathlib.Path(options.node).resolve().parent
        done = subprocess.run([sys.executable, str(ROOT / "tools/demo/scenario.py"), "--network", str(place),
                               "--bin", str(binaries), "--once", "--summary", str(summary_file),
                               "--consensus", options.consensus],
                              capture_output=True, text=True, timeout=180)
        network.check(done.returncode == 0, f"the demonstration failed: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        summary = json.loads(summary_file.read_text(encoding="utf-8"))
        check_summary(summary)
        epoch = json.loads((place / "genesis.json").read_text(encoding="utf-8"))["epoch"]
        network.check(epoch["consensus_kind"] == options.consensus, f"the genesis says {epoch['consensus_kind']}")
        check_nothing_leaked(place)
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
