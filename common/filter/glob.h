/*
 * Patterns with wildcards over UTF-8 names: * any text, ? one character, [a-z] one of a set, [!a-z]
 * none of a set, \ takes away a character's meaning. Only the table filter uses it.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_COMMON_FILTER_GLOB_H
#define SLUICE_COMMON_FILTER_GLOB_H

#include "common/base/bytes.h"

/* Whether the pattern is complete: every [ closed, nothing ends in \. */
bool glob_is_valid(bytes_t pattern);

bool glob_matches(bytes_t pattern, bytes_t text);

/* The pattern matches every text: nothing but *. */
bool glob_matches_all(bytes_t pattern);

#endif
