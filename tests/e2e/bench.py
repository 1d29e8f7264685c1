"""baolian-bench on a small network: every operation that it counts is applied, evidence of a sample holds, the
JSON says what was asked for; one operation a signature, many a signature, an open loop, Raft, a curve,
readings of another's records, a fault and an overload beside the ordinary load; discharges through to paid,
enrolment, single readings that the nodes batch; the five measures of JR/T 0193; a network that runs already."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

RUNS = [
    ["--ops-per-tx", "50", "--clients", "8"],
    ["--ops-per-tx", "1", "--tx-per-call", "4", "--clients", "8", "--rate", "200"],
    ["--ops-per-tx", "20", "--clients", "4", "--consensus", "raft", "--validators", "3"],
    ["--workload", "exchanged", "--ops-per-tx", "20", "--clients", "4"],
    ["--workload", "mixed", "--ops-per-tx", "10", "--clients", "8"],
]
SMALL = ["--records", "2000", "--subjects", "500", "--other-records", "0", "--warm-up", "1", "--duration", "2",
         "--sample", "5", "--json"]


def check(held, what):
    if not held:
        sys.exit(f"FAILED: {what}")


def measured(bench, *options):
    """The JSON of a small run in which everything was applied and a sample of evidence held."""
    done = subprocess.run([bench, *options, *SMALL], capture_output=True, text=True, timeout=120)
    check(done.returncode == 0, f"{options}: {done.stderr}")
    answer = json.loads(done.stdout)
    check(answer["applied"] > 0 and answer["rejected"] == answer["transactions_dropped"] == 0,
          f"{options}: all applied: {answer}")
    check(answer["ops_per_s"] > 0 and 0 < answer["p50_ms"] <= answer["p99_ms"], f"{options}: figures: {answer}")
    evidence = answer["evidence_verified_offline"]
    check(evidence["asked"] == evidence["held"] == 5, f"{options}: evidence: {evidence}")
    print(" ".join(options), "->", answer["ops_per_s"], "/s, p50", answer["p50_ms"], "ms")
    return answer


def check_paid(bench):
    """Each claim passes its stages in order; what reads beside it keeps its rate."""
    answer = measured(bench, "--workload", "paid", "--clients", "2", "--background-rate", "200", "--ops-per-tx", "20")
    stages = [(stage["stage"], stage["p50_ms"]) for stage in answer["stages"]]
    check([name for name, _ in stages] == ["filed", "opened", "decided", "paid"], f"stages: {stages}")
    times = [time for _, time in stages]
    check(times == sorted(times) and times[-1] <= answer["p50_ms"] * 1.5, f"stages in order: {stages}")
    beside = answer["background"]
    check(0.7 < beside["ops_per_s"] / 200 < 1.3 and beside["rejected"] == 0, f"readings beside: {beside}")


def check_api_workloads(bench):
    """A person each enrolled operation; a request id sent again gives the same outcome."""
    answer = measured(bench, "--workload", "enrolment", "--clients", "2", "--persons-per-call", "50")
    check(answer["applied"] % 50 == 0, f"whole calls: {answer['applied']}")
    answer = measured(bench, "--workload", "gateway", "--clients", "16")
    check(0 < answer["repeated"]["asked"] == answer["repeated"]["same"], f"idempotent: {answer['repeated']}")
    check(answer["ops_per_tx_reached"] >= 1, f"operations a transaction: {answer}")
    for options in (["--background-rate", "10"], ["--workload", "paid", "--tx-per-call", "2"],
                    ["--workload", "gateway", "--ops-per-tx", "7"], ["--persons-per-call", "7"]):
        done = subprocess.run([bench, *options, *SMALL], capture_output=True, text=True, timeout=60)
        check(done.returncode == 1 and "bad_argument" in done.stderr, f"{options}: {done.stderr}")


def check_jrt0193(bench):
    """Five measures, each of something: the latecomer took blocks to its disk and executed them."""
    answer = measured(bench, "--jrt0193", "--ops-per-tx", "20", "--clients", "4")
    measures = answer["jrt0193"]
    check(abs(measures["transaction_rate"]["transactions_per_s"] * 20 - answer["ops_per_s"]) < 10, f"rate: {measures}")
    check(measures["query_rate"]["queries_per_s"] > 0 and measures["query_rate"]["p50_ms"] > 0, f"queries: {measures}")
    joined = measures["synchronisation"]
    check(joined["blocks"] > 0 and joined["disk_bytes"] > 0 and joined["cpu_s"] > 0, f"joined: {joined}")
    check(measures["deployment"]["nodes"] == 4 and measures["deployment"]["seconds"] > 0, f"deployed: {measures}")
    check(measures["ledger_growth"]["bytes_per_operation"] > 0, f"growth: {measures}")
    print("JR/T 0193:", json.dumps(measures))
    for options in (["--jrt0193", "--workload", "mixed"], ["--jrt0193", "--curve", "10,20"]):
        done = subprocess.run([bench, *options, *SMALL], capture_output=True, text=True, timeout=60)
        check(done.returncode == 1 and "bad_argument" in done.stderr, f"{options}: {done.stderr}")


def check_running_network(bench):
    """A network that others laid out and started bears one run after the other, and goes on after them."""
    programs = pathlib.Path(bench).resolve().parent
    with tempfile.TemporaryDirectory() as directory:
        network = pathlib.Path(directory) / "network"
        laid_out = subprocess.run([programs / "baolian", "--json", "network", "init", network, "--departments", "2",
                                   "--fast-keystores"], capture_output=True, text=True, timeout=60, check=True)
        # As a person would: from the directory, and with the two spellings of an option.
        configs = [pathlib.Path(node["config"]).relative_to(network) for node in json.loads(laid_out.stdout)["nodes"]]
        spelt = [["--config", str(config)] if i % 2 else [f"--config={config}"] for i, config in enumerate(configs)]
        nodes = [subprocess.Popen([programs / "baoliand", *options], cwd=network, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL) for options in spelt]
        try:
            for options in (["--ops-per-tx", "20", "--clients", "4"], ["--ops-per-tx", "20", "--clients", "4"],
                            ["--workload", "exchanged", "--ops-per-tx", "10", "--clients", "4"],
                            ["--workload", "paid", "--clients", "2"]):
                answer = measured(bench, "--network", str(network), *options)
                settings = answer["settings"]
                check((settings["validators"], settings["observers"]) == (4, 1), f"the genesis: {settings}")
                check(len(answer["nodes"]) == 5 and all(node["rss_mib"] > 0 for node in answer["nodes"]),
                      f"the processes were found: {answer['nodes']}")
            check(all(node.poll() is None for node in nodes), "the nodes run on")
            nodes[-1].terminate()
            nodes[-1].wait(timeout=60)
            done = subprocess.run([bench, "--network", str(network), *SMALL], capture_output=True, text=True, timeout=60)
            check(done.returncode == 1 and "baoliand --config" in done.stderr, f"a node is down: {done.stderr}")
            done = subprocess.run([bench, "--network", str(network), "--validators", "7", *SMALL], capture_output=True,
                                  text=True, timeout=60)
            check(done.returncode == 1 and "genesis" in done.stderr, f"another shape: {done.stderr}")
        finally:
            for node in nodes:
                node.terminate()
            for node in nodes:
                node.wait(timeout=60)
        nothing = subprocess.run([bench, "--network", directory, *SMALL], capture_output=True, text=True, timeout=60)
        check(nothing.returncode == 1 and "network init" in nothing.stderr, f"no network there: {nothing.stderr}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bench", required=True)
    bench = parser.parse_args().bench
    for options in RUNS:
        done = subprocess.run([bench, *options, *SMALL], capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"{options}: {done.stderr}")
        answer = json.loads(done.stdout)
        check(answer["applied"] > 0 and answer["rejected"] == 0, f"{options}: all applied: {answer}")
        check(answer["ops_per_s"] > 0 and answer["p50_ms"] > 0, f"{options}: figures: {answer}")
        check(answer["p50_ms"] <= answer["p99_ms"] <= answer["max_ms"], f"{options}: order: {answer}")
        evidence = answer["evidence_verified_offline"]
        check(evidence["asked"] == evidence["held"] == 5, f"{options}: evidence: {evidence}")
        check("executor" in [thread["thread"] for thread in answer["threads"]], f"{options}: threads: {answer}")
        check(all(node["fsyncs_per_s"] > 0 for node in answer["nodes"]), f"{options}: durable: {answer}")
        print(" ".join(options), "->", answer["ops_per_s"], "/s, p50", answer["p50_ms"], "ms")
    with tempfile.TemporaryDirectory() as directory:
        plot = pathlib.Path(directory) / "curve.svg"
        done = subprocess.run([bench, "--curve", "100,300", "--ops-per-tx", "10", "--plot", str(plot), *SMALL],
                              capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"curve: {done.stderr}")
        points = json.loads(done.stdout)["curve"]
        check([point["rate_per_s"] for point in points] == [100, 300], f"curve: {points}")
        check(all(0.7 < point["ops_per_s"] / point["rate_per_s"] < 1.3 for point in points), f"curve: {points}")
        picture = xml.etree.ElementTree.parse(plot).getroot()
        lines = picture.findall("{http://www.w3.org/2000/svg}polyline")
        check([len(line.get("points").split()) for line in lines] == [2, 2], "the plot has p50 and p99")
    done = subprocess.run([bench, "--fault", "primary-slow", "--delay", "60", "--clients", "2", *SMALL],
                          capture_output=True, text=True, timeout=120)
    check(done.returncode == 0, f"slow primary: {done.stderr}")
    whole, slow = json.loads(done.stdout)["loads"]
    check(whole["p50_ms"] < 60 <= slow["p50_ms"] and slow["view"] == 0, f"slow primary: {whole} {slow}")
    for options, names in ((["--fault", "backup-dead"], ["ordinary", "backup-dead"]),
                           (["--overload", "10", "--clients", "8"], ["ordinary", "overload", "after"])):
        done = subprocess.run([bench, *options, *SMALL], capture_output=True, text=True, timeout=120)
        check(done.returncode == 0, f"{options}: {done.stderr}")
        loads = json.loads(done.stdout)["loads"]
        check([load["load"] for load in loads] == names, f"{options}: {loads}")
        check(all(load["ops_per_s"] > 0 and load["rejected"] == load["transactions_dropped"] == 0
                  for load in loads), f"{options}: {loads}")
        print(" ".join(options), "->", [round(load["of_first_percent"]) for load in loads], "% of the first")
    check_paid(bench)
    check_api_workloads(bench)
    check_jrt0193(bench)
    check_running_network(bench)
    alone = subprocess.run([bench, "--workload", "exchanged", "--validators", "2", *SMALL], capture_output=True, text=True,
                           timeout=60)
    check(alone.returncode == 1 and "two hospitals" in alone.stderr, f"one hospital: {alone.stderr}")
    refused = subprocess.run([bench, "--ops-per-tx", "1001"], capture_output=True, text=True, timeout=60)
    check(refused.returncode == 1 and "bad_argument" in refused.stderr, f"a bad number: {refused.stderr}")


if __name__ == "__main__":
    main()
