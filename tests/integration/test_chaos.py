"""The live load while every process is killed and stopped in turn; then source and sink compared, and each schema change
looked for in what the sink's server was told.

SLUICE_CHAOS_KILLS, _STOPS, _ROWS, _CHANGES, _SEED, _LEASE and _SYNC_POINTS (seconds) make it larger."""
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import chaos, general_log, scenario, workload
from lib.carried import compare, each_change_once

KILLS = int(os.environ.get("SLUICE_CHAOS_KILLS", "8"))
STOPS = int(os.environ.get("SLUICE_CHAOS_STOPS", "2"))
ROWS = int(os.environ.get("SLUICE_CHAOS_ROWS", "40000"))
CHANGES = int(os.environ.get("SLUICE_CHAOS_CHANGES", "60"))
SEED = int(os.environ.get("SLUICE_CHAOS_SEED", "1"))
LEASE = float(os.environ.get("SLUICE_CHAOS_LEASE", "3"))
SYNC_POINTS = os.environ.get("SLUICE_CHAOS_SYNC_POINTS", "5")
FILTER = ["w*.*"]


class Load(threading.Thread):
    """Runs as far as `released` allows."""

    def __init__(self, source, kinds):
        super().__init__(daemon=True)
        self.source, self.kinds = source, kinds
        self.released = workload.multiprocessing.Value("d", 0.0)
        self.result, self.error = None, None

    def run(self):
        try:
            self.result = workload.run(self.source, rows=ROWS, changes=CHANGES, kinds=self.kinds, seed=SEED, changers=2,
                                       released=self.released)
        except Exception as error:  # told by whoever waits
            self.error = error

    def release(self, share):
        self.released.value = share
        if self.error:
            raise self.error

    def whole(self):
        self.release(1)
        self.join()
        if self.error:
            raise self.error
        return self.result


def replicate(source, sink_uri, kinds, stopped_may_hold=False):
    print(f"  SLUICE_CHAOS_SEED={SEED}", flush=True)
    load = Load(source, kinds)
    with scenario.cluster(3, maintainer_keys={"lease": f"{int(LEASE * 1000)}ms"}) as cluster:
        cluster.create("feed", source.uri(), sink_uri, "--filter", *FILTER, "--option",
                       f"sync-point-interval={SYNC_POINTS}")
        workload.create_tables(source, 3, 60)
        load.start()
        watch = chaos.Watch(cluster, "feed", source, LEASE + 10, stopped_may_hold)
        watch.start()
        try:
            disorder = chaos.Chaos(cluster, watch, seed=SEED, kills=KILLS, stops=STOPS, lease=LEASE)
            disorder.run(load.release)
            rows, changes = load.whole()
            cluster.wait_nodes(3)
            cluster.wait_checkpoint("feed", source.gtid_sequence(), LEASE + 60)
        finally:
            watch.end()
            print(f"  longest without progress: {watch.longest:.2f} s, at {watch.longest_at}; {disorder.in_gate} kills "
                  f"in a gate", flush=True)
        print(f"  {rows} row changes, {len(changes.carried)} schema changes carried, {len(changes.skipped)} not carried",
              flush=True)
        compare(source.uri(), sink_uri, FILTER)(cluster)
        codes = cluster.stop()
        assert set(codes.values()) == {0}, codes
        assert not watch.failure, watch.failure
    return changes


def killed_all_the_time_into_mariadb():
    with scenario.source_server() as source, scenario.sink_server() as sink:
        changes = replicate(source, sink.uri(), workload.EVERYWHERE + workload.PARTITIONED)
        each_change_once(changes, general_log.schema_changes(sink.general_log))
        points, = sink.sql("SELECT COUNT(*) FROM sluice.syncpoint")[0]
        print(f"  {points} sync points", flush=True)
        assert points > 0


def killed_all_the_time_into_sqlite():
    with scenario.source_server() as source, scenario.directory() as directory:
        replicate(source, f"sqlite://{directory}/sink.db", workload.EVERYWHERE + ["generated"],
                  stopped_may_hold=True)


if __name__ == "__main__":
    scenario.main([killed_all_the_time_into_mariadb, killed_all_the_time_into_sqlite])
