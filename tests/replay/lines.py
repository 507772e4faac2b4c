"""Reads the lines of a directory that the file sink wrote, and drops what came twice."""
import glob
import json
import os


def files(directory, changefeed=None):
    """Complete files and open ones; of an open one only whole lines count."""
    prefix = f"{changefeed}." if changefeed else ""
    found = glob.glob(os.path.join(directory, f"{glob.escape(prefix)}*.json"))
    found += glob.glob(os.path.join(directory, f"{glob.escape(prefix)}*.json.tmp"))
    return sorted(found)


def lines_of(path):
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:  # completed, hence renamed, since the directory was listed
        with open(path.removesuffix(".tmp"), "rb") as file:
            content = file.read()
    whole = content[:content.rfind(b"\n") + 1]
    for number, line in enumerate(whole.splitlines(), 1):
        try:
            yield json.loads(line.decode("utf-8"))
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from error


class Lines:
    """Everything a directory says, each row change and each DDL once."""

    def __init__(self, directory, changefeed=None):
        self.ddl = {}         # commitTs -> line
        self.rows = {}        # (tableId, commitTs, seq) -> line
        self.watermarks = {}  # file -> newest
        self.repeats = 0
        self.conflicts = []   # lines of one name that differ
        for path in files(directory, changefeed):
            for line in lines_of(path):
                self.add(os.path.basename(path), line)

    def add(self, name, line):
        cdc = line["_cdc"]
        if line["type"] == "WATERMARK":
            self.watermarks[name] = max(self.watermarks.get(name, 0), cdc["watermarkTs"])
        elif line["isDdl"]:
            self.put(self.ddl, cdc["commitTs"], line)
        elif line["type"] in ("INSERT", "UPDATE", "DELETE"):
            self.put(self.rows, (cdc["tableId"], cdc["commitTs"], cdc["seq"]), line)

    def put(self, known, key, line):
        earlier = known.setdefault(key, line)
        if earlier is line:
            return
        self.repeats += 1
        if self.said(earlier) != self.said(line):
            self.conflicts.append((earlier, line))

    @staticmethod
    def said(line):
        """A line without what differs each time it is written."""
        return {**line, "ts": 0, "_cdc": {**line["_cdc"], "watermarkTs": 0}}

    def in_order(self):
        """DDL before the rows of its commitTs, a table's rows by (commitTs, seq)."""
        events = [((ts, 0, "", 0), line) for ts, line in self.ddl.items()]
        events += [((ts, 1, table, seq), line) for (table, ts, seq), line in self.rows.items()]
        return [line for _, line in sorted(events, key=lambda event: event[0])]
