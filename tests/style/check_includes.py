#!/usr/bin/env python3
"""The direction of the arrows: core → common's pure part only; shell → core, adapters; common knows
no role; dispatcher and maintainer never include each other.

usage: check_includes.py ROOT
"""
import pathlib
import re
import sys

PURE = ("common/base/", "common/model/", "common/wire/", "common/filter/")
# Folder → folders that its files may include. The first that fits counts.
RULES = [
    (("common/wire/",), PURE + ("sluice.pb-c.h",)),
    (PURE, PURE),
    (("common/",), ("common/",)),
    (("dispatcher/core/",), PURE + ("dispatcher/core/",)),
    (("dispatcher/upstream/",), ("common/", "dispatcher/core/", "dispatcher/upstream/")),
    (("dispatcher/sink/",), ("common/", "dispatcher/core/", "dispatcher/sink/")),
    (("dispatcher/store/",), ("common/", "dispatcher/core/", "dispatcher/store/")),
    (("dispatcher/",), ("common/", "dispatcher/")),
    (("maintainer/core/",), PURE + ("maintainer/core/",)),
    (("maintainer/meta/",), ("common/", "maintainer/core/", "maintainer/meta/")),
    (("maintainer/api/",), ("common/", "maintainer/core/", "maintainer/meta/", "maintainer/api/")),
    (("maintainer/ctl/",), ("common/", "maintainer/ctl/")),
    (("maintainer/",), ("common/", "maintainer/")),
]
PURE_FILES = PURE + ("dispatcher/core/", "maintainer/core/")
SYSTEM_ALLOWED = re.compile(
    r"^(assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdatomic|stdbool|stddef"
    r"|stdint|stdio|stdlib|string|strings|xxhash|uthash|utlist|zlib|time"
    r"|protobuf-c/protobuf-c)\.h$"
)
# What a pure file may include beyond that, and why.
SYSTEM_EXCEPTIONS = {
    # Running out of memory ends the process with a line.
    "common/base/memory.c": {"unistd.h"},
    # Both compute, and touch nothing outside.
    "common/filter/table_filter.c": {"regex.h"},
    "common/model/charset.c": {"iconv.h"},
    # The one structure that threads share.
    "dispatcher/core/status/block_status_buffer.c": {"pthread.h"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def complaints(root, path):
    name = str(path.relative_to(root))
    allowed = next((to for folders, to in RULES if name.startswith(folders)), None)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, included = match.groups()
        place = f"{name}:{number}"
        if kind == '"' and "/" not in included and included != "sluice.pb-c.h":
            yield f"{place}: includes are written from the root: {included}"
        elif kind == '"' and not included.startswith(allowed):
            yield f"{place}: may not include {included}"
        elif (kind == "<" and name.startswith(PURE_FILES) and not SYSTEM_ALLOWED.match(included)
              and included not in SYSTEM_EXCEPTIONS.get(name, ())):
            yield f"{place}: a pure file may not include <{included}>"


def main():
    root = pathlib.Path(sys.argv[1])
    files = [p for top in ("common", "dispatcher", "maintainer") for p in (root / top).rglob("*.[ch]")]
    found = [line for path in sorted(files) for line in complaints(root, path)]
    print("\n".join(found))
    sys.exit(1 if found or not files else 0)


main()
