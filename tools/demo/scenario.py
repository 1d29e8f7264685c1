#!/usr/bin/env python3
"""The demonstration: starts a network, plays discharges and readings through the command line, checks every outcome.

Only the standard library; everything goes through the product's own programs.
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from payments import Payments

ROOT = pathlib.Path(__file__).resolve().parents[2]
DISCHARGES = ROOT / "examples" / "discharges"
NODES = ["hospital-a", "hospital-b", "insurer-a", "insurer-b", "bureau"]
CHINESE_ID = "urn:oid:2.16.156.10011.1.3"
# 6,588.60 less 3,800.00 and 200.00 of public payers remains of the invoice; the product pays all of it.
NO_CONSENT_FEN = 258860


class Failed(Exception):
    """Something did not hold: the demonstration ends with an error."""


def expect(condition, what):
    if not condition:
        raise Failed(what)


class Network:
    def __init__(self, directory, binaries, consensus="pbft"):
        self.consensus = consensus
        self.directory = pathlib.Path(directory).resolve()
        self.binaries = pathlib.Path(binaries).resolve()
        self.processes = {}

    def pid_file(self):
        return self.directory / "pids"

    def init(self):
        stop_recorded(self.directory)
        if self.directory.exists():
            shutil.rmtree(self.directory)
        self.run(["network", "init", str(self.directory), "--fast-keystores", "--consensus", self.consensus])

    def start(self):
        for node in NODES:
            with open(self.directory / f"{node}.log", "wb") as log:
                self.processes[node] = subprocess.Popen(
                    [str(self.binaries / "baoliand"), "--config", str(self.directory / "nodes" / node / "node.toml")],
                    stdout=log, stderr=log, start_new_session=True)
        self.pid_file().write_text("".join(f"{p.pid}\n" for p in self.processes.values()))
        deadline = time.monotonic() + 30
        for node in NODES:
            while True:
                status = self.ask(f"{node}-compliance", "node", "status", check=False)
                if status and all(peer["connected"] for peer in status.get("peers", [{"connected": False}])):
                    break
                expect(self.processes[node].poll() is None, f"{node} ended; see {node}.log")
                expect(time.monotonic() < deadline, f"{node} is not ready after 30 s; see {node}.log")
                time.sleep(0.1)

    def stop(self):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=20)
        self.pid_file().unlink(missing_ok=True)

    def run(self, arguments, check=True):
        result = subprocess.run([str(self.binaries / "baolian"), "--json", *arguments], capture_output=True, text=True)
        denied = result.returncode == 3 and '"outcome": "denied"' in result.stdout  # an answer, not an error
        if check and result.returncode != 0 and not denied:
            raise Failed(f"baolian {' '.join(arguments[:4])} ...: {result.stdout}{result.stderr}".strip())
        return result

    def ask(self, profile, *arguments, check=True):
        """One command as this person; its JSON answer, or None if it failed and check is off."""
        result = self.run(["--profile", str(self.directory / "profiles" / f"{profile}.json"), *arguments], check)
        return json.loads(result.stdout) if result.returncode in (0, 3) and result.stdout else None

    def institution(self, node):
        return json.loads((self.directory / "profiles" / f"{node}-compliance.json").read_text())["institution"]


def stop_recorded(directory):
    """Stops the processes of an earlier run that was left running."""
    pids = pathlib.Path(directory) / "pids"
    if not pids.exists():
        return 0
    stopped = 0
    for line in pids.read_text().split():
        try:
            if b"baoliand" in pathlib.Path(f"/proc/{line}/cmdline").read_bytes():
                os.kill(int(line), signal.SIGTERM)
                stopped += 1
        except (OSError, ValueError):
            continue
    pids.unlink()
    deadline = time.monotonic() + 15
    while stopped and time.monotonic() < deadline:
        if subprocess.run(["pgrep", "-f", f"baoliand --config {pathlib.Path(directory).resolve()}"],
                          capture_output=True).returncode != 0:
            break
        time.sleep(0.1)
    return stopped


def person_of(example):
    bundle = json.loads((DISCHARGES / f"{example}.json").read_text(encoding="utf-8"))
    for entry in bundle["entry"]:
        if entry["resource"]["resourceType"] == "Patient":
            for identifier in entry["resource"]["identifier"]:
                if identifier.get("system") == CHINESE_ID:
                    return identifier["value"]
    raise Failed(f"{example}.json names no person")


class Story:
    def __init__(self, network):
        self.network = network
        self.discharges = []
        self.reports = []
        self.readings = []
        self.evidence = []
        self.product = None
        self.payments = Payments(self, expect)

    def tell(self, ms, text):
        print(f"  {ms:>6} ms  {text}" if ms is not None else f"             {text}", flush=True)

    def chapter(self, text):
        print(f"\n{text}", flush=True)

    # ------------------------------------------------------------ steps

    def enrol(self, example, attested=True, first_day="2026-01-01"):
        arguments = ["policy", "enrol", "--product", self.product, "--person", person_of(example),
                     "--from", first_day, "--to", "2026-12-31"]
        return self.network.ask("insurer-a-adjuster", *arguments, *([] if attested else ["--no-attest"]))

    def discharge(self, example, hospital="hospital-a", path=None):
        answer = self.network.ask(f"{hospital}-registrar", "discharge", str(path or DISCHARGES / f"{example}.json"))
        expect(len(answer["discharges"]) == 1, f"{example}: one discharge was expected")
        result = answer["discharges"][0]
        self.reports.append(result)
        self.tell(result["stages_ms"]["certified"],
                  f"出院 discharge reported and certified at height {result['height']}: {result['outcome']}")
        return result

    def nothing_public(self, report, example):
        """The certified report names no person, insurer or record list in clear."""
        path = self.network.directory / f"report-{example}.json"
        self.network.ask("bureau-auditor", "audit", "operation", "--height", str(report["height"]), "--leaf",
                         str(report["leaf"]), "--prove", str(path))
        evidence = path.read_text(encoding="utf-8")
        for insurer in ("insurer-a", "insurer-b"):
            expect(self.network.institution(insurer) not in evidence, "an insurer stands in the report")
        expect(person_of(example) not in evidence, "the person stands in the report")
        expect(self.verify(path), "the evidence of the report does not verify")

    def verify(self, path):
        result = self.network.run(["verify", str(path), "--genesis", str(self.network.directory / "genesis.json")],
                                  check=False)
        return result.returncode == 0

    def no_claims_for(self, record):
        claims = self.network.ask("hospital-a-registrar", "claim", "list")["claims"]
        expect(all(claim["record"] != record for claim in claims), "a claim was filed")
        log = self.network.ask("hospital-a-compliance", "audit", "reads", "--record", record)
        expect(log["count"] == 0, "the sealed bill was read")

    def read(self, name, profile, record, purpose, wanted, request):
        arguments = ["record", "read", record, "--purpose", purpose] + (["--request"] if request else [])
        answer = self.network.ask(profile, *arguments)
        outcome = answer["outcome"]
        code = f" ({answer['code']})" if outcome == "denied" else ""
        self.tell(answer["certified_ms"], f"{name}: {outcome}{code}, recorded at height {answer['height']}")
        expect(outcome == wanted, f"{name}: {wanted} was expected")
        self.readings.append({"name": name, "outcome": outcome})
        return answer

    # ------------------------------------------------------------ chapters

    def zero_touch(self):
        self.chapter("1. 零感知理赔 A discharge files a claim by itself (illustrative full-indemnity case, 3,255.00 CNY)")
        self.enrol("published_case")
        report = self.discharge("published_case")
        expect(report["outcome"] == "filed" and len(report["claims"]) == 1, "one claim was expected")
        self.payments.published(report)
        return report

    def not_insured(self):
        self.chapter("2. Not insured: no pseudonym, no record list, no insurer on the chain")
        report = self.discharge("not_insured")
        expect(report["outcome"] == "unfiled" and not report["claims"], "nothing was to be filed")
        self.nothing_public(report, "not_insured")
        self.tell(None, "the certified report names neither person, insurer nor records: checked in its evidence")
        self.discharges.append({"name": "not_insured", "outcome": "not_insured",
                                "stages_ms": {"reported": report["stages_ms"]["certified"]}})

    def no_consent(self):
        self.chapter("3. Insured, but the consent was revoked: nothing filed, the person is invited, consents, then it goes on")
        enrolled = self.enrol("no_consent")
        self.network.ask("bureau-officer", "consent", "revoke", enrolled["consents"][0])
        report = self.discharge("no_consent")
        expect(report["outcome"] == "invited" and not report["claims"], "nothing was to be filed")
        self.nothing_public(report, "no_consent")
        notices = self.network.directory / "nodes" / "hospital-a" / "data" / "notices"
        deadline = time.monotonic() + 10
        while not any(path.name.endswith("-invited.txt") for path in notices.iterdir()):
            expect(time.monotonic() < deadline, "no invitation was written")
            time.sleep(0.05)
        self.tell(None, "邀请 an invitation without medical content is written for the person")
        self.network.ask("bureau-officer", "consent", "give", "--person", person_of("no_consent"), "--grantee",
                         self.network.institution("insurer-a"), "--purpose", "HPAYMT")
        deadline = time.monotonic() + 20
        while True:
            claims = self.network.ask("hospital-a-registrar", "claim", "list")["claims"]
            mine = [claim for claim in claims if claim["record"] == report["record"]]
            if mine:
                break
            expect(time.monotonic() < deadline, "no claim was filed after the consent")
            time.sleep(0.05)
        self.payments.settled("no_consent", {**report, "claims": mine}, NO_CONSENT_FEN)

    def stranger(self):
        self.chapter("4. A stranger whom an insurer enrolled with a consent of its own making: nothing filed, nothing released")
        # Cover that begins today needs no bureau, so the insurer can enrol the stranger alone; the stay is moved to today.
        today = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 8 * 3600))
        bundle = (DISCHARGES / "stranger.json").read_text(encoding="utf-8")
        bundle = re.sub(r'("start": ")2026-03-\d\dT[\d:]+', rf"\g<1>{today}T00:05:00", bundle)
        bundle = re.sub(r"2026-03-\d\d", today, bundle)
        moved = self.network.directory / "stranger-today.json"
        moved.write_text(bundle, encoding="utf-8")
        self.enrol("stranger", attested=False, first_day=today)
        report = self.discharge("stranger", path=moved)
        expect(report["outcome"] == "invited", "the stranger is insured without effective consent")
        expect(not report["claims"], "nothing was to be filed")
        self.nothing_public(report, "stranger")
        self.no_claims_for(report["record"])
        self.tell(None, "no claim, no reading: a consent that only its beneficiary attests has no effect")
        self.discharges.append({"name": "stranger", "outcome": "nothing_filed",
                                "stages_ms": {"reported": report["stages_ms"]["certified"]}})

    def doctors(self):
        self.chapter("5. A doctor of hospital A reads a record of hospital B: without consent, with it, after revocation")
        document = self.network.directory / "summary.txt"
        document.write_text("出院小结：恢复良好，两周后复诊。\n", encoding="utf-8")
        person = person_of("second_hospital")
        put = self.network.ask("hospital-b-registrar", "record", "put", str(document), "--person", person, "--class",
                               "document")
        self.read("doctor without consent", "hospital-a-doctor", put["record"], "TREAT", "denied", True)
        consent = self.network.ask("bureau-officer", "consent", "give", "--person", person, "--grantee",
                                   self.network.institution("hospital-a"), "--purpose", "TREAT")["consent"]
        granted = self.read("doctor with consent", "hospital-a-doctor", put["record"], "TREAT", "granted", True)
        expect("content_base64" in granted, "the document did not arrive")
        self.network.ask("bureau-officer", "consent", "revoke", consent)
        self.read("doctor after revocation", "hospital-a-doctor", put["record"], "TREAT", "denied", True)

    def adjuster(self, record):
        self.chapter("6. The insurer's adjuster opens the received copy twice: two more entries")
        before = self.network.ask("bureau-auditor", "audit", "reads", "--record", record)["count"]
        self.read("adjuster, first opening", "insurer-a-adjuster", record, "HPAYMT", "read", False)
        self.read("adjuster, second opening", "insurer-a-adjuster", record, "HPAYMT", "read", False)
        after = self.network.ask("bureau-auditor", "audit", "reads", "--record", record)["count"]
        expect(after == before + 2, "two more entries were expected")

    def prove(self, record):
        self.chapter("7. The reading log of that record, proved complete and verified offline")
        path = self.network.directory / "evidence.json"
        time.sleep(0.3)  # a closing block: the window ends after the last reading
        answer = self.network.ask("bureau-auditor", "audit", "reads", "--record", record, "--prove", str(path))
        for entry in answer["entries"]:
            self.tell(None, f"entry {entry['index']}: {entry['operation']} {entry['outcome']}, {entry['institution_name']}")
        expect(len(answer["entries"]) == answer["count"] >= 5, "the list is not whole")
        expect(self.verify(path), "the evidence does not verify")
        self.tell(None, f"baolian verify {path.name}: VERIFIED, {path.stat().st_size} bytes, no node was asked")
        self.trust(json.loads(path.read_text(encoding="utf-8")))
        self.evidence.append({"path": str(path), "verified": True})
        changed = self.network.directory / "evidence-changed.json"
        text = bytearray(path.read_bytes())
        at = text.index(b"block time") if b"block time" in text else len(text) // 2
        text[at] ^= 1
        changed.write_bytes(text)
        expect(not self.verify(changed), "a changed file verified")
        self.tell(None, "one byte changed: refused")

    def trust(self, evidence):
        """The evidence itself says what its certificate is worth: text 68 under PBFT, 69 under Raft."""
        number = {"pbft": 68, "raft": 69}[self.network.consensus]
        said = [limit["en"] for limit in evidence["limits"] if limit["text"] in (68, 69)]
        expect(evidence["header"]["consensus_kind"] == self.network.consensus, "the header names another consensus")
        expect([limit["text"] for limit in evidence["limits"] if limit["en"] in said] == [number],
               f"the limits say {said}")
        self.tell(None, f"it says itself: {said[0]}")

    def play(self):
        self.payments.publish_map()
        self.product = self.payments.publish("full-indemnity.json")
        report = self.zero_touch()
        self.not_insured()
        self.no_consent()
        self.stranger()
        self.doctors()
        self.adjuster(report["record"])
        self.prove(report["record"])
        city = self.payments.deductible()
        self.payments.limit(self.product)
        self.payments.paper(city)
        self.payments.ambiguous(self.product)
        self.payments.refused(self.product)
        self.payments.notices()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", required=True)
    parser.add_argument("--bin", default="build/release/bin")
    parser.add_argument("--consensus", choices=["pbft", "raft"], default="pbft")
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--stop", action="store_true")
    parser.add_argument("--summary")
    arguments = parser.parse_args()
    if arguments.stop:
        print(f"stopped {stop_recorded(arguments.network)} processes")
        return 0
    network = Network(arguments.network, arguments.bin, arguments.consensus)
    story = Story(network)
    try:
        network.init()
        kind = {"pbft": "PBFT", "raft": "Raft"}[arguments.consensus]
        print(f"starting 2 hospitals, 2 insurers (four {kind} validators) and an observer (regulator and bureau) ...")
        network.start()
        story.play()
    except (Failed, OSError, KeyError, subprocess.SubprocessError) as error:
        print(f"\nFAILED: {error}", file=sys.stderr)
        network.stop()
        return 1
    if arguments.summary:
        summary = {"discharges": story.discharges, "readings": story.readings, "evidence": story.evidence}
        pathlib.Path(arguments.summary).write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n",
                                                   encoding="utf-8")
    if arguments.once:
        network.stop()
        print("\nEverything held.")
    else:
        print(f"\nEverything held. The network runs on:\n"
              f"  {arguments.bin}/baolian --profile {arguments.network}/profiles/bureau-auditor.json node status\n"
              f"  tools/demo.sh --stop")
    return 0


if __name__ == "__main__":
    sys.exit(main())
