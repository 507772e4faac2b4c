/*
 * Charsets and collations by name: which belongs to which, and what is meant when only one is said.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_COLLATION_H
#define SLUICE_DISPATCHER_CORE_DDL_COLLATION_H

#include "common/base/arena.h"

typedef struct {
    const char *charset;   /* NULL: unknown */
    const char *collation; /* NULL: only the charset is known */
} charset_choice_t;

/* Names as MariaDB shows them: lower case, "utf8" is utf8mb3, also in front of a collation. */
const char *charset_normalise(bytes_t name, arena_t *arena);
const char *collation_normalise(bytes_t name, arena_t *arena);

/* The collation that a charset named alone stands for; NULL for an unknown one. */
const char *charset_default_collation(const char *charset);

/* "utf8mb4" of "utf8mb4_bin"; NULL when the name does not say it ("uca1400_ai_ci"). */
const char *collation_charset(const char *collation, arena_t *arena);

/* Bytes that one character takes at most; 1 for an unknown charset. */
uint32_t charset_bytes_max(const char *charset);

/* By the id that Query events carry. Both NULL for an unknown id. */
charset_choice_t collation_by_id(uint32_t id, arena_t *arena);

/* What CHARACTER SET `charset` COLLATE `collation` (each NULL when not written) makes of what held
 * before. */
charset_choice_t charset_choose(const char *charset, const char *collation,
                                charset_choice_t inherited, arena_t *arena);

#endif
