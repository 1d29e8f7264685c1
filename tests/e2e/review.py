"""A claim in review: an adjuster declines, the person asks for a review, two adjusters accept. And a review of what has
counted already can only confirm it."""

import json
import pathlib
import sys

import network

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
import bundles  # noqa: E402  the demonstration's own made-up stays

PERSON = "999999198504040046"
ADJUSTER, REVIEWER, OFFICER = "insurer-a-adjuster", "insurer-a-reviewer", "bureau-officer"


def state(net, claim):
    return net.cli(ADJUSTER, "claim", "show", claim)["state"]


def wait(net, claim, wanted):
    network.wait_for(f"the claim is {wanted}", 30, lambda: state(net, claim) == wanted)


def report(net, number, diagnosis=None):
    file = net.root / f"stay-{number}.json"
    file.write_text(json.dumps(bundles.stay(number, PERSON, [("surgery", 4200.0, "A")], diagnosis=diagnosis)))
    return net.cli("hospital-a-registrar", "discharge", file)["discharges"][0]["claims"][0]["claim"]


def payable(net, claim):
    decisions = net.cli(ADJUSTER, "claim", "explain", claim)["decisions"]
    return [one["payable_fen"] for one in decisions if one["outcome"] == "payable"]


def test(make, _):
    net = make()
    net.start()
    net.cli(OFFICER, "catalog", "publish", ROOT / "examples/catalog/icd10-clinical-to-insurance.json")
    product = net.cli(ADJUSTER, "product", "publish", ROOT / "examples/products/full-indemnity.json")["product"]
    net.cli(ADJUSTER, "policy", "enrol", "--product", product, "--person", PERSON, "--from", "2026-01-01", "--to",
            "2026-12-31")
    claim = report(net, 1, diagnosis=("K80.200", "gallstones"))
    wait(net, claim, "in_review")
    net.cli(ADJUSTER, "claim", "review", claim, "--verdict", "decline", "--reason", "the code is not clear")
    wait(net, claim, "closed")
    network.check(payable(net, claim) == [0], "a declined bill pays nothing")

    refused = net.cli("hospital-a-registrar", "claim", "request-review", claim, fine=(3,))  # it has no attestor
    network.check("attestor" in refused["message"], f"nobody vouches for the person: {refused}")
    net.cli(OFFICER, "claim", "request-review", claim, "--reference", "R-0001")
    network.check(state(net, claim) == "in_review", "a requested review opens the claim again")
    first = net.cli(ADJUSTER, "claim", "review", claim, "--verdict", "accept", "--reason", "the record says which")
    network.check(first["outcome"] == "another_person_must_sign", f"one person is not enough: {first}")
    network.check(state(net, claim) == "in_review", "one signature decided a review")
    proposal = net.root / "proposal.json"
    proposal.write_text(json.dumps(first))
    again = net.cli(ADJUSTER, "claim", "review", claim, "--proposal", proposal)
    network.check(again["outcome"] == "another_person_must_sign", "the same person signed twice")
    second = net.cli(REVIEWER, "claim", "review", claim, "--proposal", proposal)
    network.check(second["outcome"] == "decided", f"two persons decide: {second}")
    wait(net, claim, "closed")
    network.check(payable(net, claim) == [0, 420000], f"the review adds what was declined: {payable(net, claim)}")

    # What has counted in the policy year is not counted twice.
    paid = report(net, 2)
    wait(net, paid, "closed")
    network.check(payable(net, paid) == [420000], "the second bill is paid by itself")
    net.cli(OFFICER, "claim", "request-review", paid)
    refused = net.cli(ADJUSTER, "claim", "review", paid, "--verdict", "accept", "--reason", "again", fine=(1, 2))
    network.check("counted" in refused["message"], f"a bill would count twice: {refused}")
    first = net.cli(ADJUSTER, "claim", "review", paid, "--verdict", "decline", "--reason", "confirmed")
    proposal.write_text(json.dumps(first))
    net.cli(REVIEWER, "claim", "review", paid, "--proposal", proposal)
    wait(net, paid, "closed")
    network.check(payable(net, paid) == [420000, 0], "a confirmed decision adds nothing")
    for one in (claim, paid):
        network.check(net.cli("insurer-a-compliance", "audit", "payout", one, "--open")["holds"],
                      "the payouts of both decisions recompute")
    net.equal_roots()
    print("declined, reviewed by two persons, paid once; a counted bill is only confirmed")


network.main(test)
