/*
 * The PARTITION BY clause of a definition, taken apart so that partitions can be added, dropped and
 * looked up by name.
 *
 * Pure. Threads: functions of their arguments only; all results in the arena.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_PARTITIONING_H
#define SLUICE_DISPATCHER_CORE_DDL_PARTITIONING_H

#include "common/base/arena.h"

typedef struct {
    const char *name;
    const char *text; /* behind the name: VALUES LESS THAN (10) …, without ENGINE */
} partition_t;

typedef struct {
    const char *head; /* PARTITION BY RANGE (`a`), without PARTITIONS n and the list */
    uint32_t number;  /* of HASH and KEY; 0: not said */
    partition_t *partitions;
    uint32_t partition_count;
} partitioning_t;

/* false: not understood. */
bool partitioning_parse(const char *text, arena_t *arena, partitioning_t *partitioning);
/* A list of partition definitions without its parentheses. */
bool partitioning_parse_list(const char *text, arena_t *arena, partition_t **partitions,
                             uint32_t *count);
const char *partitioning_text(const partitioning_t *partitioning, arena_t *arena);

/* Index of the partition of that name (ASCII case aside), -1. */
int partitioning_find(const partitioning_t *partitioning, const char *name);

#endif
