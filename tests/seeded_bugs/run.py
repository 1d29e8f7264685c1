"""Runs baolian-sim against every seeded bug; called by run.sh, which builds it.

Each bug has a list of hunts, tried in order until one catches it: seeds of whole networks as the
swarm draws them, seeds with a named Byzantine strategy or another size, or twins scenarios. The
unbroken program must be clean over the same hunts."""

import argparse
import pathlib
import re
import statistics
import subprocess
import sys

SWARM = ["--safety-ms", "20000"]
LOSSES = ["--twins", "--losses"]
HUNTS = {
    # Two disjoint quorums need n = 6: F = 1, 2F+1 = 3.
    "quorum_two_f_plus_one": [["--nodes", "6", *SWARM]],
    "quorum_one_less": [SWARM],
    "certificate_unverified": [["--byzantine", "forged_certificates", *SWARM]],
    "block_unverified": [["--byzantine", "forged_certificates", *SWARM]],
    "commit_certificate_unverified": [["--byzantine", "forged_certificates", *SWARM]],
    "accept_from_anyone": [["--byzantine", "usurper", *SWARM]],
    "accept_second_digest": [["--byzantine", "equivocating_primary", *SWARM]],
    "accept_above_window": [["--byzantine", "window_runner", *SWARM]],
    "proposer_time_unbounded": [["--byzantine", "time_liar", *SWARM]],
    "trust_carried_digest": [["--byzantine", "mutate", *SWARM],
                             ["--byzantine", "equivocating_primary", *SWARM]],
    "prepare_without_bodies": [["--byzantine", "body_withholding", *SWARM]],
    "commit_count_mixes_digests": [["--byzantine", "equivocating_voter", *SWARM]],
    # Only a primary that stays can censor for long: nothing else may go wrong.
    "suspect_after_any_progress": [
        ["--byzantine", "censoring_primary", "--conditions", "calm", *SWARM]],
    "follow_one_view_change": [["--byzantine", "huge_view", *SWARM]],
    "view_change_unverified": [["--byzantine", "forged_certificates", *SWARM]],
    "new_view_with_fewer": [SWARM, ["--twins"]],
    # Certificates of one height in two views, and holes in P, come from lost votes.
    "choose_lowest_view": [LOSSES],
    "ignore_heights_above_gap": [LOSSES],
    "no_backoff": [["--conditions", "impatient", *SWARM]],
    # Every possible primary must have seen a batch that no view decided.
    "slots_never_released": [["--conditions", "impatient", *SWARM], SWARM],
    "no_relay": [["--byzantine", "partial_new_view", *SWARM], SWARM],
    "keep_first_prepared": [["--twins"], SWARM],
    "new_view_of_stale_changes": [["--byzantine", "bad_new_view", *SWARM]],
}
ORDINARY = [SWARM, ["--twins"], LOSSES]
RAFT = [["--nodes", nodes, "--consensus", "raft", *weather, *SWARM]
        for weather in ([], ["--conditions", "impatient"]) for nodes in ("3", "5")]


def bug_names():
    header = pathlib.Path(__file__).resolve().parents[2] / "src/core/seeded_bug.h"
    listed = re.search(r"kBugNames = \{(.*?)\};", header.read_text(), re.S).group(1)
    names = re.findall(r'"(\w+)"', listed)
    return [n for n in names if n != "none"]


def caught_by(text):
    """The invariant in the first report of a violation, or the engine's own assertion."""
    found = re.search(r"VIOLATION.*\n\s+(.*)", text)
    if found and not found.group(1).startswith(("repeat:", "drawn:")):
        return found.group(1)[:110]
    found = re.search(r"(ASSERT\([^\n]*\)) failed", text) or re.search(r"(ASSERT[^\n]*)", text)
    return found.group(1)[:110] if found else "an unexplained end"


def hunt(sim, arguments, bug, seeds, jobs):
    """(exit code, seeds played, output) of one hunt."""
    is_twins = "--twins" in arguments
    count = seeds * 200 if is_twins else seeds
    command = [sim, *arguments, "--first-seed", "1", "--seeds", str(count), "--jobs", str(jobs),
               "--stop-at-first", "--quiet"]
    if bug:
        command += ["--bug", bug]
    done = subprocess.run(command, capture_output=True, text=True)
    output = done.stdout + done.stderr
    first = re.search(r"(?:seed|scenario) (\d+)\b.*(?:VIOLATION|ASSERT)", output)
    first = first or re.search(r"ASSERT in twins scenario (\d+)", output)
    return done.returncode, int(first.group(1)) if first else count, output


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sim", required=True)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=60, help="of one hunt; twins: 200 times that")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--skip-clean", action="store_true", help="do not run the unbroken program")
    options = parser.parse_args()
    names = options.only or bug_names()
    print(f"{'bug':32} {'seeds':>6}  hunt and what caught it")
    caught, needed, used = [], [], []
    for name in names:
        line = f"{name:32} {'-':>6}  NOT CAUGHT"
        for arguments in HUNTS.get(name, RAFT if name.startswith("raft_") else ORDINARY):
            if arguments not in used:
                used.append(arguments)
            code, seeds, output = hunt(options.sim, arguments, name, options.seeds, options.jobs)
            if code == 0:
                continue
            if code == 2:
                line = f"{name:32} {'-':>6}  cannot be run: {output.strip()[:120]}"
                break
            line = f"{name:32} {seeds:6}  {' '.join(arguments)}: {caught_by(output)}"
            caught.append(name)
            needed.append(seeds)
            break
        print(line, flush=True)
    clean = True
    if not options.skip_clean:
        for arguments in used:
            code, seeds, output = hunt(options.sim, arguments, "", options.seeds, options.jobs)
            if code != 0:
                clean = False
                print(f"the unbroken program is not clean: {' '.join(arguments)}: "
                      f"{caught_by(output)} (seed {seeds})")
        print(f"unbroken program over the same seeds of {len(used)} hunts: "
              f"{'clean' if clean else 'NOT CLEAN'}")
    median = statistics.median(needed) if needed else 0
    print(f"median of seeds to catch: {median:g}")
    print(f"caught {len(caught)} of {len(names)}")
    return 0 if clean and len(caught) == len(names) else 1


sys.exit(main())
