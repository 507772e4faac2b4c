/*
 * The row events of one group while it is incomplete, in memory or, beyond the limit, in the spill;
 * undone to a savepoint; at last handed out as transactions. Used by group_assembler.c alone. Pure.
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_GROUP_ROWS_H
#define SLUICE_DISPATCHER_CORE_BINLOG_GROUP_ROWS_H

#include "dispatcher/core/binlog/group_assembler.h"

typedef struct group_rows group_rows_t;

group_rows_t *group_rows_new(uint64_t bytes_max, const group_spill_t *spill);
void group_rows_destroy(group_rows_t **rows);

/* Forgets everything: a new group, or one that was rolled back. */
void group_rows_clear(group_rows_t *rows);

/* Makes a map usable in this group; takes a reference. Returns its slot. */
uint32_t group_rows_add_map(group_rows_t *rows, const table_map_t *map);
uint32_t group_rows_map_count(const group_rows_t *rows);
/* The map in that slot, NULL after it was left out. Borrowed. */
const table_map_t *group_rows_map(const group_rows_t *rows, uint32_t slot);
/* Rows of that slot shall not come out. */
void group_rows_leave_out(group_rows_t *rows, uint32_t slot);

/* Adds a ROWS event of event type `type`. Checks the image when the map is bound. */
sluice_error_t group_rows_add(group_rows_t *rows, uint32_t slot, uint8_t type, bytes_t body,
                              error_report_t *report) SLUICE_MUST_USE;

/* SLUICE_ERROR_TOO_LARGE: more than GROUP_SAVEPOINTS_MAX. */
sluice_error_t group_rows_savepoint(group_rows_t *rows, bytes_t name) SLUICE_MUST_USE;
/* SLUICE_ERROR_NOT_FOUND: no savepoint of that name. */
sluice_error_t group_rows_rollback_to(group_rows_t *rows, bytes_t name) SLUICE_MUST_USE;

bool group_rows_is_empty(const group_rows_t *rows);

/* The group is complete; every map that is not left out is bound. The next part, with everything
 * but commit_ts and commit_time set; *transaction NULL when nothing is left (then also for a group
 * whose rows were all left out). */
sluice_error_t group_rows_take(group_rows_t *rows, transaction_t **transaction,
                               error_report_t *report) SLUICE_MUST_USE;

#endif
