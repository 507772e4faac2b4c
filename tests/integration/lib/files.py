"""What a directory of the file sink says when it is replayed, against the source's tables."""
import os
import sys

sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "../../..")))
from tests.replay import source as replay_source  # noqa: E402
from tests.replay.replay import Replay, differences  # noqa: E402

SYSTEM = ("mysql", "sys", "information_schema", "performance_schema")


def base_tables(server):
    rows = server.sql("SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'")
    return {tuple(row) for row in rows if row[0] not in SYSTEM}


def table_differences(server, replay, names):
    """{(schema, table): how it differs}, for those that do."""
    found = {}
    with server.connect() as connection, connection.cursor() as cursor:
        for name in sorted(names):
            expected = replay_source.rows(cursor, *name)
            table = replay.tables.get(name)
            if table is not None:
                found[name] = differences(expected, table, 3)
            elif expected:
                found[name] = ["not in the files"]
    for name, table in replay.tables.items():
        if name not in names and table.all_rows():
            found[name] = ["not in the source"]
    return {name: texts for name, texts in found.items() if texts}


def check(server, directory, changefeed=None, cannot_tell=lambda table: False):
    """Fails and says why unless the files replay into the source's tables; returns the replay. Of the tables that
    `cannot_tell` names the rows are not looked at, since the log says too little about them."""
    replay = Replay(directory, changefeed)
    problems = [f"{what}: {line}" for what, line in replay.anomalies if not cannot_tell(line["table"])]
    problems += [f"lines differ: {lines}" for lines in replay.lines.conflicts]
    names = base_tables(server)
    found = {name: texts for name, texts in table_differences(server, replay, names).items()
             if not cannot_tell(name[1])}
    for name, texts in found.items():
        problems += [f"{'.'.join(name)}: {text}" for text in texts]
    for problem in problems[:60]:
        print("  " + problem[:600])
    assert not problems, (f"{len(replay.anomalies)} anomalies, {len(replay.lines.conflicts)} conflicts, {len(found)} of "
                          f"{len(names)} tables differ: {' '.join('.'.join(name) for name in found)}")
    return replay
