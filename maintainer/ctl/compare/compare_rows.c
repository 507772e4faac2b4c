#include "maintainer/ctl/compare/compare_rows.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "maintainer/ctl/compare/row_difference.h"

typedef struct {
    const compare_table_t *table;
    uint32_t key_count; /* 0: no key, all cells name the row */
    cell_t *key_cells;
    row_sums_t *sums;             /* first pass */
    row_difference_t *difference; /* second pass */
    const bool *chunk_differs;
    side_t side;
} row_pass_t;

static const cell_t *key_of(row_pass_t *pass, const cell_t *cells, uint32_t *count)
{
    *count = pass->key_count;
    if (pass->key_count == 0) {
        *count = pass->table->column_count;
        return cells;
    }
    uint32_t key = 0;
    for (uint32_t i = 0; i < pass->table->column_count; i++)
        if (pass->table->columns[i].in_key)
            pass->key_cells[key++] = cells[i];
    return pass->key_cells;
}

static sluice_error_t take_row(const cell_t *cells, void *context)
{
    row_pass_t *pass = context;
    uint32_t key_count;
    const cell_t *key = key_of(pass, cells, &key_count);
    row_digest_t key_digest = row_digest(key, key_count);
    if (pass->sums)
        row_sums_add(pass->sums, key_digest, row_digest(cells, pass->table->column_count));
    else if (pass->chunk_differs[row_chunk(key_digest)])
        row_difference_add(pass->difference, pass->side, key, key_count, cells);
    return SLUICE_OK;
}

typedef struct {
    FILE *out;
    const compare_table_t *table;
} line_context_t;

static void print_line(const char *line, void *context)
{
    line_context_t *self = context;
    fprintf(self->out, "%s.%s: %s\n", self->table->schema, self->table->name, line);
}

static uint32_t count_key_columns(const compare_table_t *table)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < table->column_count; i++)
        count += table->columns[i].in_key;
    return count;
}

static sluice_error_t read_both(database_t *source, database_t *sink, bool as_utf8,
                                row_pass_t *pass, row_sums_t *sums, error_report_t *report)
{
    pass->side = SIDE_SOURCE;
    pass->sums = sums ? &sums[SIDE_SOURCE] : NULL;
    sluice_error_t error = source->api->rows(source, pass->table, as_utf8, take_row, pass, report);
    if (error)
        return error;
    pass->side = SIDE_SINK;
    pass->sums = sums ? &sums[SIDE_SINK] : NULL;
    return sink->api->rows(sink, pass->table, as_utf8, take_row, pass, report);
}

static sluice_error_t name_rows(database_t *source, database_t *sink, bool as_utf8,
                                row_pass_t *pass, uint32_t lines_max, FILE *out,
                                uint64_t *differing, error_report_t *report)
{
    const compare_table_t *table = pass->table;
    const char **names = memory_zalloc(table->column_count * sizeof *names);
    for (uint32_t i = 0; i < table->column_count; i++)
        names[i] = table->columns[i].name;
    pass->difference = row_difference_new(names, table->column_count);
    sluice_error_t error = read_both(source, sink, as_utf8, pass, NULL, report);
    line_context_t context = {out, table};
    if (!error)
        *differing = row_difference_finish(pass->difference, print_line, &context, lines_max);
    row_difference_destroy(&pass->difference);
    free(names);
    return error;
}

sluice_error_t compare_rows(database_t *source, database_t *sink, const compare_table_t *table,
                            bool as_utf8, uint32_t lines_max, FILE *out,
                            compare_rows_result_t *result, error_report_t *report)
{
    row_sums_t *sums = memory_zalloc(2 * sizeof *sums);
    bool *chunk_differs = memory_zalloc(ROW_SUMS_CHUNKS * sizeof *chunk_differs);
    row_pass_t pass = {.table = table, .chunk_differs = chunk_differs};
    pass.key_count = count_key_columns(table);
    pass.key_cells = memory_zalloc(table->column_count * sizeof *pass.key_cells);
    sluice_error_t error = read_both(source, sink, as_utf8, &pass, sums, report);
    result->source_rows = sums[SIDE_SOURCE].rows;
    if (!error && row_sums_differ(&sums[SIDE_SOURCE], &sums[SIDE_SINK], chunk_differs) > 0)
        error = name_rows(source, sink, as_utf8, &pass, lines_max, out, &result->differing, report);
    free(pass.key_cells);
    free(chunk_differs);
    free(sums);
    return error;
}
