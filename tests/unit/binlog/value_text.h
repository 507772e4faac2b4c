/* A decoded value as text, for comparison in tests: numbers as MariaDB shows them, bytes of binary
 * values as hexadecimal. */
#ifndef SLUICE_TESTS_UNIT_BINLOG_VALUE_TEXT_H
#define SLUICE_TESTS_UNIT_BINLOG_VALUE_TEXT_H

#include "common/base/arena.h"
#include "common/model/value.h"

/* In the arena. */
const char *value_text(arena_t *arena, const value_t *value);

#endif
