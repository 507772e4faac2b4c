/*
 * Names the rows in which two sides differ, given the rows of the chunks that do: key, what is only
 * in the source, only in the sink, or different, and in which columns. Bounded: rows beyond the
 * limit are counted, not held. Pure.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_MAINTAINER_CTL_COMPARE_ROW_DIFFERENCE_H
#define SLUICE_MAINTAINER_CTL_COMPARE_ROW_DIFFERENCE_H

#include "common/base/arena.h"
#include "maintainer/ctl/compare/row_sums.h"

typedef struct row_difference row_difference_t;

typedef enum { SIDE_SOURCE, SIDE_SINK } side_t;

#define ROW_DIFFERENCE_ROWS_MAX 200000

typedef void row_difference_report_t(const char *line, void *context);

/* `column_names` is borrowed until destroyed. */
row_difference_t *row_difference_new(const char *const *column_names, uint32_t column_count);
void row_difference_destroy(row_difference_t **self);

/* Takes one row (copied). `key_cells` names it: the key's cells, or all cells of a table without a
 * key. */
void row_difference_add(row_difference_t *self, side_t side, const cell_t *key_cells,
                        uint32_t key_count, const cell_t *cells);

/* Calls `report` for each differing row, at most `lines_max` times; returns how many differ. */
uint64_t row_difference_finish(row_difference_t *self, row_difference_report_t *report,
                               void *context, uint32_t lines_max);

#endif
