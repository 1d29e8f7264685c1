"""kill -9 of all five nodes at once under load, BAOLIAN_KILL_ROUNDS times: after each round every
acknowledged reading is there, the roots are equal, and evidence taken before still verifies."""

import json
import os
import random

import network

CLIENTS = 8


def refuse_forged(net):
    """The check itself can fail: a receipt for a place that holds no reading is found out."""
    forged = net.root / "forged.jsonl"
    lines = net.receipts.read_text().splitlines()[:50]
    receipt = json.loads(lines[-1])
    receipt["leaf"] += 1000
    forged.write_text("\n".join(lines[:-1] + [json.dumps(receipt)]) + "\n")
    net.run(net.programs.load, "--network", net.directory, "--check", forged, fine=(5,))


def test(make, options):
    rounds = int(os.environ.get("BAOLIAN_KILL_ROUNDS", "3"))
    per_round = int(os.environ.get("BAOLIAN_KILL_READINGS", "260"))
    seed = int(os.environ.get("BAOLIAN_KILL_SEED", str(random.randrange(1 << 32))))
    print(f"seed {seed}, {rounds} rounds of {per_round} readings", flush=True)
    chance = random.Random(seed)
    net = make()
    net.start()
    evidence = []
    retried = 0
    for turn in range(1, rounds + 1):
        before = net.count()
        load = net.load("--clients", CLIENTS, "--count", per_round, "--give-up-s", 240)
        kill_at = before + chance.randrange(5, per_round * 3 // 4)
        network.wait_for("the load runs", 120, lambda: net.count() >= kill_at, every=0.002)
        net.kill(*network.NODES)
        acknowledged = net.count()
        net.start()
        summary = net.finish_load(load, 300)
        retried += summary["retried"]
        network.check(summary["abandoned"] == 0, f"readings were given up: {summary}")
        network.check(net.count() == before + per_round, "receipts are missing from the file")
        checked = net.check_receipts()
        extra = sum(node["unacknowledged"] for node in checked["nodes"].values())
        network.check(extra == 0, f"readings executed twice or unasked: {checked}")
        height, root = net.equal_roots()
        for path in evidence:
            net.verify(path)
        evidence = evidence[-2:] + [net.root / f"evidence-{turn}.json"]
        net.evidence(net.targets()[turn % 2]["record"], evidence[-1])
        print(f"round {turn}: killed at {acknowledged} receipts, {summary['retried']} readings "
              f"retried, {summary['expired']} expired; {checked['receipts']} receipts hold at "
              f"height {height}, none twice; state root {root[:16]}",
              flush=True)
    refuse_forged(net)
    network.check(retried > 0, "no kill hit a reading: the test showed nothing")
    print(f"{net.count()} acknowledged readings over {rounds} rounds, all there")


network.main(test)
