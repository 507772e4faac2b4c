/*
 * What the PARTITION clauses of a statement make of a table's PARTITION BY text.
 *
 * Threads: functions of their arguments only.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_DRAFT_PARTITIONS_H
#define SLUICE_DISPATCHER_CORE_DDL_DRAFT_PARTITIONS_H

#include "dispatcher/core/ddl/statement.h"

/* `before` NULL: not partitioned; so may be the result. In the arena. */
const char *partition_text_after(const char *before, const table_action_t *actions, uint32_t count,
                                 arena_t *arena);

#endif
