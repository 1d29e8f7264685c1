"""Measures failover with real processes; no ctest, since a time says nothing on a machine that does
other work.

30 times kill -9 of the primary under load, then the primary stopped (SIGSTOP) for 30 s: the longest
time without an acknowledged reading, over all clients. Then the throughput of eight clients with all
validators and with one backup away."""

import network
from kill_primary import disturb, freeze, kill, start

KILLS = 30
LOAD_S = 13  # timers double with every view change and halve again after 10 s of progress
FROZEN_S = 30
THROUGHPUT_S = 20


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[max(1, -(-len(ordered) * percent // 100)) - 1]


def throughput(net):
    return net.finish_load(net.load("--clients", 8, "--seconds", THROUGHPUT_S), 120)["per_s"]


def test(make, options):
    net = make()
    net.start()
    gaps = [disturb(net, kill, start, LOAD_S) for _ in range(KILLS)]
    print(f"{KILLS} kills of the primary: without progress p50 {percentile(gaps, 50)} ms, "
          f"p99 {percentile(gaps, 99)} ms, longest {max(gaps)} ms", flush=True)
    frozen = disturb(net, *freeze(FROZEN_S), load_s=FROZEN_S + 10)
    print(f"primary stopped for {FROZEN_S} s: {frozen} ms without progress", flush=True)

    net.equal_roots()
    everyone = throughput(net)
    backup = next(name for name in ("insurer-b", "insurer-a") if name != net.primary())
    net.kill(backup)
    without = throughput(net)
    print(f"all validators {everyone}/s, without {backup} {without}/s: "
          f"{100 * without / everyone:.0f} %", flush=True)
    net.start(backup)
    net.equal_roots()
    print(net.check_receipts())


network.main(test)
