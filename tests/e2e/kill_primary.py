"""kill -9 of the primary under load, and SIGSTOP of the primary: the others change the view and go on,
nothing acknowledged is lost, and who was away comes back as a backup.

With --consensus raft the same of the leader: the others elect one in a later term (`view` is the term), and who was
away follows."""

import json
import signal
import time

import network

KILLS = 2
FROZEN_S = 8
LOAD_S = 6


def stamps(net):
    """When readings were acknowledged, by the clock of their clients, in ms, ascending."""
    if not net.receipts.exists():
        return []
    out = []
    for line in net.receipts.read_text().splitlines():
        try:
            out.append(json.loads(line)["acknowledged_at_ms"])
        except ValueError:
            pass  # the line that is being written
    return sorted(out)


def longest_gap_ms(acknowledged, since_ms):
    """The longest time without an acknowledged reading that ended after `since_ms`."""
    gaps = [b - a for a, b in zip(acknowledged, acknowledged[1:]) if b > since_ms]
    return max(gaps, default=0)


def survivor(net, victim):
    return next(name for name in network.NODES[:4] if name != victim and name in net.processes)


def new_primary(net, victim, view):
    """The primary of a later view, as a node that was not disturbed sees it."""
    watcher = survivor(net, victim)

    def changed():
        status = net.status(watcher, quiet=True)
        return status if status and status["view"] > view else None

    return network.wait_for(f"a view above {view} without {victim}", 60, changed, every=0.05)


def check_agreement(net, kind):
    """What the API says of the consensus: the kind, and under Raft one leader whom every validator names."""
    def one_leader():
        told = [net.status(name, quiet=True) for name in network.NODES[:4]]
        if not all(told) or any(s["consensus"] != kind for s in told):
            return None
        named = {(s["term"], s["leader"]) for s in told}
        if kind == "pbft":
            return told if {term for term, _ in named} == {None} else None
        leads = [s["institution_name"] for s in told if s["is_primary"]]
        return told if len(named) == 1 and leads == [told[0]["leader"]] else None

    told = network.wait_for(f"four validators that agree on who leads, by {kind}", 60, one_leader)
    bears = (1, 1) if kind == "pbft" else (1, 0)
    network.check(all((s["crashed_max"], s["lying_max"], s["quorum"]) == (*bears, 3) for s in told),
                  f"what the chain bears: {told[0]}")


def disturb(net, away, back, load_s=LOAD_S):
    """Takes the primary away under load and brings it back; milliseconds without progress."""
    victim = net.primary()
    view = net.status(survivor(net, victim))["view"]
    load = net.load("--clients", 8, "--seconds", load_s, "--give-up-s", 240)
    start = net.count()
    network.wait_for("the load runs", 60, lambda: net.count() >= start + 50, every=0.01)
    taken_ms = time.time() * 1000
    away(net, victim)
    status = new_primary(net, victim, view)
    before = net.count()
    network.wait_for("readings go on in the new view", 60, lambda: net.count() >= before + 20,
                     every=0.05)
    reached = net.status(survivor(net, victim))["certified_height"]
    back(net, victim)

    def caught_up():
        own = net.status(victim, quiet=True)
        return own and own["certified_height"] >= reached and own["view"] >= status["view"]

    network.wait_for(f"{victim} catches up", 60, caught_up)
    network.check(not net.status(victim)["stopped"], f"{victim} votes no more")
    summary = net.finish_load(load, 240)
    network.check(summary["abandoned"] == 0, f"readings were given up: {summary}")
    gap = longest_gap_ms(stamps(net), taken_ms)
    print(f"{victim} away in view {view}, now view {status['view']}: {gap} ms without progress, "
          f"{summary['acknowledged']} readings", flush=True)
    return gap


def kill(net, victim):
    net.kill(victim)


def start(net, victim):
    net.start(victim)


def freeze(seconds):
    def away(net, victim):
        net.processes[victim].send_signal(signal.SIGSTOP)
        away.until = time.monotonic() + seconds

    def back(net, victim):
        time.sleep(max(0.0, away.until - time.monotonic()))
        net.processes[victim].send_signal(signal.SIGCONT)

    return away, back


def test(make, options):
    net = make()
    net.start()
    for _ in range(KILLS):
        disturb(net, kill, start)
    disturb(net, *freeze(FROZEN_S))
    check_agreement(net, options.consensus)
    height, root = net.equal_roots()
    checked = net.check_receipts()
    print(f"{checked['receipts']} receipts, height {height}, state root {root}")


if __name__ == "__main__":
    network.main(test)
