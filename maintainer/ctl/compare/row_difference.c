#include "maintainer/ctl/compare/row_difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

#include "common/base/memory.h"

typedef struct {
    row_digest_t key;
    const char *key_text;
    const cell_t *cells[2];
    uint64_t count[2];
    row_digest_t sum[2];
    UT_hash_handle hh;
} difference_row_t;

struct row_difference {
    arena_t arena;
    const char *const *column_names;
    uint32_t column_count;
    uint64_t held;
    uint64_t beyond_limit;
    difference_row_t *rows;
};

#define CELL_TEXT_MAX 60

row_difference_t *row_difference_new(const char *const *column_names, uint32_t column_count)
{
    row_difference_t *self = memory_zalloc(sizeof *self);
    self->column_names = column_names;
    self->column_count = column_count;
    return self;
}

void row_difference_destroy(row_difference_t **self)
{
    if (!*self)
        return;
    HASH_CLEAR(hh, (*self)->rows);
    arena_clear(&(*self)->arena);
    free(*self);
    *self = NULL;
}

static bool cell_is_text(const cell_t *cell)
{
    for (size_t i = 0; i < cell->bytes.len && i < CELL_TEXT_MAX; i++)
        if (cell->bytes.data[i] < 0x20 || cell->bytes.data[i] == 0x7f)
            return false;
    return true;
}

static const char *cell_text(arena_t *arena, const cell_t *cell)
{
    if (cell->is_null)
        return "NULL";
    size_t shown = cell->bytes.len < CELL_TEXT_MAX ? cell->bytes.len : CELL_TEXT_MAX;
    const char *more = shown < cell->bytes.len ? "…" : "";
    if (cell_is_text(cell))
        return arena_printf(arena, "'%.*s%s'", (int)shown, (const char *)cell->bytes.data, more);
    char *text = arena_alloc(arena, 2 * shown + 16);
    size_t at = (size_t)sprintf(text, "0x");
    for (size_t i = 0; i < shown; i++)
        at += (size_t)sprintf(text + at, "%02x", cell->bytes.data[i]);
    strcpy(text + at, more);
    return text;
}

static const char *key_text(arena_t *arena, const cell_t *cells, uint32_t count)
{
    const char *text = "";
    for (uint32_t i = 0; i < count && i < 8; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? "," : "", cell_text(arena, &cells[i]));
    return text;
}

static const cell_t *copy_cells(row_difference_t *self, const cell_t *cells)
{
    cell_t *copy = arena_calloc(&self->arena, self->column_count, sizeof *copy);
    for (uint32_t i = 0; i < self->column_count; i++) {
        copy[i] = cells[i];
        if (!cells[i].is_null)
            copy[i].bytes = arena_bytes(&self->arena, cells[i].bytes);
    }
    return copy;
}

void row_difference_add(row_difference_t *self, side_t side, const cell_t *key_cells,
                        uint32_t key_count, const cell_t *cells)
{
    row_digest_t key = row_digest(key_cells, key_count);
    row_digest_t digest = row_digest(cells, self->column_count);
    difference_row_t *row = NULL;
    HASH_FIND(hh, self->rows, &key, sizeof key, row);
    if (!row) {
        if (self->held >= ROW_DIFFERENCE_ROWS_MAX) {
            self->beyond_limit++;
            return;
        }
        self->held++;
        row = arena_zalloc(&self->arena, sizeof *row);
        row->key = key;
        row->key_text = key_text(&self->arena, key_cells, key_count);
        HASH_ADD(hh, self->rows, key, sizeof row->key, row);
    }
    if (!row->cells[side])
        row->cells[side] = copy_cells(self, cells);
    row->count[side]++;
    row->sum[side].high += digest.high;
    row->sum[side].low += digest.low;
}

static const char *differing_columns(row_difference_t *self, const difference_row_t *row)
{
    const char *text = "";
    for (uint32_t i = 0; i < self->column_count; i++) {
        const cell_t *a = &row->cells[SIDE_SOURCE][i], *b = &row->cells[SIDE_SINK][i];
        if (a->is_null == b->is_null && (a->is_null || bytes_equal(a->bytes, b->bytes)))
            continue;
        text = arena_printf(&self->arena, "%s %s: source %s, sink %s;", text, self->column_names[i],
                            cell_text(&self->arena, a), cell_text(&self->arena, b));
    }
    return text;
}

static const char *describe(row_difference_t *self, const difference_row_t *row)
{
    uint64_t in_source = row->count[SIDE_SOURCE], in_sink = row->count[SIDE_SINK];
    if (in_sink == 0)
        return arena_printf(&self->arena, "row (%s): only in the source", row->key_text);
    if (in_source == 0)
        return arena_printf(&self->arena, "row (%s): only in the sink", row->key_text);
    if (in_source != in_sink)
        return arena_printf(&self->arena, "row (%s): %llu times in the source, %llu in the sink",
                            row->key_text, (unsigned long long)in_source,
                            (unsigned long long)in_sink);
    return arena_printf(&self->arena, "row (%s):%s", row->key_text, differing_columns(self, row));
}

uint64_t row_difference_finish(row_difference_t *self, row_difference_report_t *report,
                               void *context, uint32_t lines_max)
{
    uint64_t differing = 0;
    for (difference_row_t *row = self->rows; row; row = row->hh.next) {
        if (row->count[SIDE_SOURCE] == row->count[SIDE_SINK] &&
            row->sum[SIDE_SOURCE].high == row->sum[SIDE_SINK].high &&
            row->sum[SIDE_SOURCE].low == row->sum[SIDE_SINK].low)
            continue;
        if (differing++ < lines_max)
            report(describe(self, row), context);
    }
    if (self->beyond_limit)
        report(arena_printf(&self->arena, "%llu further rows were not looked at",
                            (unsigned long long)self->beyond_limit),
               context);
    return differing + self->beyond_limit;
}
