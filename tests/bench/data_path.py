"""D2, D3, D4: what the data path costs over the yardsticks of the same run.

A log of row changes over eight tables is recorded once; then each way goes through it in turn, five times. The medians'
ratios are printed with target and verdict.

usage: data_path.py BUILD_DIRECTORY [ROWS [REPEATS]]
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "integration"))
sys.path.insert(0, HERE)

from lib.mariadb_server import SOURCE_OPTIONS, MariaDB
from load import create_tables, write_load


def record(directory, rows):
    """A log that begins with the tables' creation, and the empty schema beside it."""
    source = MariaDB("source", 1, SOURCE_OPTIONS + ["--max-binlog-size=1G"],
                     on_disk=True).start()
    try:
        create_tables(source)
        rows = write_load(source, rows)
        source.stop()
        shutil.copy(f"{source.data}/binlog.000001", directory)
        return rows
    finally:
        source.remove()


def timed(command):
    started = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started


class Ways:
    def __init__(self, build, directory):
        self.program = f"{build}/tests/bench/data_path"
        self.log = directory
        self.scratch = tempfile.mkdtemp(prefix="sluice-bench-")
        self.count = 0

    def data_path(self, *arguments):
        out = subprocess.run([self.program, *arguments], check=True, capture_output=True,
                             text=True).stdout
        return float(out.split()[1])

    def fresh(self, name):
        self.count += 1
        return f"{self.scratch}/{name}{self.count}"

    def raw(self):
        return self.data_path("raw", self.log)

    def blackhole(self):
        return self.data_path("sink", self.log, "blackhole://")

    def files(self):
        directory = self.fresh("files")
        os.mkdir(directory)
        seconds = self.data_path("sink", self.log, f"file://{directory}")
        shutil.rmtree(directory)
        return seconds

    def mariadb_binlog(self):
        return timed(["mariadb-binlog", "--no-defaults", "-v", "--base64-output=decode-rows",
                      f"{self.log}/binlog.000001"])

    def sqlite(self):
        return self.data_path("sink", self.log, "sqlite://" + self.fresh("sink") + ".db")

    def bare_sqlite(self):
        return self.data_path("rows", self.log, self.fresh("bare") + ".db")


def main():
    build = os.path.abspath(sys.argv[1])
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    repeats = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    directory = tempfile.mkdtemp(prefix="sluice-bench-log-")
    rows = record(directory, rows)
    ways = Ways(build, directory)
    names = ["raw", "blackhole", "files", "mariadb_binlog", "sqlite", "bare_sqlite"]
    seconds = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            seconds[name].append(getattr(ways, name)())
    for name in names:
        rates = [rows / value for value in seconds[name]]
        print(f"{name}: median {statistics.median(rates):,.0f} rows/s "
              f"(min {min(rates):,.0f}, max {max(rates):,.0f})")
    failed = 0
    for label, ours, theirs, target in (("D2", "blackhole", "raw", 0.5),
                                        ("D3", "files", "mariadb_binlog", 5.0),
                                        ("D4", "sqlite", "bare_sqlite", 0.7)):
        ratio = statistics.median(seconds[theirs]) / statistics.median(seconds[ours])
        failed += ratio < target
        print(f"{label} {ours} over {theirs}: ratio {ratio:.2f}, target {target}: "
              f"{'pass' if ratio >= target else 'fail'}", flush=True)
    shutil.rmtree(directory)
    shutil.rmtree(ways.scratch)
    return 1 if failed else 0


sys.exit(main())
