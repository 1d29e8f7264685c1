"""Measures an idle network; no ctest, since a time says nothing on a machine that does other work.

1,000 readings one at a time over HTTPS after 100 warm-up, from request to certified receipt. And 30
discharges: from the node's clock when the request came to the block time of the claim's `opened`.
Block time is the primary's clock as it proposes, so the certificate of that last block is not in
the second figure."""

import json

import network

PERSON = "999999198001010018"


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


def opened_ms(net, number):
    """Milliseconds from the request to the block in which the claim was opened."""
    file = net.root / "stay.json"
    file.write_text(json.dumps(stay(number)))
    report = net.cli("hospital-a-registrar", "discharge", file)["discharges"][0]
    network.check(report["outcome"] == "filed", f"the discharge files a claim: {report}")
    claim = report["claims"][0]["claim"]

    def opened():
        timeline = net.cli("insurer-a-adjuster", "claim", "timeline", claim, fine=None)
        return [e for e in timeline.get("entries", []) if "opened" in e["event"]]

    entry = network.wait_for("the claim is opened", 30, opened)[0]
    return entry["time_ms"] - report["started_ms"]


def test(make, options):
    net = make()
    net.start()
    summary = net.finish_load(net.load("--sequential"), 300)
    print(json.dumps({"readings": summary}), flush=True)
    net.check_receipts()
    net.enrol([PERSON], "2026-01-01", "2026-12-31")
    times = sorted(opened_ms(net, f"stay-{i}") for i in range(DISCHARGES))
    print(json.dumps({"discharges": DISCHARGES, "opened_p50_ms": times[DISCHARGES // 2 - 1],
                      "opened_max_ms": times[-1]}), flush=True)
    network.check(summary["retried"] == 0, "an idle network must answer at once")


network.main(test)
