"""What every process test needs: servers and a cluster that are there during the test and gone afterwards, whatever
happens, with the logs printed when it fails."""
import contextlib
import os
import sys
import tempfile

from .cluster import Cluster
from .mariadb_server import SOURCE_OPTIONS, MariaDB


def build_directory():
    return os.environ.get("SLUICE_BUILD", "build")


@contextlib.contextmanager
def source_server(*options):
    server = MariaDB("source", 1, SOURCE_OPTIONS + list(options))
    try:
        yield server.start()
    finally:
        server.remove()


@contextlib.contextmanager
def sink_server(*options):
    server = MariaDB("sink", 2, ["--general-log=1", *options])
    server.options.append(f"--general-log-file={server.general_log}")
    try:
        yield server.start()
    finally:
        server.remove()


@contextlib.contextmanager
def cluster(nodes, **keys):
    it = Cluster(build_directory(), **keys)
    try:
        yield it.start(nodes)
    except BaseException:
        sys.stderr.write(it.logs())
        raise
    finally:
        it.remove()


@contextlib.contextmanager
def directory():
    with tempfile.TemporaryDirectory(prefix="sluice-test-") as path:
        yield path


def main(tests):
    """Runs the functions one after the other; names them; exit code says whether all passed."""
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        print(f"{test.__name__} …", flush=True)
        test()
        print(f"{test.__name__} ok", flush=True)
