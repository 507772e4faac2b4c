#!/usr/bin/env python3
"""Fail points (common/runtime/fail_point.h): every name that the code passes is in the table and the other way round;
programs that are built without them hold no symbol and no text of them, programs built with them do.

usage: check_fail_points.py ROOT NM STRIP with|without PROGRAM...
"""
import pathlib
import re
import subprocess
import sys
import tempfile

TABLE = "common/runtime/fail_point_names.c"
MESSAGES = "common/runtime/fail_point_message.c"
TOLD = ("SLUICE_FAIL_POINTS", "/debug/fail-points", "fail point")
PASSED = re.compile(r'FAIL_POINT\(\s*"([^"]+)"')
# Names picked by a function and passed as its value.
PICKED = re.compile(r'"(meta\.[a-z-]+\.[a-z-]+)"')


def table(root):
    text = (root / TABLE).read_text()
    single = re.findall(r'^    \{"([a-z.-]+)"', text, re.M)
    messages = re.findall(r'^    MESSAGE\("([a-z.-]+)"', text, re.M)
    return single, messages


def passed(root):
    single, messages = set(), set(re.findall(r'"((?:node|maintainer)\.[a-z-]+)"',
                                             (root / MESSAGES).read_text()))
    for top in ("common", "dispatcher", "maintainer"):
        for path in (root / top).rglob("*.c"):
            if str(path.relative_to(root)) == TABLE:
                continue
            text = path.read_text()
            single.update(PASSED.findall(text))
            if "FAIL_POINT(" in text:
                single.update(PICKED.findall(text))
    return single, messages


def name_complaints(root):
    for known, used in zip(table(root), passed(root)):
        yield from (f"{name} is twice in {TABLE}" for name in set(known) if known.count(name) > 1)
        yield from (f"{name} is passed and not in {TABLE}" for name in sorted(used - set(known)))
        yield from (f"{name} is in {TABLE} and passed nowhere" for name in sorted(set(known) - used))
        if not known or not used:
            yield f"no names found in {TABLE} or in the code: this check looks at the wrong place"


def contents(nm, strip, program):
    """Symbols, and what is loaded: debug information names sources, which are no part of the program."""
    with tempfile.TemporaryDirectory() as directory:
        stripped = f"{directory}/program"
        subprocess.run([strip, "-g", "-o", stripped, program], check=True)
        loaded = pathlib.Path(stripped).read_bytes()
    symbols = subprocess.run([nm, program], check=True, capture_output=True, text=True).stdout
    return re.findall(r"\b(\w*fail_point\w*)", symbols), loaded


def program_complaints(root, nm, strip, is_with, program):
    single, messages = table(root)
    symbols, loaded = contents(nm, strip, program)
    # Whole texts: some begin as keys of the configuration do.
    texts = [text for text in TOLD if text.encode() in loaded]
    texts += [name for name in (*single, *messages) if b"\0" + name.encode() + b"\0" in loaded]
    if not is_with:
        yield from (f"{program} has the symbol {name}" for name in symbols)
        yield from (f"{program} holds the text \"{text}\"" for text in texts)
    elif not program.endswith("sluicectl") and not (symbols and TOLD[0] in texts):
        yield f"{program} has no fail points: this check would not find them"


def main():
    root, nm, strip, is_with = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4] == "with"
    programs = sys.argv[5:]
    if not programs:
        sys.exit("no programs given")
    found = list(name_complaints(root))
    for program in programs:
        found += program_complaints(root, nm, strip, is_with, program)
    print("\n".join(found))
    sys.exit(1 if found else 0)


main()
