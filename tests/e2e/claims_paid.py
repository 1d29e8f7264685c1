"""Claims go on to their payment while nodes are killed with kill -9 and come back: one, or all of them in one moment, at
every moment, between decision and payment, and between the payment service's file and its answer. At the end every
claim is closed, every decision was paid exactly once and for what payouts.py computes, and no policy's year has
forked."""

import base64
import collections
import json
import os
import pathlib
import random
import sys
import threading
import time

import network
import payouts

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools" / "demo"))
import bundles  # noqa: E402  the demonstration's own made-up stays

SEED = int(os.environ.get("BAOLIAN_SEED", "20261122"))  # of bills, victims and pauses
PERSONS = [f"99999919600101{number:04}" for number in range(1, 13)]
AT_BOTH = 4         # of them, insured at both insurers
STAYS_EACH = 3
MOMENTS = ("late", "refused", "at once", "late", "at once")
LATECOMERS = [f"99999919700101{number:04}" for number in range(1, len(MOMENTS) + 1)]
KILLS_EACH = 3
COVER = ("2026-01-01", "2026-12-31")
HOSPITALS = ("hospital-a", "hospital-b")
INSURERS = ("insurer-a", "insurer-b")


def stay(rng, number, person):
    """A bill of made-up items; some are not covered, some bills were partly paid by basic insurance."""
    items = []
    for _ in range(rng.randint(1, 6)):
        covered = not items or rng.random() < 0.8
        name, most = ("项目", 160_000) if covered else ("一次性材料", 30_000)
        items.append((name, rng.randint(1, most) / 100, "A"))
    bundle = bundles.stay(number, person, items)
    claim = bundles.resources(bundle, "Claim")[0]
    for item, (name, _, _) in zip(claim["item"], items):
        code = "W900123" if name == "一次性材料" else f"C{rng.randint(1, 999):06}"
        item["productOrService"]["coding"][0]["code"] = code
    if rng.random() < 0.4:
        total = claim["total"]["value"]
        pool = round(total * rng.uniform(0.05, 0.6), 2)
        parts = [("basic-pool", pool), ("cash", round(total - pool, 2))]
        claim["extension"] = [{"url": bundles.PAYMENT_URL, "extension": [
            {"url": url, "valueMoney": {"value": value, "currency": "CNY"}} for url, value in parts]}]
    return bundle


class Traffic:
    """Discharges of both hospitals, one after the other; what a killed node left unanswered is sent again."""

    def __init__(self, net):
        self.net = net
        self.bills = {}           # encounter number -> bill
        self.encounters = {}      # payload record -> encounter number
        self.again = 0
        self.already = 0
        self.failure = None

    def send(self, hospital, number, bundle):
        file = self.net.root / f"stay-{number}.json"
        file.write_text(json.dumps(bundle, ensure_ascii=False), encoding="utf-8")
        bill = payouts.bills_of(payouts.read(file))[0]
        self.bills[bill["encounter"]] = bill
        deadline = time.monotonic() + 60
        while True:
            answer = self.net.cli(f"{hospital}-registrar", "discharge", file, fine=None)
            if "discharges" in answer:
                break
            network.check(time.monotonic() < deadline, f"stay {number} could not be reported: {answer}")
            self.again += 1
            time.sleep(0.2)
        report = answer["discharges"][0]
        if report["outcome"] == "filed":
            self.encounters[report["record"]] = bill["encounter"]
            return report
        # The answer to an earlier try was lost with its node, the report was not.
        network.check(report["outcome"] == "rejected" and report["code"] == "encounter_already_reported",
                      f"stay {number}: {report}")
        self.already += 1
        return None

    def run(self, stays, pauses_s):
        try:
            for number, ((hospital, bundle), pause_s) in enumerate(zip(stays, pauses_s), start=1):
                self.send(hospital, number, bundle)
                time.sleep(pause_s)
        except Exception as error:  # pylint: disable=broad-except  raised again by the test's own thread
            self.failure = error


class Killer:
    def __init__(self, net, rng):
        self.net = net
        self.rng = rng
        self.kills = collections.Counter()

    def may_die(self):
        primary = self.net.primary()
        return [name for name in network.NODES if name != primary]

    def kill(self, *names):
        for name in names:
            self.kills[name] += 1
        self.net.kill(*names)

    def strike(self, name):
        """One node, for a moment; sometimes with the observer, who counts for no quorum."""
        if name not in self.may_die():
            return
        names = {name, "bureau"} if self.rng.random() < 0.2 else {name}
        self.kill(*names)
        time.sleep(self.rng.uniform(0, 0.8))
        self.net.start(*names)
        time.sleep(self.rng.uniform(0, 0.8))

    def strike_all(self):
        """Every node in one moment, the primary too; all come back from what was durable."""
        self.kill(*network.NODES)
        self.net.start()
        time.sleep(self.rng.uniform(0, 0.8))


# What is shown at the end --------------------------------------------------------------------------------------------


def service(net, insurer):
    return net.directory / "nodes" / insurer / "data" / "payment-service"


def encounter_of(net, traffic, insurer, claim):
    """Of a report whose answer was lost: the number stands in the bill that the insurer received."""
    known = traffic.encounters.get(claim["record"])
    if known:
        return known
    read = net.cli(f"{insurer}-adjuster", "record", "read", claim["record"], "--purpose", "HPAYMT")
    content = base64.b64decode(read["content_base64"])
    found = [number for number in traffic.bills if number.encode() in content]
    network.check(len(found) == 1, f"the bill of claim {claim['claim']} names {found}")
    return found[0]


def check_amounts(net, traffic, terms, listed):
    """Every decision pays what the product gives for the bills in the order of the decisions; {claim: minor units}."""
    claims = {claim["claim"]: (insurer, claim) for insurer in INSURERS for claim in listed[insurer]}
    decisions = payouts.payable_decisions(net, {claim: insurer for claim, (insurer, _) in claims.items()})
    network.check(sorted(d[2] for d in decisions) == sorted(claims), "each claim has one payable decision")
    books = payouts.Books()
    amounts = {}
    for _, _, claim, insurer, payable in decisions:
        policy = claims[claim][1]["policy"]
        bill = traffic.bills[encounter_of(net, traffic, insurer, claims[claim][1])]
        expected = payouts.minor(books.decide(terms, policy, bill))
        network.check(payable == expected, f"claim {claim}: decided {payable}, computed {expected}")
        amounts[claim] = payable
    return amounts, books, {claim: one["policy"] for claim, (_, one) in claims.items()}


def check_paid_once(net, insurer, amounts):
    """One claims.pay of each decision on the chain, one file in the payment service of each that is not 0."""
    entries = net.cli("bureau-auditor", "audit", "payouts", "--insurer", net.institution(insurer))["entries"]
    settled = {(e["height"], e["leaf"]) for e in entries if e["operation"] == "claims.pay" and
               "rejected" not in e["outcome"]}
    posted = []
    for claim in amounts:
        timeline = net.cli(f"{insurer}-adjuster", "claim", "timeline", claim)["entries"]
        paid = [(e["height"], e["leaf"]) for e in timeline if "claim_paid" in e["event"].split(", ")]
        network.check(len(paid) == 1, f"{insurer} paid claim {claim} {len(paid)} times: {timeline}")
        posted += paid
    network.check(len(settled) == len(entries) and sorted(posted) == sorted(settled),
                  f"{insurer}: {len(settled)} payouts in its list, {len(posted)} in its claims")

    owed = sorted((claim, amount) for claim, amount in amounts.items() if amount)
    payments = net.cli(f"{insurer}-adjuster", "payment", "list")["payments"]
    network.check(all(p["state"] == "posted" for p in payments), f"payments are open: {payments}")
    network.check(sorted((p["claim"], p["amount_fen"]) for p in payments) == owed, f"{insurer} owed other payments")
    files = [json.loads(path.read_text(encoding="utf-8")) for path in service(net, insurer).glob("*.json")]
    in_files = sorted((f["reference"], int(f["instruction"]["amount"])) for f in files)
    network.check(in_files == sorted((p["reference"], p["amount_fen"]) for p in payments),
                  f"{insurer}: {len(files)} payment files, {len(payments)} payments")


def check_policies(net, insurer, policies, amounts, policy_of, books):
    for policy in policies:
        shown = net.cli(f"{insurer}-adjuster", "policy", "show", policy)
        paid = sum(amount for claim, amount in amounts.items() if policy_of[claim] == policy)
        network.check(shown["paid_fen"] == paid == payouts.minor(books.paid.get(policy, payouts.NOTHING)),
                      f"policy {policy} shows {shown['paid_fen']}, {paid} was paid")
        # Accumulators: the year's expense of group 1, and what liability 1 has paid.
        values = {one["id"]: one["amount_fen"] for one in shown["accumulators"]}
        expense = payouts.minor(books.expense.get(policy, payouts.NOTHING))
        network.check(values in ({1: expense, 0x8001: paid}, {} if not paid else None),
                      f"policy {policy} has accumulators {values}; {expense} and {paid} were computed")


# The moments between decision and payment ----------------------------------------------------------------------------


def state_of(net, claim):
    """As the bureau sees it, which is not killed meanwhile; None as long as it has not heard of the claim."""
    return net.cli("bureau-compliance", "claim", "show", claim, fine=None).get("state")


def between(net, traffic, killer, insurer, number, person, how):
    """Kills the insurer's node after a certified decision: before its payment service answered (late), after a refusal
    (refused), and at once."""
    folder = service(net, insurer)

    def made():
        """Payments to this person, who has this one claim."""
        files = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("*.json")]
        return sum(1 for file in files if file["instruction"]["payee"] == person)

    bundle = stay(killer.rng, number, person)
    if how == "late":
        (folder / "delay_ms").write_text("600000", encoding="utf-8")
    if how == "refused":
        (folder / "refuse").write_text("账户暂不可用\n", encoding="utf-8")
    claim = traffic.send(HOSPITALS[0], number, bundle)["claims"][0]["claim"]
    network.wait_for("the claim is decided", 30, lambda: state_of(net, claim) in ("decided", "paid", "closed"), 0.02)
    if how == "late":  # paid, as far as the bank is concerned, and the insurer does not know it
        network.wait_for("the payment is made", 30, lambda: made() == 1, 0.02)
    if how == "refused":
        network.wait_for("the payment is refused", 30, lambda: not (folder / "refuse").exists(), 0.02)
    killer.kill(insurer)
    (folder / "delay_ms").unlink(missing_ok=True)
    if how != "at once":
        network.check(state_of(net, claim) == "decided", f"{how}: a payment stands on the chain")
    net.start(insurer)
    network.wait_for("the claim is closed", 60, lambda: state_of(net, claim) == "closed")
    network.check(made() == 1, f"{how}: paid {made()} times")


def test(make, _):
    rng = random.Random(SEED)
    net = make()
    net.start()
    product = payouts.example_product()
    terms = payouts.Terms(product)
    killer = Killer(net, rng)
    mortal = next(name for name in INSURERS if name in killer.may_die())
    other = next(name for name in INSURERS if name != mortal)
    insured = {mortal: PERSONS + LATECOMERS, other: PERSONS[:AT_BOTH]}
    policies = {name: net.enrol(persons, *COVER, insurer=name, product=net.publish(product, name))
                for name, persons in insured.items()}
    traffic = Traffic(net)
    people = PERSONS * STAYS_EACH
    rng.shuffle(people)
    stays = [(HOSPITALS[number % 2], stay(rng, number, person)) for number, person in enumerate(people, start=1)]
    # About as long as the kills take: each shall meet claims on their way.
    pauses_s = [rng.uniform(0, 1.2) for _ in stays]
    sender = threading.Thread(target=traffic.run, args=(stays, pauses_s))
    began = time.monotonic()
    sender.start()
    strikes = killer.may_die() * KILLS_EACH
    rng.shuffle(strikes)
    during = 0
    for number, name in enumerate(strikes):
        during += sender.is_alive()
        killer.strike(name)
        if number % 4 == 2:
            killer.strike_all()
    sender.join()
    if traffic.failure:
        raise traffic.failure
    print(f"{len(stays)} discharges in {time.monotonic() - began:.0f} s under {during} of {len(strikes)} "
          f"kills, seed {SEED}: {dict(killer.kills)}; {traffic.again} tries got no answer, {traffic.already} of them "
          f"had been reported", flush=True)

    # A late answer or a refusal shall meet the claim that it is for.
    payouts.wait_all(net, f"{mortal}-adjuster", len(stays), "closed", 90)
    network.check(mortal in killer.may_die(), f"{mortal} became the primary")
    for number, (person, how) in enumerate(zip(LATECOMERS, MOMENTS), start=len(stays) + 1):
        between(net, traffic, killer, mortal, number, person, how)
    print(f"{mortal} was killed {len(MOMENTS)} times between decision and payment: {', '.join(MOMENTS)}", flush=True)

    expected = {mortal: len(traffic.bills), other: AT_BOTH * STAYS_EACH}
    listed = {name: payouts.wait_all(net, f"{name}-adjuster", count, "closed", 90) for name, count in expected.items()}
    height, root = net.equal_roots()
    amounts, books, policy_of = check_amounts(net, traffic, terms, listed)
    for name in INSURERS:
        own = {claim["claim"]: amounts[claim["claim"]] for claim in listed[name]}
        check_paid_once(net, name, own)
        check_policies(net, name, policies[name], own, policy_of, books)
        for claim, amount in own.items():
            again = net.cli(f"{name}-compliance", "audit", "payout", claim, "--open")
            network.check(again["holds"] and [d["recomputed_fen"] for d in again["decisions"]] == [amount],
                          f"the payout of claim {claim} does not recompute: {again}")
    net.equal_roots()
    nothing = sum(1 for amount in amounts.values() if not amount)
    print(f"{len(amounts)} claims closed and paid once ({nothing} of them 0.00), {sum(amounts.values()) / 100:,.2f} "
          f"CNY, as computed and recomputed; one state root, height {height}: {root[:16]}", flush=True)


network.main(test)
