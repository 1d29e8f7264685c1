"""Measures an idle network; no ctest, since a time says nothing on a machine that does other work.

1,000 readings one at a time over HTTPS after 100 warm-up, from request to certified receipt. And 30
discharges under the illustrative full-indemnity product: from the node's clock when the request came
to the block time of the claim's `opened` and of its `claim_paid`. Block time is the primary's clock
as it proposes, so the certificate of that last block is not in these figures."""

import json
import pathlib

import network

PERSON = "999999198001010018"
PRODUCT = pathlib.Path(__file__).resolve().parents[2] / "examples/products/full-indemnity.json"


DISCHARGES = 30


def stay(number):
    """A finished stay with one invoice, under a number never used before."""
    person = {"reference": "urn:uuid:p"}
    amount = {"value": 100.25, "currency": "CNY"}
    return {"resourceType": "Bundle", "type": "collection", "entry": [
        {"fullUrl": "urn:uuid:p", "resource": {
            "resourceType": "Patient", "id": "p", "identifier": [
                {"system": "urn:oid:2.16.156.10011.1.3", "value": PERSON}]}},
        {"fullUrl": "urn:uuid:e", "resource": {
            "resourceType": "Encounter", "id": "e", "status": "finished",
            "class": {"code": "IMP"}, "subject": person, "identifier": [{"value": number}],
            "period": {"start": "2026-03-01T08:00:00+08:00", "end": "2026-03-05T10:00:00+08:00"}}},
        {"fullUrl": "urn:uuid:c", "resource": {
            "resourceType": "Claim", "id": f"invoice-{number}", "status": "active",
            "use": "claim", "type": {"coding": [{"code": "institutional"}]}, "patient": person,
            "total": amount, "item": [
                {"sequence": 1, "encounter": [{"reference": "urn:uuid:e"}],
                 "productOrService": {"text": "bed"}, "net": amount}]}}]}


def settled_ms(net, number):
    """Milliseconds from the request to the blocks in which the claim was opened and paid."""
    file = net.root / "stay.json"
    file.write_text(json.dumps(stay(number)))
    report = net.cli("hospital-a-registrar", "discharge", file)["discharges"][0]
    network.check(report["outcome"] == "filed", f"the discharge files a claim: {report}")
    claim = report["claims"][0]["claim"]

    def times():
        timeline = net.cli("insurer-a-adjuster", "claim", "timeline", claim, fine=None)
        out = {}
        for entry in timeline.get("entries", []):
            for name in ("opened", "claim_paid"):
                if name in entry["event"]:
                    out[name] = entry["time_ms"] - report["started_ms"]
        return out if "claim_paid" in out else None

    return network.wait_for("the claim is paid", 30, times)


def enrol(net):
    adjuster = "insurer-a-adjuster"
    product = net.cli(adjuster, "product", "publish", PRODUCT)["product"]
    net.cli(adjuster, "policy", "enrol", "--product", product, "--person", PERSON, "--from",
            "2026-01-01", "--to", "2026-12-31")


def percentiles(times):
    times = sorted(times)
    return {"p50_ms": times[len(times) // 2 - 1], "p99_ms": times[-1 - len(times) // 100]}


def test(make, options):
    net = make()
    net.start()
    summary = net.finish_load(net.load("--sequential"), 300)
    print(json.dumps({"readings": summary}), flush=True)
    net.check_receipts()
    enrol(net)
    stages = [settled_ms(net, f"stay-{i}") for i in range(DISCHARGES)]
    print(json.dumps({"discharges": DISCHARGES,
                      "opened": percentiles([one["opened"] for one in stages]),
                      "paid": percentiles([one["claim_paid"] for one in stages])}), flush=True)
    network.check(summary["retried"] == 0, "an idle network must answer at once")


network.main(test)
