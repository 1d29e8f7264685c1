"""`baolian audit verify-node`: a node's data is whole beside the running node, after a clean stop and
after kill -9; it writes nothing; one flipped bit in a file of each kind is found and named; a
checkpoint of another node is the same, or ahead; after baoliand --reindex all is whole again."""

import hashlib
import json

import network

READINGS = 400


class Verifier:
    def __init__(self, net, name):
        self.net = net
        self.directory = net.directory / "nodes" / name
        self.config = self.directory / "node.toml"
        lines = self.config.read_text().splitlines()
        value = next(line.split("=", 1)[1] for line in lines if line.startswith("data_directory"))
        self.data = self.directory / value.strip().strip('"')

    def run(self, *arguments, code):
        done = self.net.run(self.net.programs.cli, "--json", "audit", "verify-node", "--config",
                            self.config, *arguments, fine=None)
        network.check(done.returncode == code,
                      f"verify-node exits {done.returncode}, not {code}: {done.stdout[-3000:]}"
                      f"{done.stderr[-2000:]}")
        return json.loads(done.stdout)

    def whole(self, *arguments, code=0):
        answer = self.run(*arguments, code=code)
        network.check(answer["whole"] and answer["damages"] == 0, f"not whole: {answer}")
        return answer

    def prints(self):
        """What people see, and its exit code."""
        return self.net.run(self.net.programs.cli, "audit", "verify-node", "--config", self.config,
                            fine=None)

    def content(self):
        """Names and hashes of all files."""
        return {str(path.relative_to(self.data)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(self.data.rglob("*")) if path.is_file()}

    def largest(self, pattern):
        found = sorted(self.data.glob(pattern), key=lambda path: path.stat().st_size)
        network.check(found, f"there is a file {pattern}")
        return found[-1]

    def flipped(self, path, offset, kinds):
        """Flips one bit, expects a finding of one of these kinds, puts the bit back."""
        before = path.read_bytes()
        changed = bytearray(before)
        changed[offset] ^= 0x10
        path.write_bytes(changed)
        answer = self.run(code=5)
        path.write_bytes(before)
        found = [f for f in answer["findings"] if f["kind"] in kinds]
        network.check(not answer["whole"] and found,
                      f"a bit of {path.name} at {offset}: {answer['findings']}")
        first = found[0]
        print(f"{path.relative_to(self.data)} byte {offset}: {first['kind']}, height "
              f"{first['height']}, {first['place']}: {first['what'][:100]}", flush=True)
        return found


def first_record_end(segment):
    """Offset of the last byte of the first record's payload (docs/formats.md, Consensus log)."""
    length = int.from_bytes(segment.read_bytes()[4:8], "little")
    return 44 + length - 1


def save_checkpoint(net, profile, path):
    path.write_text(json.dumps(net.cli(profile, "audit", "checkpoint")))
    return path


def stop(net, name):
    process = net.processes.pop(name)
    process.terminate()
    network.check(process.wait(timeout=30) == 0, f"{name} stops cleanly")


def flip_files(victim):
    table = victim.largest("store/*.sst")
    found = victim.flipped(table, table.stat().st_size // 2, {"store_file"})
    network.check(any(table.name in f["place"] for f in found), f"it names {table.name}: {found}")
    blobs = list(victim.data.glob("store/*.blob"))
    if blobs:
        blob = victim.largest("store/*.blob")
        found = victim.flipped(blob, blob.stat().st_size // 2, {"block"})
        network.check(found[0]["height"] is not None, f"it names the height: {found}")
    segment = victim.largest("log/*.log")
    victim.flipped(segment, first_record_end(segment), {"consensus_log"})
    victim.flipped(segment, 10, {"consensus_log"})
    sealed = victim.largest("vault/records/*.sealed")
    found = victim.flipped(sealed, sealed.stat().st_size - 3, {"record"})
    network.check(sealed.name in found[0]["place"], f"it names {sealed.name}: {found}")
    key = sealed.with_suffix(".key")
    victim.flipped(key, key.stat().st_size - 3, {"record"})
    victim.flipped(victim.data / "outbox.log", 40, {"book"})


def test(make, options):
    net = make()
    net.start()
    net.finish_load(net.load("--clients", 8, "--count", READINGS, "--give-up-s", 120), 200)
    height, _ = net.equal_roots()

    beside = Verifier(net, "bureau")
    # What a node executed reaches its disk after a pause.
    network.wait_for("the store has all blocks", 30,
                     lambda: beside.whole()["newest_height"] >= height, every=0.5)
    answer = beside.whole()
    network.check(answer["node_runs"] and answer["newest_height"] > 0,
                  f"beside the running node: {answer}")

    victim = Verifier(net, "hospital-b")
    stop(net, "hospital-b")
    before = victim.content()
    answer = victim.whole()
    network.check(not answer["node_runs"] and answer["newest_height"] >= height,
                  f"after a clean stop: {answer}")
    network.check(victim.content() == before, "verify-node has not written anything")
    checked = {check["name"]: check["checked"] for check in answer["checks"]}
    for name in ["blocks and certificates", "state rows", "complete logs", "index rows",
                 "sealed records", "consensus log", "other files"]:
        network.check(checked.get(name, 0) > 0, f"{name} were looked at: {checked}")
    shown = victim.prints()
    network.check(shown.returncode == 0 and "WHOLE" in shown.stdout, shown.stdout)

    net.finish_load(net.load("--clients", 4, "--count", 50, "--give-up-s", 5), 200)
    ahead = save_checkpoint(net, "hospital-a-compliance", net.root / "ahead.json")
    answer = victim.whole("--checkpoint", ahead, code=6)
    network.check(answer["checkpoint"] == "behind", f"the checkpoint is ahead: {answer}")

    wal = victim.largest("store/*.log")
    victim.flipped(wal, wal.stat().st_size // 2, {"store_file"})
    # The next start moves what is in RocksDB's log into tables and blobs.
    net.start("hospital-b")
    net.equal_roots()
    stop(net, "hospital-b")
    victim.whole()
    flip_files(victim)
    shown_damage = victim.largest("store/*.sst")
    whole = shown_damage.read_bytes()
    shown_damage.write_bytes(whole[:-200] + bytes(200))
    shown = victim.prints()
    shown_damage.write_bytes(whole)
    network.check(shown.returncode == 5 and "DAMAGED" in shown.stdout, shown.stdout)
    victim.whole()

    net.start("hospital-b")
    net.equal_roots()
    net.kill("hospital-b")
    answer = victim.whole("--checkpoint", ahead)
    network.check(answer["checkpoint"] == "same", f"after kill -9: {answer}")
    other = json.loads(ahead.read_text())
    root = other["header"]["state_root"]
    other["header"]["state_root"] = ("0" if root[0] != "0" else "1") + root[1:]
    forged = net.root / "forged.json"
    forged.write_text(json.dumps(other))
    answer = victim.run("--checkpoint", forged, code=5)
    network.check(answer["findings"][0]["kind"] == "checkpoint", f"a forged checkpoint: {answer}")
    print(f"whole at height {answer['newest_height']} in {answer['elapsed_ms']} ms")

    reindex = [net.programs.node, "--reindex", "--config", victim.config]
    net.start("hospital-b")
    refused = net.run(*reindex, fine=None)
    network.check(refused.returncode == 1 and "io_failed" in refused.stderr,
                  f"no reindex beside a running node: {refused}")
    stop(net, "hospital-b")
    done = net.run(*reindex, fine=None)
    network.check(done.returncode == 0 and "the index is whole" in done.stdout, f"reindex: {done}")
    print(done.stdout.strip())
    victim.whole()
    net.start("hospital-b")
    net.equal_roots()


if __name__ == "__main__":
    network.main(test)
