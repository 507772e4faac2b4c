"""One changefeed named feed, of d.*, into a MariaDB sink: a table with a key, and one without, which shows every repeat."""
import signal

SHORT_LEASE = {"lease": "2s", "lease_grace": "1s"}


def identical(cluster, name="feed"):
    text = cluster.ctl("compare", "-c", name, output="table")
    assert text.strip().endswith("identical"), text


def catch_up(cluster, source, name="feed"):
    cluster.wait_checkpoint(name, source.gtid_sequence(), 60)


def begin(cluster, source, sink):
    """Creates both tables with a first row."""
    source.sql("CREATE DATABASE d")
    sink.sql("CREATE DATABASE d")
    cluster.create("feed", source.uri(), sink.uri(), "--filter", "d.*")
    source.sql("CREATE TABLE d.t (id INT PRIMARY KEY, v INT)", "CREATE TABLE d.log (n INT)")
    insert(source, 0)
    catch_up(cluster, source)


def insert(source, number):
    source.sql(f"INSERT INTO d.t VALUES ({number}, {number})", f"INSERT INTO d.log VALUES ({number})")


def kill_maintainer(cluster):
    cluster.maintainer.send_signal(signal.SIGKILL)
    cluster.maintainer.wait()


def ends_well(cluster):
    codes = cluster.stop()
    assert set(codes.values()) == {0}, codes


def restart(cluster, names=("n1", "n2")):
    """Everything killed and started again."""
    cluster.kill()
    cluster.start_maintainer()
    for name in names:
        cluster.start_node(name)
    cluster.wait_nodes(len(names))
