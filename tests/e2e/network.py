"""A network of baoliand processes in a directory of its own, for the end-to-end tests.

Only the standard library. Every port is one that `baolian network init` found free; every wait has
a deadline. Nothing is taken from a node's memory or files: what is asserted comes over its API.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

NODES = ["hospital-a", "hospital-b", "insurer-a", "insurer-b", "bureau"]
SKIPPED = 77
READY_S = 60


class Failed(Exception):
    """An assertion of a test did not hold."""


def check(held, what):
    if not held:
        raise Failed(what)


def wait_for(what, seconds, probe, every=0.1):
    """The first true value of probe(); Failed when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = probe()
        if value:
            return value
        check(time.monotonic() < deadline, f"{what}: not within {seconds} s")
        time.sleep(every)


class Network:
    def __init__(self, programs, currency="CNY", consensus=None, institutions=()):
        """`institutions`: as --institution takes them; their short names must then stand in NODES."""
        self.programs = programs
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="baolian-e2e-"))
        self.directory = self.root / "network"
        self.receipts = self.root / "receipts.jsonl"  # outside of every node's directory
        self.processes = {}
        self.run(self.programs.cli, "network", "init", self.directory, "--fast-keystores",
                 "--currency", currency, "--consensus", consensus or programs.consensus,
                 *[part for institution in institutions for part in ("--institution", institution)])
        self.genesis = self.directory / "genesis.json"

    # Processes -------------------------------------------------------------------------------

    def configure(self, name, **values):
        """Adds lines to the configuration of a node that does not run."""
        config = self.directory / "nodes" / name / "node.toml"
        added = "".join(f"{key} = {value}\n" for key, value in values.items())
        config.write_text(config.read_text() + added)

    def data(self, name):
        """Where a node keeps its data."""
        return self.directory / "nodes" / name / "data"

    def start(self, *names, options=()):
        for name in names or NODES:
            out = open(self.root / f"{name}.out", "ab")
            config = self.directory / "nodes" / name / "node.toml"
            self.processes[name] = subprocess.Popen(
                [self.programs.node, "--config", str(config), *options], stdout=out, stderr=out)
            out.close()
        for name in names or NODES:
            self.wait_ready(name)

    def wait_ready(self, name):
        def ready():
            code = self.processes[name].poll()
            check(code is None, f"{name} ended with {code}: {self.tail(name)}")
            return self.status(name, quiet=True)

        wait_for(f"{name} answers", READY_S, ready)

    def kill(self, *names):
        """kill -9, all signals before the first wait: at once as far as a program can."""
        for name in names:
            self.processes[name].send_signal(signal.SIGKILL)
        for name in names:
            self.processes.pop(name).wait()

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGTERM)
        codes = {}
        for name, process in self.processes.items():
            try:
                codes[name] = process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                codes[name] = "did not stop"
        self.processes = {}
        return codes

    def tail(self, name, lines=12):
        text = (self.root / f"{name}.out").read_text(errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    # Programs --------------------------------------------------------------------------------

    def run(self, *command, fine=(0,), timeout=180):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                              timeout=timeout)
        shown = " ".join(str(part) for part in command)
        check(fine is None or done.returncode in fine,
              f"{shown}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done

    def profile(self, name):
        return self.directory / "profiles" / f"{name}.json"

    def institution(self, node):
        return json.loads(self.profile(f"{node}-compliance").read_text())["institution"]

    def cli(self, profile, *arguments, fine=(0,), timeout=180):
        """The CLI's answer as JSON. A refusal is JSON too (code, message)."""
        done = self.run(self.programs.cli, "--profile", self.profile(profile), "--json",
                        *arguments, fine=fine, timeout=timeout)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    def status(self, name, quiet=False):
        done = self.run(self.programs.cli, "--profile", self.profile(f"{name}-compliance"),
                        "--json", "--timeout-ms", "5000", "node", "status", fine=None)
        if done.returncode == 0:
            return json.loads(done.stdout)
        check(quiet, f"{name} does not answer: {done.stdout}{done.stderr}")
        return None

    def load(self, *arguments):
        """baolian-load in the background."""
        return subprocess.Popen(
            [self.programs.load, "--network", str(self.directory), "--receipts",
             str(self.receipts), *[str(a) for a in arguments]],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish_load(self, process, timeout):
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            raise Failed(f"the load did not end within {timeout} s; {self.count()} receipts, "
                         f"{self.heights()}") from None
        check(process.returncode == 0, f"the load failed: {out}{err}")
        return json.loads(out)

    def count(self):
        """Acknowledged readings so far."""
        if not self.receipts.exists():
            return 0
        with open(self.receipts, "rb") as file:
            return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))

    def check_receipts(self, wait_s=60):
        """Every acknowledged reading is in every node's log, roots equal; the check's answer."""
        done = self.run(self.programs.load, "--network", self.directory, "--check", self.receipts,
                        "--wait-s", wait_s, fine=None, timeout=wait_s + 240)
        check(done.returncode == 0, f"the receipts do not hold: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    # What the chain says -----------------------------------------------------------------------

    def heights(self):
        return {name: (self.status(name, quiet=True) or {}).get("certified_height")
                for name in self.processes}

    def roots(self):
        return {name: (s["certified_height"], s["state_root"])
                for name in self.processes for s in [self.status(name)]}

    def equal_roots(self, seconds=60):
        """Waits until all running nodes stand at one height with one state root."""
        last = {}

        def same():
            last.update(self.roots())
            return len(set(last.values())) == 1

        try:
            wait_for("equal state roots", seconds, same, every=0.3)
        except Failed as failed:
            raise Failed(f"{failed}: {last}") from None
        return next(iter(last.values()))

    def primary(self):
        """The validator that is primary, or leads (Raft): of two, the one of the newest view or term."""
        def found():
            told = {name: self.status(name, quiet=True) for name in NODES[:4] if name in self.processes}
            leading = [(s["view"], name) for name, s in told.items() if s and s["is_primary"]]
            return max(leading)[1] if leading else None

        return wait_for("a validator that leads", 30, found)

    def evidence(self, record, path):
        self.cli("bureau-compliance", "record", "log", record, "--prove", path)
        self.verify(path)

    def publish(self, product, insurer="insurer-a"):
        """Publishes a product's JSON with its content; its id."""
        file = self.root / f"product-{insurer}.json"
        file.write_text(json.dumps(product, ensure_ascii=False), encoding="utf-8")
        return self.cli(f"{insurer}-adjuster", "product", "publish", file)["product"]

    def enrol(self, persons, first, last, insurer="insurer-a", product=None):
        """A policy for each person, attested by the bureau, under a product that is made if none is given; the ids of
        the policies in the order of the persons."""
        span = ["--from", first, "--to", last]
        adjuster = f"{insurer}-adjuster"
        product = product or self.cli(adjuster, "product", "register", *span)["product"]
        enrolled = self.cli(adjuster, "policy", "enrol", "--product", product, *span,
                            *[part for person in persons for part in ("--person", person)])
        check(enrolled["attested"] and len(enrolled["policies"]) == len(persons),
              f"the bureau attested the enrolment: {enrolled}")
        return enrolled["policies"]

    def verify(self, path):
        self.run(self.programs.cli, "verify", path, "--genesis", self.genesis)

    def targets(self):
        return json.loads((self.directory / "load-targets.json").read_text())


def main(test):
    """Runs test(network factory, options) with the programs of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--node", required=True, help="baoliand")
    parser.add_argument("--cli", required=True, help="baolian")
    parser.add_argument("--load", required=True, help="baolian-load")
    parser.add_argument("--data", default="", help="folder of the shared test data")
    parser.add_argument("--consensus", choices=["pbft", "raft"], default="pbft")
    parser.add_argument("--keep", action="store_true", help="keep the network's directory")
    options = parser.parse_args()
    networks = []

    def network(**arguments):
        networks.append(Network(options, **arguments))
        return networks[-1]

    code = 1
    try:
        code = test(network, options) or 0
    except (Failed, subprocess.TimeoutExpired) as failed:
        print(f"FAILED: {failed}", flush=True)
        for made in networks:
            for name in NODES:
                if (made.root / f"{name}.out").exists():
                    print(f"--- {name}\n{made.tail(name)}")
    finally:
        for made in networks:
            made.stop()
            if options.keep or (code not in (0, SKIPPED) and os.environ.get("BAOLIAN_KEEP")):
                print(f"kept: {made.root}")
            else:
                shutil.rmtree(made.root, ignore_errors=True)
    sys.exit(code)
