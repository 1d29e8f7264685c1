"""Chapters of the demonstration from the opened bill to the payment: deductible and tiers over a year, a limit, a
missing paper, an ambiguous diagnosis, a refused payment. Amounts are those worked by hand in docs/products."""
import json
import pathlib
import time

import bundles

ROOT = pathlib.Path(__file__).resolve().parents[2]
PRODUCTS = ROOT / "examples" / "products"
CATALOG = ROOT / "examples" / "catalog" / "icd10-clinical-to-insurance.json"
WORDS = {"filed": "自动报案 claim filed", "granted": "授权 request granted", "released": "放行 key released",
         "opened": "账单已收到 payload received", "record_read": "调阅 bill read", "claim_decided": "理赔决定 decided",
         "claim_paid": "赔款支付 paid", "claim_explained": "已作说明 explained",
         "claim_supplemented": "补充材料 paper brought"}


class Payments:
    """What the story needs beyond filing: `network`, `tell`, `chapter`, `expect` come from it."""

    def __init__(self, story, expect):
        self.story = story
        self.network = story.network
        self.expect = expect
        self.number = 0

    # ------------------------------------------------------------ steps

    def publish(self, file):
        return self.network.ask("insurer-a-adjuster", "product", "publish", str(PRODUCTS / file))["product"]

    def publish_map(self):
        return self.network.ask("bureau-officer", "catalog", "publish", str(CATALOG))["catalog"]

    def enrol(self, person, product):
        answer = self.network.ask("insurer-a-adjuster", "policy", "enrol", "--product", product, "--person", person,
                                  "--from", "2026-01-01", "--to", "2026-12-31")
        return answer["policies"][0]

    def report(self, name, bundle, hospital="hospital-a"):
        self.number += 1
        path = self.network.directory / f"{name}-{self.number}.json"
        path.write_text(json.dumps(bundle, ensure_ascii=False), encoding="utf-8")
        report = self.story.discharge(name, hospital=hospital, path=path)
        self.expect(report["outcome"] == "filed" and len(report["claims"]) == 1, f"{name}: one claim was expected")
        return report

    def state(self, claim):
        return self.network.ask("insurer-a-adjuster", "claim", "show", claim)["state"]

    def wait(self, claim, *states, seconds=30):
        """Waits until the claim is in one of these states; nobody asks anybody to do anything."""
        deadline = time.monotonic() + seconds
        while True:
            state = self.state(claim)
            if state in states:
                return state
            self.expect(time.monotonic() < deadline, f"the claim is {state}, not {' or '.join(states)}, after {seconds} s")
            time.sleep(0.03)

    def timeline(self, claim, started_ms):
        """Each step with the time since the discharge."""
        stages = {}
        for entry in self.network.ask("insurer-a-adjuster", "claim", "timeline", claim)["entries"]:
            events = entry["event"].split(", ")
            name = next((word for word in ("opened", "filed", "claim_decided", "claim_paid") if word in events), events[0])
            stages.setdefault(name, entry["time_ms"] - started_ms)
            self.story.tell(entry["time_ms"] - started_ms,
                            f"{WORDS.get(name, name)}, by {entry['institution_name']} (block {entry['height']})")
        return {{"claim_decided": "decided", "claim_paid": "paid"}.get(name, name): ms for name, ms in stages.items()}

    def decisions(self, claim):
        return self.network.ask("insurer-a-adjuster", "claim", "explain", claim)["decisions"]

    def settled(self, name, report, payable_fen):
        """The claim is closed, and the decision pays what was worked out by hand."""
        claim = report["claims"][0]["claim"]
        self.wait(claim, "closed", "paid")
        self.wait(claim, "closed")
        stages = self.timeline(claim, report["started_ms"])
        stages["reported"] = report["stages_ms"]["certified"]
        paid = [decision for decision in self.decisions(claim) if decision["outcome"] == "payable"]
        self.expect(len(paid) == 1, f"{name}: one payable decision was expected")
        amount = paid[0]["payable_fen"]
        self.story.tell(stages.get("paid"), f"赔付 {amount / 100:,.2f} of {paid[0]['billed_fen'] / 100:,.2f} CNY, "
                                            f"withheld: {paid[0]['withheld']}")
        self.expect(amount == payable_fen, f"{name}: {payable_fen} fen were expected, not {amount}")
        if amount:
            self.expect(paid[0]["payment"]["state"] == "posted", f"{name}: the payment is not settled")
        self.story.discharges.append({"name": name, "outcome": "paid", "payable_fen": amount, "stages_ms": stages})
        return claim

    # ------------------------------------------------------------ chapters

    def published(self, report):
        """The case of chapter 1 goes on by itself."""
        claim = self.settled("published_case", report, 311290)
        answer = self.network.ask("insurer-a-compliance", "audit", "payout", claim, "--open")
        self.expect(answer["holds"], "the payout does not recompute")
        self.story.tell(None, "复算 audit payout --open: every commitment opens, the engine gives the same to the fen")
        self.prove(claim)
        return claim

    def prove(self, claim):
        """The claim's whole story as evidence: each fact says whether it was enforced, agreed or stated."""
        path = self.network.directory / "claim-evidence.json"
        time.sleep(0.3)  # a closing block: the window ends after the last step
        self.network.ask("bureau-auditor", "audit", "log", "--kind", "claim", "--id", claim, "--prove", str(path))
        self.expect(self.story.verify(path), "the evidence of the claim does not verify")
        labels = {}
        for group in json.loads(path.read_text(encoding="utf-8"))["facts"]:
            for fact in group["facts"]:
                labels[fact["label"]] = labels.get(fact["label"], 0) + 1
        self.expect(labels.get("enforced") and labels.get("agreed") and labels.get("stated"), f"labels: {labels}")
        self.story.evidence.append({"path": str(path), "verified": True})
        self.story.tell(None, "evidence of the claim verified offline: " + ", ".join(
            f"{count} facts {label}" for label, count in sorted(labels.items())))

    def deductible(self):
        self.story.chapter("8. 天一甬宁保 2023: two bills of one year; the second continues where the first ended")
        product = self.publish("tyynb-demo-2026.json")
        person = "999999197001010013"
        policy = self.enrol(person, product)
        first = self.report("year_1", bundles.stay(1, person, [("床位费", 2850.0, "A"), ("自费材料", 9150.0, "C")]))
        self.settled("year_1", first, 63000)
        second = self.report("year_2", bundles.stay(2, person, [("床位费", 750.0, "A"), ("自费药品", 9250.0, "C")]),
                             hospital="hospital-b")
        self.settled("year_2", second, 185000)
        shown = self.network.ask("insurer-a-adjuster", "policy", "show", policy)
        self.expect(shown["paid_fen"] == 248000, "the policy's total is not the sum of its payouts")
        self.story.tell(None, f"policy show: paid {shown['paid_fen'] / 100:,.2f} CNY in this year")
        return product

    def limit(self, product):
        self.story.chapter("9. A limit: 10,000.00 a year, of a bill of 10,000.01")
        person = "999999197502020024"
        self.enrol(person, product)
        report = self.report("limit", bundles.stay(3, person, [("手术费", 10000.01, "A")]))
        self.settled("limit", report, 1000000)

    def paper(self, product):
        self.story.chapter("10. 补充材料 The class of an item is unknown: the claim waits for a paper, the hospital brings it")
        person = "999999198003030035"
        self.enrol(person, product)
        report = self.report("paper", bundles.stay(4, person, [("床位费", 850.0, "A"), ("进口耗材", 9150.0, None)]))
        claim = report["claims"][0]["claim"]
        self.wait(claim, "waiting_paper")
        self.story.tell(None, "needs_paper: " + ", ".join(
            reason["code"] for reason in self.decisions(claim)[-1]["reasons"]))
        facts = self.network.directory / "classes.json"
        facts.write_text(json.dumps({"items": [{"item": 1, "class": "C"}], "lines": [], "note": "目录类别：丙类"},
                                    ensure_ascii=False), encoding="utf-8")
        brought = self.network.ask("hospital-a-registrar", "claim", "supplement", claim, "--facts", str(facts))
        self.settled("paper", report, 63000)
        opened = self.network.ask("insurer-a-adjuster", "record", "read", brought["record"], "--purpose", "HPAYMT")
        self.expect(opened["outcome"] == "read", "the insurer's person cannot open the paper that was brought")

    def ambiguous(self, product):
        self.story.chapter("11. 转码歧义 An ambiguous diagnosis is never resolved silently: it stays in review until a person decides")
        person = "999999198504040046"
        self.enrol(person, product)
        report = self.report("ambiguous", bundles.stay(5, person, [("手术费", 4200.0, "A")],
                                                       diagnosis=("K80.200", "胆囊结石")))
        claim = report["claims"][0]["claim"]
        self.wait(claim, "in_review")
        time.sleep(1.0)
        self.expect(self.state(claim) == "in_review", "the claim left review without a person")
        self.network.ask("insurer-a-adjuster", "claim", "review", claim, "--verdict", "accept", "--reason",
                         "已核对病历，两种编码均在保障范围内")
        self.story.tell(None, "人工审核 an adjuster decided and signed with his own key")
        self.settled("ambiguous", report, 420000)

    def refused(self, product):
        self.story.chapter("12. The payment service refuses once: nothing on the chain, asked again, paid once")
        person = "999999199005050057"
        self.enrol(person, product)
        service = self.network.directory / "nodes" / "insurer-a" / "data" / "payment-service"
        (service / "refuse").write_text("收款账户暂不可用\n", encoding="utf-8")
        report = self.report("refused", bundles.stay(6, person, [("手术费", 1200.0, "A")]))
        claim = self.settled("refused", report, 120000)
        payment = [one for one in self.network.ask("insurer-a-adjuster", "payment", "list")["payments"]
                   if one["claim"] == claim][0]
        self.expect(payment["attempts"] >= 2, "the payment was not refused first")
        self.story.tell(None, f"attempts {payment['attempts']}, last refusal: {payment['reason']}, reference {payment['reference']}")

    def notices(self):
        """Each step told the person something, and nothing medical."""
        for node, words in (("hospital-a", "filed"), ("insurer-a", "paid")):
            folder = self.network.directory / "nodes" / node / "data" / "notices"
            texts = [path for path in folder.iterdir() if path.stem.endswith(words)]
            self.expect(texts, f"{node} wrote no notice of {words}")
        self.story.tell(None, "通知 notices lie ready for the persons, without medical content")
