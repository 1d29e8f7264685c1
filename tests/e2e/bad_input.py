"""Discharges that nobody can read: a clear error each, and the state root does not move. A node whose
configuration names a peer that the genesis does not know does not start, and says where to look."""

import json
import pathlib

import network


def bundle():
    """A well-formed discharge, to be broken in one way at a time."""
    reference = {"reference": "urn:uuid:p"}
    return {
        "resourceType": "Bundle", "type": "collection",
        "entry": [
            {"fullUrl": "urn:uuid:p", "resource": {
                "resourceType": "Patient", "id": "p", "identifier": [
                    {"system": "urn:oid:2.16.156.10011.1.3", "value": "999999198001010018"}]}},
            {"fullUrl": "urn:uuid:e", "resource": {
                "resourceType": "Encounter", "id": "e", "status": "finished",
                "class": {"code": "IMP"}, "subject": reference,
                "identifier": [{"value": "stay-1"}],
                "period": {"start": "2026-03-01T08:00:00+08:00",
                           "end": "2026-03-05T10:00:00+08:00"}}},
            {"fullUrl": "urn:uuid:c", "resource": {
                "resourceType": "Claim", "id": "c", "status": "active", "use": "claim",
                "type": {"coding": [{"code": "institutional"}]}, "patient": reference,
                "total": {"value": 100.00, "currency": "CNY"},
                "item": [{"sequence": 1, "encounter": [{"reference": "urn:uuid:e"}],
                          "productOrService": {"text": "bed"},
                          "net": {"value": 100.00, "currency": "CNY"}}]}}]}


def broken(change):
    out = bundle()
    change(*[entry["resource"] for entry in out["entry"]])
    return json.dumps(out).encode()


def cases():
    whole = json.dumps(bundle()).encode()
    nonsense = (b"\x00\xff{[nonsense " * (50 * 1024 * 1024 // 13 + 1))[:50 * 1024 * 1024]
    return {
        "truncated": (whole[:len(whole) // 2], "bad_json"),
        "empty": (b"", "bad_json"),
        "wrong type": (broken(lambda p, e, c: c.update(item="twelve")), "fhir_invalid"),
        "amount as text": (broken(lambda p, e, c: c["total"].update(value="100.00")),
                           "fhir_invalid"),
        "negative amount": (broken(lambda p, e, c: c["total"].update(value=-100.00)),
                            "bad_amount"),
        "negative item": (broken(lambda p, e, c: c["item"][0]["net"].update(value=-1)),
                          "bad_amount"),
        "no resource": (json.dumps({"resourceType": "Observation"}).encode(), "fhir_invalid"),
        "nobody": (broken(lambda p, e, c: p.update(identifier=[])), "fhir_no_person"),
        "no stay": (broken(lambda p, e, c: e["class"].update(code="AMB")), "fhir_no_encounter"),
        "50 MB of nonsense": (nonsense, "limit_exceeded"),
    }


def refuse_unknown_peer(net):
    config = net.directory / "nodes" / "hospital-a" / "node.toml"
    good = config.read_text()
    config.write_text(good + '\n[peer_addresses]\n"' + "01" + "ab" * 32 + '" = "127.0.0.1:7100"\n')
    done = net.run(net.programs.node, "--config", config, fine=None)
    network.check(done.returncode != 0 and "config_invalid" in done.stderr and "peer_addresses" in done.stderr,
                  f"a peer that no genesis knows: {done.returncode} {done.stderr}")
    config.write_text(good)


def test(make, options):
    net = make()
    refuse_unknown_peer(net)
    net.start()
    before = net.equal_roots()
    file = pathlib.Path(net.root) / "bundle.json"
    wrong = []
    for name, (content, expected) in cases().items():
        file.write_bytes(content)
        # Over the wire, past the CLI's own reading of the file.
        done = net.run(net.programs.load, "--network", net.directory, "--post", file,
                       "--target", "/v1/discharges", "--profile",
                       net.profile("hospital-a-registrar"))
        answer = json.loads(done.stdout)
        print(f"{name}: HTTP {answer['status']}, {answer['code']}: {answer['message'][:100]}",
              flush=True)
        if answer["code"] != expected or not 400 <= answer["status"] < 500:
            wrong.append(f"{name}: {answer}, expected {expected}")
        if not answer["message"]:
            wrong.append(f"{name}: no sentence")
    network.check(not wrong, "; ".join(wrong))
    after = net.equal_roots()
    network.check(after[1] == before[1], f"the state moved: {before} {after}")
    file.write_bytes(json.dumps(bundle()).encode())
    good = net.cli("hospital-a-registrar", "discharge", file)
    network.check(good["discharges"][0]["outcome"] == "unfiled", f"the well-formed one: {good}")
    network.check(net.equal_roots()[1] != before[1], "a real report must move the state")


network.main(test)
