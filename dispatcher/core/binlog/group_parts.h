/*
 * From the row events of a group to a transaction_t, sorted by table. Used by group_rows.c alone.
 * Pure. Threads: functions only.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_GROUP_PARTS_H
#define SLUICE_DISPATCHER_CORE_BINLOG_GROUP_PARTS_H

#include "dispatcher/core/binlog/table_map.h"
#include "dispatcher/core/transaction.h"

typedef struct {
    uint32_t slot; /* of its map */
    row_kind_t kind;
    bytes_t body;
} row_record_t;

/* Whether the event fits its map and its images are whole; errors of rows_reader_init. */
sluice_error_t row_record_check(const row_record_t *record, const table_map_t *map,
                                error_report_t *report) SLUICE_MUST_USE;

/* Builds a transaction of at least one record; tables come in the order of their first slot, events
 * of a table in the order of the records. Takes *arena, which holds the bodies, over and leaves an
 * empty one. References to maps and definitions are taken. */
transaction_t *transaction_build(const table_map_t *const *maps, uint32_t map_count,
                                 const row_record_t *records, uint32_t record_count,
                                 arena_t *arena);

#endif
