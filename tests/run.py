"""Runs the suites in order of price, prints what failed, and ends with one line: N passed, N failed.

usage: run.py BUILD_DIRECTORY [SUITE…]
Cheap suites run in parallel; those with real processes one after the other, since they measure deadlines.
"""
import json
import os
import subprocess
import sys

SUITES = [("unit", 2), ("wire", 1), ("integration", 1)]


def run_suite(build, suite, jobs):
    log = os.path.join(build, "meson-logs", f"{suite}.json")
    command = ["meson", "test", "-C", build, "--no-rebuild", "--suite", suite,
               "--num-processes", str(jobs), "--logbase", suite]
    subprocess.run(command, check=False)
    log = os.path.join(build, "meson-logs", f"{suite}.json")
    if not os.path.exists(log):
        return []
    with open(log) as lines:
        return [json.loads(line) for line in lines if line.strip()]


def main():
    build = sys.argv[1]
    wanted = sys.argv[2:]
    passed = failed = skipped = 0
    for suite, jobs in SUITES:
        if wanted and suite not in wanted:
            continue
        for result in run_suite(build, suite, jobs):
            if result["result"] == "OK":
                passed += 1
            elif result["result"] == "SKIP":
                skipped += 1
                print(f"skipped: {result['name']}: {result.get('stdout', '').strip()[-300:]}")
            else:
                failed += 1
                print(f"--- {result['name']}: {result['result']}")
                print(result.get("stdout", "")[-4000:])
                print(result.get("stderr", "")[-4000:])
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or passed == 0 else 0


sys.exit(main())
