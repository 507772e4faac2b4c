"""The file sink, whose writers die at every step."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from lib import feed as feeds
from lib import files, scenario


def files_keep_everything_whatever_is_killed():
    """Nothing is lost and the lines say which are repeats; files that were open are completed by who comes next."""
    with feeds.into_files("k.*", parameters="?rotate-bytes=1024") as feed:
        feed.source.sql("CREATE DATABASE k", "CREATE TABLE k.a (id INT PRIMARY KEY, v INT)",
                        "CREATE TABLE k.b (id INT PRIMARY KEY, v INT)")
        for n, order in enumerate([
                "sink.rows.commit(k.a)=kill", "sink.rows.committed(k.a)=kill", "sink.ddl.execute(k.a)=kill",
                "sink.ddl.finished(k.a)=kill", "sink.file.rename=kill", "sink.file.renamed=kill",
                "sink.rows.committed(k.a)=error", "sink.ddl.finished(k.a)=error"]):
            feed.caught_up()
            feed.spread()
            # Every node completes files, and so does who comes after one that died there.
            among = [feed.node_of("k.a")] if order.startswith("sink.file.") else None
            owner = feed.lose_one(
                order, f"INSERT INTO k.a (id, v) VALUES ({n}, 0), ({n + 100}, 0)",
                f"ALTER TABLE k.a ADD COLUMN c{n} INT DEFAULT {n}",
                f"INSERT INTO k.b (id, v) VALUES ({n}, 0)", "UPDATE k.a SET v = v + 1",
                among=among)
            if order.endswith("kill"):
                feed.restart_node(owner)
        feed.caught_up()
        assert set(feed.cluster.stop().values()) == {0}
        replay = files.check(feed.source, feed.directory, "feed")
        assert len(replay.lines.ddl) == 3 + 8, replay.lines.ddl


if __name__ == "__main__":
    scenario.main([files_keep_everything_whatever_is_killed])
