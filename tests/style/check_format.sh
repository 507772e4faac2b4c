#!/bin/sh
# Every C file is as clang-format would write it. Exit 77 (skipped) where clang-format is missing.
# usage: check_format.sh ROOT
command -v clang-format >/dev/null || exit 77
cd "$1" || exit 1
find common dispatcher maintainer tests -name '*.[ch]' -print0 |
    xargs -0 clang-format --dry-run --Werror
