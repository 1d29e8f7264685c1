"""Request ids used twice: one operation, one opening; and the form behind a consent's commitment."""

import hashlib
import json
import pathlib
import secrets

import network

PERSON = "999999198001010018"


def post(net, profile, target, body):
    file = pathlib.Path(net.root) / "body.json"
    file.write_text(json.dumps(body), encoding="utf-8")
    done = net.run(net.programs.load, "--network", net.directory, "--post", file, "--target", target,
                   "--profile", net.profile(profile))
    answer = json.loads(done.stdout)
    return answer["status"], json.loads(answer["body"]) if answer.get("body") else answer


def put(net, text):
    file = pathlib.Path(net.root) / "record.txt"
    file.write_text(text, encoding="utf-8")
    return net.cli("hospital-a-doctor", "record", "put", "--person", PERSON, file)["record"]


def readings_are_opened_once(net):
    first, second = put(net, "one"), put(net, "two")
    request = secrets.token_hex(16)
    body = {"purpose": "TREAT", "request_id": request, "registration": "R-1"}
    status, answer = post(net, "hospital-a-doctor", f"/v1/records/{first}/read", body)
    network.check(status == 200 and "content_base64" in answer, f"the first reading: {answer}")
    for record in (first, second):
        status, again = post(net, "hospital-a-doctor", f"/v1/records/{record}/read", body)
        network.check(status == 200 and again.get("repeated") is True, f"asked again: {again}")
        network.check("content_base64" not in again, "opened a second time without an entry")
        network.check(again["record"] == first, f"the answer is of another reading: {again}")
        network.check(again["tx_id"] == answer["tx_id"], "another operation")
    for record, entries in ((first, 1), (second, 0)):
        log = net.cli("hospital-a-compliance", "record", "log", record)
        reads = [e for e in log["entries"] if e["operation"] == "records.read"]
        network.check(len(reads) == entries, f"{entries} readings expected: {log}")
    body["purpose"] = "HPAYMT"
    status, other = post(net, "hospital-a-doctor", "/v1/records",
                         {"request_id": request, "person": {"value": PERSON}, "content_base64": ""})
    network.check(status == 409 and other["code"] == "already_exists", f"another kind: {status} {other}")


def forms_open_their_commitment(net):
    grantee = net.institution("insurer-a")
    body = {"person": {"value": PERSON}, "grantee": grantee, "purposes": ["HPAYMT"], "classes": ["bill"],
            "form": "纸质-2026-001", "request_id": secrets.token_hex(16)}
    status, given = post(net, "bureau-officer", "/v1/consents", body)
    network.check(status == 200, f"consent: {given}")
    status, again = post(net, "bureau-officer", "/v1/consents", body)
    network.check(again["consent"] == given["consent"] and again["repeated"], f"given twice: {again}")
    form = net.cli("bureau-officer", "consent", "form", given["consent"])
    network.check(form["person"] == PERSON and form["form"] == "纸质-2026-001", f"form: {form}")
    canonical = bytes.fromhex(form["canonical"])
    commitment = hashlib.sha256(b"salted" + bytes.fromhex(form["salt"]) + canonical).hexdigest()
    network.check(commitment == form["commitment"], "the form does not open its commitment")
    network.check(PERSON.encode() in canonical, "the form names nobody")
    return body


def test(make, options):
    net = make()
    net.start()
    readings_are_opened_once(net)
    given = forms_open_their_commitment(net)
    # Still so after a restart: request ids are found in the outbox, their operations on the chain.
    net.stop()
    net.start()
    status, again = post(net, "bureau-officer", "/v1/consents", given)
    network.check(status == 200 and again["repeated"], f"after a restart: {status} {again}")
    net.equal_roots()


network.main(test)
