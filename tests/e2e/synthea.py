"""The eight Synthea bundles go through a running network of currency USD whose bureau attests
policies of those years: twelve claims filed and opened."""

import json
import pathlib

import network

# Persons are what docs/fhir-profile.md picks: the first identifier with a system of the genesis.
CLAIMS = 12


def person_of(bundle, systems):
    for entry in bundle["entry"]:
        resource = entry.get("resource", {})
        if resource.get("resourceType") != "Patient":
            continue
        for identifier in resource["identifier"]:
            if identifier.get("system") in systems and identifier.get("value"):
                return identifier["value"]
    raise network.Failed("a bundle without a usable person")


def test(make, options):
    files = sorted(pathlib.Path(options.data).glob("fhir-synthea/*.json")) if options.data else []
    if not files:
        print("SKIPPED: the shared data folder has no fhir-synthea bundles here")
        return network.SKIPPED
    net = make(currency="USD")
    net.start()
    systems = json.loads(net.genesis.read_text())["person_id_systems"]
    persons = [person_of(json.loads(file.read_text()), systems) for file in files]
    net.enrol(persons, "1980-01-01", "2030-12-31")
    filed = 0
    for file in files:
        answer = net.cli("hospital-a-registrar", "discharge", file)
        for stay in answer["discharges"]:
            network.check(stay["outcome"] == "filed", f"{file.name}: {stay['outcome']} "
                                                      f"{stay['code']}")
            mismatch = [p for p in stay["problems"] if p.startswith("items_total_mismatch")]
            network.check(mismatch == ["items_total_mismatch 7500"],
                          f"{file.name}: {stay['problems']}")
            filed += len(stay["claims"])
    network.check(filed == CLAIMS, f"{filed} claims filed, {CLAIMS} expected")

    def opened():
        claims = net.cli("insurer-a-adjuster", "claim", "list")["claims"]
        return [c for c in claims if c["state"] == "opened"]

    claims = network.wait_for("all claims are opened", 90,
                              lambda: c if len(c := opened()) == CLAIMS else None)
    for claim in claims:
        net.cli("insurer-a-adjuster", "record", "read", claim["record"], "--purpose", "HPAYMT")
    net.equal_roots()
    print(f"{len(files)} bundles, {filed} claims filed, {len(claims)} opened")


network.main(test)
