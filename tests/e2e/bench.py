"""baolian-bench on a small network: every operation that it counts is applied, evidence of a sample holds, the
JSON says what was asked for; one operation a signature, many a signature, an open loop, Raft, a curve,
readings of another's records, a fault and an overload beside the ordinary load; discharges through to paid,
enrolment, single readings that the nodes batch."""

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
    refused = subprocess.run([bench, "--ops-per-tx", "1001"], capture_output=True, text=True, timeout=60)
    check(refused.returncode == 1 and "bad_argument" in refused.stderr, f"a bad number: {refused.stderr}")


if __name__ == "__main__":
    main()
