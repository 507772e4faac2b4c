#include "dispatcher/sink/mariadb/span_rows.h"

#define ROWS_AT_FIRST 4

void span_rows_add(span_rows_t *rows, const span_row_t *row)
{
    if (rows->count == rows->room) {
        rows->room = rows->room ? rows->room * 2 : ROWS_AT_FIRST;
        span_row_t *grown = arena_alloc(rows->arena, rows->room * sizeof *grown);
        if (rows->count > 0)
            memcpy(grown, rows->rows, rows->count * sizeof *grown);
        rows->rows = grown;
    }
    rows->rows[rows->count++] = *row;
}

/* An empty end is behind everything. */
static bool is_before_end(bytes_t key, bytes_t end)
{
    return end.len == 0 || bytes_compare(key, end) < 0;
}

bool span_keys_overlap(bytes_t a_start, bytes_t a_end, bytes_t b_start, bytes_t b_end)
{
    return is_before_end(a_start, b_end) && is_before_end(b_start, a_end);
}

static bool overlaps(const span_row_t *row, uint64_t generation, bytes_t start, bytes_t end)
{
    return !row->is_removed && row->generation == generation &&
           span_keys_overlap(row->start_key, row->end_key, start, end);
}

static bool is_refused(const span_rows_t *rows, uint64_t generation, bytes_t start, bytes_t end,
                       assignment_epoch_t epoch)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        const span_row_t *row = &rows->rows[i];
        if (row->is_removed)
            continue;
        if (row->generation > generation)
            return true;
        if (overlaps(row, generation, start, end) &&
            assignment_epoch_compare(row->epoch, epoch) > 0)
            return true;
    }
    return false;
}

/* Walks from row to row over the span; rows do not overlap each other. */
static bool is_covered(const span_rows_t *rows, uint64_t generation, bytes_t start, bytes_t end,
                       commit_ts_t *least)
{
    bytes_t at = start;
    *least = COMMIT_TS_MAX;
    for (;;) {
        const span_row_t *next = NULL;
        for (uint32_t i = 0; i < rows->count && !next; i++) {
            const span_row_t *row = &rows->rows[i];
            if (overlaps(row, generation, start, end) && bytes_compare(row->start_key, at) <= 0 &&
                is_before_end(at, row->end_key))
                next = row;
        }
        if (!next)
            return false;
        if (next->progress.v < least->v)
            *least = next->progress;
        if (next->end_key.len == 0)
            return true;
        if (end.len > 0 && bytes_compare(next->end_key, end) >= 0)
            return true;
        at = next->end_key;
    }
}

static void remainder_add(span_rows_t *rows, const span_row_t *whole, bytes_t start, bytes_t end)
{
    span_row_t rest = *whole;
    rest.start_key = start;
    rest.end_key = end;
    rest.is_stored = rest.is_removed = false;
    span_rows_add(rows, &rest);
}

static void row_take(span_rows_t *rows, uint32_t index, bytes_t start, bytes_t end)
{
    span_row_t row = rows->rows[index];
    rows->rows[index].is_removed = true;
    if (bytes_compare(row.start_key, start) < 0)
        remainder_add(rows, &row, row.start_key, start);
    if (end.len > 0 && (row.end_key.len == 0 || bytes_compare(row.end_key, end) > 0))
        remainder_add(rows, &row, end, row.end_key);
}

sluice_error_t span_rows_claim(span_rows_t *rows, uint64_t generation, bytes_t start_key,
                               bytes_t end_key, assignment_epoch_t epoch, commit_ts_t *found)
{
    *found = COMMIT_TS_NONE;
    if (is_refused(rows, generation, start_key, end_key, epoch))
        return SLUICE_ERROR_NOT_OWNER;
    if (!is_covered(rows, generation, start_key, end_key, found))
        *found = COMMIT_TS_NONE;
    uint32_t count = rows->count;
    for (uint32_t i = 0; i < count; i++) {
        if (overlaps(&rows->rows[i], generation, start_key, end_key))
            row_take(rows, i, start_key, end_key);
        else if (rows->rows[i].generation < generation)
            rows->rows[i].is_removed = true;
    }
    span_row_t own = {.generation = generation,
                      .start_key = start_key,
                      .end_key = end_key,
                      .epoch = epoch,
                      .progress = *found};
    span_rows_add(rows, &own);
    return SLUICE_OK;
}

void span_rows_raise(span_rows_t *rows, uint64_t generation, bytes_t start_key,
                     commit_ts_t progress)
{
    for (uint32_t i = 0; i < rows->count; i++) {
        span_row_t *row = &rows->rows[i];
        if (!row->is_removed && row->generation == generation &&
            bytes_equal(row->start_key, start_key) && row->progress.v < progress.v)
            row->progress = progress;
    }
}
