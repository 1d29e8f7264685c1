"""kill -9 of the two institutions of a claim between filed and opened: restarted, their agents go on by
themselves, and every step stands in the log once."""

import json
import pathlib

import network

BUNDLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "discharges" / "published_case.json"
PERSON = "999999198806150011"


def discharge(net, hospital, number):
    """The published case as another stay with an invoice of its own."""
    text = BUNDLE.read_text(encoding="utf-8")
    text = text.replace("ZY2026030500017", f"ZY{number}").replace("0000517301", f"{number:010d}")
    file = pathlib.Path(net.root) / f"bundle-{number}.json"
    file.write_text(text, encoding="utf-8")
    answer = net.cli(f"{hospital}-registrar", "discharge", file)["discharges"][0]
    network.check(answer["outcome"] == "filed", f"filed was expected: {answer}")
    return answer


def wait_opened(net, observer, report):
    """The events of the claim's timeline, once it is opened."""
    claim = report["claims"][0]["claim"]

    def opened():
        # The observer may be some blocks behind, and does not know the claim yet.
        entries = net.cli(observer, "claim", "timeline", claim, fine=(0, 1)).get("entries", [])
        return entries if any("opened" in entry["event"] for entry in entries) else None

    entries = network.wait_for("the claim is opened", 60, opened)
    log = net.cli("bureau-compliance", "record", "log", report["record"])["entries"]
    kinds = [entry["operation"] for entry in log if "rejected" not in entry["outcome"]]
    for kind in ("records.request", "records.release", "records.receive"):
        network.check(kinds.count(kind) == 1, f"{kind} stands {kinds.count(kind)} times in the log: {log}")
    return entries


def test(make, options):
    net = make()
    net.start()
    primary = net.primary()
    hospital = next(name for name in ("hospital-a", "hospital-b") if name != primary)
    insurer = next(name for name in ("insurer-a", "insurer-b") if name != primary)
    net.enrol([PERSON], "2026-01-01", "2026-12-31", insurer)
    observer = "bureau-compliance"

    net.kill(insurer)
    report = discharge(net, hospital, 1)
    net.start(insurer)
    wait_opened(net, observer, report)
    print(f"{insurer} was away when the claim was filed: opened after its restart", flush=True)

    # The custodian dies at some moment between its answer and the release.
    for number in range(2, 7):
        report = discharge(net, hospital, number)
        net.kill(hospital)
        net.start(hospital)
        wait_opened(net, observer, report)
    print(f"{hospital} was killed after five reports: every claim was opened", flush=True)

    for number in range(7, 12):
        report = discharge(net, hospital, number)
        net.kill(hospital, insurer) if number % 2 else net.kill(insurer)
        net.start(*[name for name in (hospital, insurer) if name not in net.processes])
        wait_opened(net, observer, report)
    print(f"{insurer} was killed after five more, twice with {hospital}: every claim was opened", flush=True)
    net.equal_roots()


network.main(test)
