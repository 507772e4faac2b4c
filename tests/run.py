"""Runs the suites in order of price, prints what failed, and ends with one line: N passed, N failed.

usage: run.py BUILD_DIRECTORY [SUITE…]
Suite threads is run in BUILD_DIRECTORY-threads, and only what it needs is built there.
Cheap tests run in parallel, and so do those that mostly wait for leases to end; those that measure deadlines are marked
as not parallel and run one after the other.
A test whose own last line is such a line counts as what it says, any other one as one.
"""
import json
import os
import re
import subprocess
import sys

SUITES = [("unit", 2), ("threads", 2), ("sim", 1), ("wire", 1), ("integration", 2), ("faults", 3), ("compose", 1)]
COUNTS = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$")


def run_suite(build, suite, jobs):
    if suite == "threads":
        build += "-threads"
    log = os.path.join(build, "meson-logs", f"{suite}.json")
    command = ["meson", "test", "-C", build, "--suite", suite,
               "--num-processes", str(jobs), "--logbase", suite]
    if suite != "threads":
        command.append("--no-rebuild")
    if os.path.exists(log):
        os.remove(log)
    subprocess.run(command, check=False)
    if not os.path.exists(log):
        return [{"name": suite, "result": "NOT RUN"}]
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
    for suite, jobs in SUITES:
        if wanted and suite not in wanted:
            continue
        for result in run_suite(build, suite, jobs):
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
