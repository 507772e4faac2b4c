/*
 * The net effect of many row changes of one span, for sinks that keep state (DESIGN §5, order of
 * rows): per key the last state only, deletes first, then upserts; for a table without a key every
 * change, in statement order. An UPDATE that changes the key is a delete of the old and an upsert
 * of the new one. Pure.
 *
 * Threads: one at a time. Everything lives in the arena given.
 */
#ifndef SLUICE_DISPATCHER_SINK_ROW_BATCH_H
#define SLUICE_DISPATCHER_SINK_ROW_BATCH_H

#include "common/base/error.h"
#include "dispatcher/core/transaction.h"

typedef struct {
    const table_definition_t *definition;
    const key_definition_t *key;   /* NULL: table without a key, only `changes` is filled */
    const value_t *const *deletes; /* images whose key columns name the row to delete */
    uint32_t delete_count;
    const value_t *const *upserts; /* images to put; the row may or may not be there */
    uint32_t upsert_count;
    const row_change_t *changes;
    uint32_t change_count;
    uint64_t source_rows;
    uint64_t source_bytes;
} row_batch_t;

/* Decodes and nets the parts in order. Keys are compared by their bytes as logged, except that text
 * keys that differ only by what the column's collation ignores must still end right in the sink: an
 * UPDATE always yields a delete of its before key when key bytes differ. Errors: what decoding
 * finds (SLUICE_ERROR_SOURCE_CORRUPT, SLUICE_ERROR_SOURCE_ROW_IMAGE). */
sluice_error_t row_batch_build(arena_t *arena, const table_rows_t *const *parts,
                               uint32_t part_count, row_batch_t *batch,
                               error_report_t *report) SLUICE_MUST_USE;

#endif
