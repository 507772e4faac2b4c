/*
 * The rows of one table on both sides: sums by chunk first, then the differing chunks row by row.
 * Threads: one at a time.
 */
#ifndef SLUICE_MAINTAINER_CTL_COMPARE_COMPARE_ROWS_H
#define SLUICE_MAINTAINER_CTL_COMPARE_COMPARE_ROWS_H

#include <stdio.h>

#include "maintainer/ctl/compare/database.h"

typedef struct {
    uint64_t source_rows, differing;
} compare_rows_result_t;

/* `table` is the source's, described; both sides are asked for its columns. */
sluice_error_t compare_rows(database_t *source, database_t *sink, const compare_table_t *table,
                            bool as_utf8, uint32_t lines_max, FILE *out,
                            compare_rows_result_t *result, error_report_t *report) SLUICE_MUST_USE;

#endif
