"""kill -9 of any one validator that is not the primary, under load: the network goes on; restarted,
the node catches up to an equal state root."""

import network

READINGS = 500
READINGS_WHILE_DOWN = 40


def test(make, options):
    net = make()
    net.start()
    primary = net.primary()
    for victim in [name for name in network.NODES[:4] if name != primary]:
        load = net.load("--clients", 8, "--count", READINGS, "--give-up-s", 240)
        start = net.count()
        network.wait_for("the load runs", 60, lambda: net.count() >= start + 20, every=0.01)
        net.kill(victim)
        before = net.count()
        network.wait_for(f"readings go on without {victim}", 60,
                         lambda: net.count() >= before + READINGS_WHILE_DOWN)
        gone_on = net.status(primary)["certified_height"]
        net.start(victim)
        network.wait_for(f"{victim} catches up", 60,
                         lambda: net.status(victim)["certified_height"] >= gone_on)
        summary = net.finish_load(load, 240)
        network.check(summary["abandoned"] == 0, f"readings were given up: {summary}")
        print(f"{victim}: killed at {before} receipts, caught up past height {gone_on}; {summary}",
              flush=True)
        # A read with min_height never shows less than what was acknowledged there.
        seen = net.cli(f"{victim}-compliance", "audit", "checkpoint", "--min-height", gone_on)
        network.check(int(seen["header"]["height"]) >= gone_on, f"below min_height: {seen}")
    ahead = net.cli("bureau-compliance", "audit", "checkpoint", "--min-height", 10**9, fine=None)
    network.check("timed_out" in ahead["message"], f"a height that nobody has: {ahead}")
    height, root = net.equal_roots()
    checked = net.check_receipts()
    print(f"{checked['receipts']} receipts, height {height}, state root {root}")


network.main(test)
