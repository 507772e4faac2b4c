/*
 * What a claim does to the progress rows of its table (DESIGN §5, Fencing): who is refused, which
 * rows go, which take their place, and what progress is taken over. Pure; the rows are the ones
 * that the sink has locked.
 *
 * Threads: values.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_SPAN_ROWS_H
#define SLUICE_DISPATCHER_SINK_MARIADB_SPAN_ROWS_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/ids.h"

typedef struct {
    uint64_t generation;
    bytes_t start_key, end_key;
    assignment_epoch_t epoch;
    commit_ts_t progress;
    bool is_stored;  /* in the sink as read */
    bool is_removed; /* to be deleted there if it is stored, else to be forgotten */
} span_row_t;

typedef struct {
    arena_t *arena;
    span_row_t *rows;
    uint32_t count, room;
} span_rows_t;

/* Borrows the keys of `row`. */
void span_rows_add(span_rows_t *rows, const span_row_t *row);

bool span_keys_overlap(bytes_t a_start, bytes_t a_end, bytes_t b_start, bytes_t b_end);

/* Takes over what overlaps [start_key, end_key) for `epoch`. `found` is the least progress of the
 * rows that covered the span, COMMIT_TS_NONE if any part of it had none, or none of this
 * generation. Rows that reach over the span leave their remainders behind, which no owner can match
 * since their bounds are new. SLUICE_ERROR_NOT_OWNER: an overlapping row has a higher epoch or any
 * row a higher generation; nothing is changed then. */
sluice_error_t span_rows_claim(span_rows_t *rows, uint64_t generation, bytes_t start_key,
                               bytes_t end_key, assignment_epoch_t epoch,
                               commit_ts_t *found) SLUICE_MUST_USE;

/* Raises the progress of the claimed row. */
void span_rows_raise(span_rows_t *rows, uint64_t generation, bytes_t start_key,
                     commit_ts_t progress);

#endif
