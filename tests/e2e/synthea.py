"""The eight Synthea bundles, twelve discharges, go through networks of currency USD by themselves. As they are, every
claim waits for a paper: the bills lack 75.00 of their totals. With --base-cost-item every claim is decided, paid and
closed, for what payouts.py computes from the bundles alone."""

import json
import pathlib

import network
import payouts

# Persons are what docs/fhir-profile.md picks: the first identifier with a system of the genesis.
CLAIMS = 12
SHORT = 7500
COVER = ("1980-01-01", "2030-12-31")
LIMIT = "150000.00"  # above every bill but one, of 172,558.29
LIMIT_OF_SEVERAL = "350.00"  # of the person with five bills of 75.00: the last committed gets what is left
NOT_COVERED = {"system": "http://snomed.info/sct", "first": "65546002", "last": "65546002"}  # the bulk of one bill


def person_of(bundle, systems):
    for _, patient in payouts.resources(bundle, "Patient"):
        for identifier in patient["identifier"]:
            if identifier.get("system") in systems and identifier.get("value"):
                return identifier["value"]
    raise network.Failed("a bundle without a usable person")


def product_of(limit):
    """The example product in dollars, for the years of the bundles; each value keeps its provenance."""
    product = payouts.example_product()
    product.update({"currency": "USD", "minor_digits": 2, "from": COVER[0], "to": COVER[1], "total_limit": limit})
    product["liabilities"][0]["limit"] = limit
    product["liabilities"][0]["not_covered"].append(NOT_COVERED)
    return product


class Bundles:
    def __init__(self, files):
        self.files = files
        self.read = [payouts.read(file) for file in files]

    def several(self, index):
        return len(payouts.bills_of(self.read[index])) > 1


def enrol_all(net, bundles):
    """{policy: the terms of its product}."""
    systems = json.loads(net.genesis.read_text())["person_id_systems"]
    terms = {}
    for limit, several in ((LIMIT, False), (LIMIT_OF_SEVERAL, True)):
        product = product_of(limit)
        persons = [person_of(b, systems) for i, b in enumerate(bundles.read) if bundles.several(i) == several]
        for policy in net.enrol(persons, *COVER, product=net.publish(product)):
            terms[policy] = payouts.Terms(product)
    return terms


def report_all(net, bundles, problem, *options):
    """{claim: encounter number} of all discharges."""
    claims = {}
    for file in bundles.files:
        for stay in net.cli("hospital-a-registrar", "discharge", file, *options)["discharges"]:
            network.check(stay["outcome"] == "filed" and len(stay["claims"]) == 1, f"{file.name}: {stay}")
            network.check(stay["problems"] == [f"{problem} {SHORT}"], f"{file.name}: {stay['problems']}")
            claims[stay["claims"][0]["claim"]] = stay["encounter"]
    network.check(len(claims) == CLAIMS, f"{len(claims)} claims filed, {CLAIMS} expected")
    return claims


def needs_paper(net, bundles):
    enrol_all(net, bundles)
    claims = report_all(net, bundles, "items_total_mismatch")
    payouts.wait_all(net, "insurer-a-adjuster", CLAIMS, "waiting_paper", 90)
    for claim in claims:
        decisions = net.cli("insurer-a-adjuster", "claim", "explain", claim)["decisions"]
        codes = {reason["code"] for reason in decisions[-1]["reasons"]}
        network.check(len(decisions) == 1 and decisions[0]["outcome"] == "needs_paper" and
                      "items_total_mismatch" in codes, f"needs_paper was expected: {decisions}")
        network.check(codes <= {"items_total_mismatch", "item_without_amount"}, f"other reasons: {codes}")
    network.check(not net.cli("insurer-a-adjuster", "payment", "list")["payments"], "something was paid")
    net.equal_roots()
    print(f"{len(bundles.files)} bundles, {len(claims)} claims wait for a paper: items_total_mismatch", flush=True)


def paid(net, bundles):
    terms = enrol_all(net, bundles)
    encounters = report_all(net, bundles, "base_cost_item_added", "--base-cost-item")
    listed = payouts.wait_all(net, "insurer-a-adjuster", CLAIMS, "closed", 90)
    policies = {claim["claim"]: claim["policy"] for claim in listed}
    bills = {bill["encounter"]: bill for bundle in bundles.read
             for bill in payouts.bills_of(bundle, add_base_cost=True)}
    books = payouts.Books()
    decisions = payouts.payable_decisions(net, {claim: "insurer-a" for claim in encounters})
    network.check(len(decisions) == CLAIMS, f"{len(decisions)} payable decisions")
    amounts = []
    for _, _, claim, _, payable in decisions:
        policy = policies[claim]
        expected = payouts.minor(books.decide(terms[policy], policy, bills[encounters[claim]]))
        network.check(payable == expected, f"stay {encounters[claim]}: decided {payable}, computed {expected}")
        amounts.append((claim, payable))
    payments = net.cli("insurer-a-adjuster", "payment", "list")["payments"]
    network.check(sorted((p["claim"], p["amount_fen"]) for p in payments if p["state"] == "posted") == sorted(amounts),
                  f"every decision is paid once: {payments}")
    for policy in terms:
        shown = net.cli("insurer-a-adjuster", "policy", "show", policy)["paid_fen"]
        computed = payouts.minor(books.paid[policy])
        network.check(shown == computed, f"a policy shows {shown} paid, computed {computed}")
    net.equal_roots()
    print(f"{len(amounts)} claims paid and closed with --base-cost-item, in the order of their decisions: "
          f"{[f'{amount / 100:,.2f}' for _, amount in amounts]} USD", flush=True)


def test(make, options):
    files = sorted(pathlib.Path(options.data).glob("fhir-synthea/*.json")) if options.data else []
    if not files:
        print("SKIPPED: the shared data folder has no fhir-synthea bundles here")
        return network.SKIPPED
    bundles = Bundles(files)
    for step in (needs_paper, paid):
        net = make(currency="USD")
        net.start()
        step(net, bundles)
        net.stop()


network.main(test)
