"""What a product pays for FHIR bills, computed a second time: from the JSON alone and the sentences of
docs/fhir-profile.md and docs/products/README.md, in Python's own decimals. Nothing of the product under test is used.

For products like examples/products/full-indemnity.json: one liability on the whole bill, no deductible, everything
up to limits; any other is refused here.
"""

import decimal
import json
import pathlib

import network

EXTENSION = "https://baolian.example/fhir/StructureDefinition/"
INVOICE = "https://baolian.example/fhir/NamingSystem/invoice-"
PUBLIC_PARTS = ("basic-pool", "serious-illness", "aid")
NOTHING = decimal.Decimal(0)
PRODUCT = pathlib.Path(__file__).resolve().parents[2] / "examples" / "products" / "full-indemnity.json"


def read(path):
    """A JSON file with exact numbers."""
    return json.loads(pathlib.Path(path).read_text(encoding="utf-8"), parse_float=decimal.Decimal,
                      parse_int=decimal.Decimal)


def example_product():
    """The product's file; its amounts are texts."""
    return json.loads(PRODUCT.read_text(encoding="utf-8"))


def minor(amount):
    """Minor units of an amount with two digits."""
    scaled = amount * 100
    network.check(scaled == scaled.to_integral_value(), f"{amount} has more than two digits")
    return int(scaled)


# Bills ---------------------------------------------------------------------------------------------------------------


def resources(bundle, kind):
    return [(entry.get("fullUrl"), entry["resource"]) for entry in bundle["entry"]
            if entry["resource"]["resourceType"] == kind]


def names(reference, url, resource):
    wanted = reference.get("reference")
    return wanted is not None and wanted in (url, f"{resource['resourceType']}/{resource.get('id')}")


def is_invoice(claim):
    kinds = [coding.get("code") for coding in claim["type"]["coding"]]
    return claim["status"] == "active" and claim["use"] == "claim" and "institutional" in kinds


def identifier(resource, system):
    return next((i["value"] for i in resource.get("identifier", []) if i.get("system") == system), "")


def public_payers(claim):
    """Basic pool, serious illness and aid: what of the invoice others have paid."""
    total = NOTHING
    for extension in claim.get("extension", []):
        if extension["url"] != EXTENSION + "invoice-payment":
            continue
        total += sum(part["valueMoney"]["value"] for part in extension["extension"] if part["url"] in PUBLIC_PARTS)
    return total


def invoice_of(claim, add_base_cost):
    items = []
    for item in claim["item"]:
        coding = next((c for c in item["productOrService"].get("coding", []) if c.get("code")), {})
        items.append((coding.get("system", ""), coding.get("code", ""), item.get("net", {}).get("value")))
    total = claim["total"]["value"]
    listed = sum((amount for _, _, amount in items if amount is not None), NOTHING)
    if add_base_cost and listed < total:
        items.append(("", "BASE-COST", total - listed))
        listed = total
    number = identifier(claim, INVOICE + "number")
    key = (identifier(claim, INVOICE + "code"), number) if number else ("", claim["id"])
    return {"key": key, "items": items, "adds_up": listed == total, "remains": total - public_payers(claim)}


def bills_of(bundle, add_base_cost=False):
    """The inpatient stays of a bundle with their invoices, in the order of the bundle."""
    out = []
    for url, encounter in resources(bundle, "Encounter"):
        if encounter["status"] != "finished" or encounter["class"]["code"] != "IMP":
            continue
        invoices = [invoice_of(claim, add_base_cost) for _, claim in resources(bundle, "Claim") if is_invoice(claim)
                    and any(names(ref, url, encounter) for item in claim["item"] for ref in item.get("encounter", []))]
        own = [i["value"] for i in encounter.get("identifier", []) if i.get("value")]
        out.append({"encounter": own[0] if own else encounter["id"], "discharged": encounter["period"]["end"][:10],
                    "invoices": sorted(invoices, key=lambda invoice: invoice["key"])})
    return out


# Payouts -------------------------------------------------------------------------------------------------------------


class Terms:
    """A product's file, if it is one that this page can compute."""

    def __init__(self, product):
        network.check(len(product["liabilities"]) == 1 and len(product["groups"]) == 1, "one liability was expected")
        self.liability = product["liabilities"][0]
        group = product["groups"][0]
        plain = (self.liability["base"] == "whole_bill" and not self.liability["covered"] and
                 decimal.Decimal(group["amount"]) == 0 and group["scope"] == "policy_year" and
                 [(decimal.Decimal(t["above"]), decimal.Decimal(t["ratio"])) for t in group["tiers"]] == [(0, 1)])
        network.check(plain, "only what pays everything up to its limits is computed here")
        self.limit = min(decimal.Decimal(product["total_limit"]), decimal.Decimal(self.liability["limit"]))

    def covers(self, system, code):
        for rule in self.liability["not_covered"]:
            if rule["system"] in ("", system) and rule["first"] <= code and code[:len(rule["last"])] <= rule["last"]:
                return False
        return True


class Books:
    """All policies and invoices of a network, as they go on from decision to decision."""

    def __init__(self):
        self.expense = {}  # policy -> eligible expense of its year
        self.paid = {}     # policy -> paid under it
        self.remains = {}  # invoice -> what nobody has paid yet

    def decide(self, terms, policy, bill):
        """What is payable for this bill under this policy, after everything that was decided before."""
        payable = NOTHING
        for invoice in bill["invoices"]:
            network.check(invoice["adds_up"], f"the invoice of stay {bill['encounter']} does not add up")
            eligible = sum((amount for system, code, amount in invoice["items"]
                            if amount is not None and terms.covers(system, code)), NOTHING)
            key = (bill["encounter"], invoice["key"])
            remains = self.remains.setdefault(key, invoice["remains"])
            before = self.expense.get(policy, NOTHING)
            after = before + min(eligible, remains)
            by_year = min(after, terms.limit) - min(before, terms.limit)
            amount = min(by_year, remains, terms.limit - self.paid.get(policy, NOTHING))
            self.expense[policy] = after
            self.paid[policy] = self.paid.get(policy, NOTHING) + amount
            self.remains[key] = remains - amount
            payable += amount
        return payable


# What the network says -----------------------------------------------------------------------------------------------


def payable_decisions(net, claims):
    """(height, leaf, claim, insurer's node, payable in minor units) of all claims' payable decisions, in the order in
    which they were committed. `claims` is {claim: node of its insurer}."""
    out = []
    for claim, node in claims.items():
        entries = net.cli(f"{node}-adjuster", "claim", "timeline", claim)["entries"]
        decided = [e for e in entries if "claim_decided" in e["event"].split(", ")]
        decisions = net.cli(f"{node}-adjuster", "claim", "explain", claim)["decisions"]
        network.check(len(decided) == len(decisions),
                      f"{len(decisions)} decisions, {len(decided)} in the log: {entries}")
        out += [(entry["height"], entry["leaf"], claim, node, decision["payable_fen"])
                for entry, decision in zip(decided, decisions) if decision["outcome"] == "payable"]
    return sorted(out)


def wait_all(net, profile, count, state, seconds):
    """All claims of the insurer, once there are `count` and each is in this state."""
    last = []

    def there():
        last[:] = net.cli(profile, "claim", "list")["claims"]
        return len(last) == count and all(claim["state"] == state for claim in last)

    try:
        network.wait_for(f"{count} claims are {state}", seconds, there, every=0.3)
    except network.Failed as failed:
        states = sorted(claim["state"] for claim in last)
        raise network.Failed(f"{failed}: {states}") from None
    return list(last)
