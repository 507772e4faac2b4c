#!/usr/bin/env python3
"""Files of at most 400 lines, functions of at most 70. What is larger is in size_exceptions.txt with
the size it may have; that list only shrinks: no entry is added and no number grows.

usage: check_sizes.py ROOT EXCEPTIONS
"""
import pathlib
import re
import sys

FILE_LINES, FUNCTION_LINES = 400, 70
NAME = re.compile(r"(\w+)\s*\(")


def functions(lines):
    """(name, length) of each function: its braces stand alone in the first column."""
    start, head = None, ""
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            yield head, number - start + 1
            start, head = None, ""
        elif start is None and line and not line[0].isspace() and NAME.search(line):
            head = NAME.search(line).group(1)


def sizes(root):
    for top in ("common", "dispatcher", "maintainer"):
        for path in sorted((root / top).rglob("*.[ch]")):
            name, lines = str(path.relative_to(root)), path.read_text().splitlines()
            yield name, len(lines), FILE_LINES
            for function, length in functions(lines):
                yield f"{name}:{function}", length, FUNCTION_LINES


def main():
    root, exceptions_path = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    entries = [line.split() for line in exceptions_path.read_text().splitlines()
               if line and not line.startswith("#")]
    exceptions = {name: int(size) for name, size in entries}
    found = []
    for name, size, limit in sizes(root):
        allowed = exceptions.pop(name, None)
        if size > (allowed or limit):
            found.append(f"{name}: {size} lines, {allowed or limit} are allowed: split it")
        elif allowed and size <= limit:
            found.append(f"{name}: is within the limit by now: take it off {exceptions_path.name}")
    found += [f"{name}: is gone: take it off {exceptions_path.name}" for name in exceptions]
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
