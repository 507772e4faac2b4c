"""What a MariaDB server was told to do, from its general log."""
import re

STATEMENT = re.compile(r"^(?:\d{6}\s+[\d:]+)?\s+\d+ (Query|Execute|Prepare)\s(.*)$")


def statements(path):
    """(command, text) of each entry; texts of several lines are joined."""
    entries = []
    with open(path, errors="replace") as log:
        for line in log:
            match = STATEMENT.match(line.rstrip("\n"))
            if match:
                entries.append([match.group(1), match.group(2)])
            elif entries and not re.match(r"^(?:\d{6}\s+[\d:]+)?\s+\d+ [A-Z]", line):
                entries[-1][1] += "\n" + line.rstrip("\n")
    return [tuple(entry) for entry in entries]


SCHEMA_VERB = re.compile(r"^\s*(/\*.*?\*/\s*)?(CREATE|ALTER|DROP|RENAME|TRUNCATE)\b", re.I)


def schema_changes(path):
    return [text for command, text in statements(path)
            if command == "Query" and SCHEMA_VERB.match(text)]


def unquoted(text):
    """Names without quotes and comments, blanks folded: how a rewritten DROP is recognised."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"\s*,\s*", ",", " ".join(text.replace("`", "").split()))
