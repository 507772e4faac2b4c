"""Runs the suites in order of price, prints what failed, and ends with one line: N passed, N failed.

usage: run.py BUILD_DIRECTORY [SUITE…]
Suite threads is run in BUILD_DIRECTORY-threads, and only what it needs is built there.
What computes runs one to a core, what mostly waits (for servers to start, for leases to end) three to a core; what
measures, or needs every core by itself, is marked as not parallel and runs alone. Building the images that suite compose
needs is done beside faults: both wait for half of their time.
A test whose own last line is such a line counts as what it says, any other one as one.
"""
import json
import os
import re
import subprocess
import sys

# Run together: suites, and tests at a time for each core; servers of more than so many would not fit into memory.
COMPUTING, WAITING = 1, 3
TOGETHER_MAX = 12
GROUPS = [(["unit"], COMPUTING), (["threads"], COMPUTING), (["sim"], COMPUTING), (["wire"], WAITING),
          (["integration"], WAITING), (["faults", "images"], WAITING), (["compose"], COMPUTING)]
COUNTS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")


def run_suites(build, suites, per_core):
    if "threads" in suites:
        build += "-threads"
    name = "-".join(suites)
    log = os.path.join(build, "meson-logs", f"{name}.json")
    together = min(per_core * os.cpu_count(), TOGETHER_MAX)
    command = ["meson", "test", "-C", build, "--num-processes", str(together), "--logbase", name]
    for suite in suites:
        command += ["--suite", suite]
    if "threads" not in suites:
        command.append("--no-rebuild")
    if os.path.exists(log):
        os.remove(log)
    subprocess.run(command, check=False)
    if not os.path.exists(log):
        return [{"name": name, "result": "NOT RUN"}]
    with open(log) as lines:
        return [json.loads(line) for line in lines if line.strip()]


def counts(result):
    """Passed, failed and skipped tests of one entry of the log."""
    own = COUNTS.search(result.get("stdout", "").rstrip())
    passed, failed, skipped = (int(number or 0) for number in own.groups()) if own else (0, 0, 0)
    if result["result"] == "OK":
        return max(passed, 1), failed, skipped
    if result["result"] == "SKIP":
        return passed, failed, max(skipped, 1)
    return passed, max(failed, 1), skipped


def main():
    build = sys.argv[1]
    wanted = sys.argv[2:]
    passed = failed = skipped = 0
    for group, per_core in GROUPS:
        suites = [suite for suite in group if not wanted or suite in wanted]
        for result in run_suites(build, suites, per_core) if suites else []:
            more = counts(result)
            passed, failed, skipped = passed + more[0], failed + more[1], skipped + more[2]
            if result["result"] == "SKIP":
                reason = COUNTS.sub("", result.get("stdout", "").strip()).strip()[-300:]
                print(f"{result['name']} was skipped: {reason}")
            elif more[1]:
                print(f"--- {result['name']}: {result['result']}")
                print(result.get("stdout", "")[-4000:])
                print(result.get("stderr", "")[-4000:])
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or passed == 0 else 0


sys.exit(main())
