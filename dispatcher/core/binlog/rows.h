/*
 * From a ROWS event to row changes, one at a time (MARIADB.md §3 and §9). Pure; allocates in the
 * arena given only, and nothing for a row beyond its values.
 *
 * Threads: a reader is a value of one thread; the events it reads are shared and immutable.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_ROWS_H
#define SLUICE_DISPATCHER_CORE_BINLOG_ROWS_H

#include "dispatcher/core/binlog/cursor.h"
#include "dispatcher/core/binlog/event.h"
#include "dispatcher/core/binlog/table_map.h"
#include "dispatcher/core/transaction.h"

/* Whether `type` is one of the twelve ROWS events; `kind` (may be NULL) says which change. */
bool rows_event_type(uint8_t type, row_kind_t *kind);

/* The server's table number that a ROWS event names, and its flags (ROWS_STATEMENT_END). */
#define ROWS_STATEMENT_END 0x1
#define ROWS_MAP_ID_NONE UINT64_C(0xffffff)
sluice_error_t rows_event_peek(bytes_t body, uint64_t *map_id, uint16_t *flags) SLUICE_MUST_USE;

/* The body as rows_event_t wants it: version 1 layout, not compressed. Copied into `arena`. */
sluice_error_t rows_event_normalize(uint8_t type, bytes_t body, arena_t *arena,
                                    bytes_t *normalized) SLUICE_MUST_USE;

typedef struct {
    const table_map_t *map;
    row_kind_t kind;
    cursor_t cursor;
} rows_reader_t;

/* Starts reading `event`, whose map is bound. SLUICE_ERROR_SOURCE_ROW_IMAGE: an image lacks columns
 * (binlog_row_image is not FULL); SLUICE_ERROR_SOURCE_CORRUPT. `report` names the table, not the
 * position. */
sluice_error_t rows_reader_init(rows_reader_t *reader, const rows_event_t *event,
                                error_report_t *report) SLUICE_MUST_USE;

/* The next row into `change`, SLUICE_ERROR_NOT_FOUND at the end of the event,
 * SLUICE_ERROR_SOURCE_CORRUPT for bytes that are no row. Values live in `arena` or borrow from the
 * event's body, so they are good as long as both. */
sluice_error_t rows_reader_next(rows_reader_t *reader, arena_t *arena, row_change_t *change,
                                error_report_t *report) SLUICE_MUST_USE;

#endif
