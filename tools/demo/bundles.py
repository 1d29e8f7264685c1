"""FHIR bundles of made-up stays, derived from one of examples/discharges: another person, bill or diagnosis."""
import copy
import json
import pathlib

DISCHARGES = pathlib.Path(__file__).resolve().parents[2] / "examples" / "discharges"
CHINESE_ID = "urn:oid:2.16.156.10011.1.3"
CLASS_URL = "https://baolian.example/fhir/StructureDefinition/catalogue-class"
PAYMENT_URL = "https://baolian.example/fhir/StructureDefinition/invoice-payment"


def resources(bundle, kind):
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def person_of(bundle):
    for patient in resources(bundle, "Patient"):
        for identifier in patient["identifier"]:
            if identifier.get("system") == CHINESE_ID:
                return identifier["value"]
    raise ValueError("the bundle names no person")


def read(example):
    return json.loads((DISCHARGES / f"{example}.json").read_text(encoding="utf-8"))


def item_of(prototype, sequence, name, amount, catalogue_class, code=None):
    out = copy.deepcopy(prototype)
    out["sequence"] = sequence
    out["extension"] = [{"url": CLASS_URL, "valueCode": catalogue_class}] if catalogue_class else []
    if not out["extension"]:
        del out["extension"]
    out["productOrService"]["text"] = name
    if code:
        out["productOrService"]["coding"][0]["code"] = code
    out["net"]["value"] = amount
    return out


def stay(number, person, items, diagnosis=None, example="published_case"):
    """A stay of `person` with a bill of these (name, amount, class or None); all of it paid in cash.

    `number` makes encounter and invoice its own.
    """
    bundle = read(example)
    for patient in resources(bundle, "Patient"):
        for identifier in patient["identifier"]:
            if identifier.get("system") == CHINESE_ID:
                identifier["value"] = person
    for encounter in resources(bundle, "Encounter"):
        encounter["identifier"][0]["value"] = f"ZY-DEMO-{number:05}"
    claim = resources(bundle, "Claim")[0]
    claim["identifier"][1]["value"] = f"{90000000 + number}"
    prototype = claim["item"][0]
    claim["item"] = [item_of(prototype, i + 1, name, amount, kind) for i, (name, amount, kind) in enumerate(items)]
    total = round(sum(amount for _, amount, _ in items), 2)
    claim["total"]["value"] = total
    for extension in claim.get("extension", []):
        if extension["url"] == PAYMENT_URL:
            extension["extension"] = [{"url": "cash", "valueMoney": {"value": total, "currency": "CNY"}}]
    if diagnosis:
        condition = resources(bundle, "Condition")[0]
        condition["code"]["coding"][0].update(code=diagnosis[0], display=diagnosis[1])
        condition["code"]["text"] = diagnosis[1]
    return bundle
