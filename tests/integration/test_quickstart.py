"""deploy/quickstart.sh, with a smaller load."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import scenario
from lib.cluster import SANITIZER

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def ends_identical_and_leaves_nothing():
    with scenario.directory() as directory:
        environment = {**os.environ, **SANITIZER, "ROWS": "20000", "TMPDIR": directory,
                       "BUILD": os.path.abspath(scenario.build_directory())}
        done = subprocess.run(["sh", f"{ROOT}/deploy/quickstart.sh"], capture_output=True, text=True,
                              env=environment, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        assert lines[-1] == "identical", done.stdout
        told = re.fullmatch(r"33 tables, (\d+) row changes and (\d+) schema changes went through three"
                            r" dispatcher processes", lines[-2])
        assert told and int(told[1]) > 10000 and int(told[2]) > 24, done.stdout
        assert os.listdir(directory) == [], os.listdir(directory)


if __name__ == "__main__":
    scenario.main([ends_identical_and_leaves_nothing])
