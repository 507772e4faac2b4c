/*
 * Compares a source with a sink, schema and rows, and names what differs. Both must stand still at
 * one position.
 *
 * Threads: one at a time; blocks as long as reading takes.
 */
#ifndef SLUICE_MAINTAINER_CTL_COMPARE_COMPARE_H
#define SLUICE_MAINTAINER_CTL_COMPARE_COMPARE_H

#include <stdio.h>

#include "common/base/bytes.h"
#include "common/base/error.h"

typedef struct {
    const char *source_uri; /* mariadb:// */
    const char *sink_uri;   /* mariadb:// or sqlite:// */
    const bytes_t *filter_rules;
    uint32_t filter_rule_count;
    uint32_t lines_max; /* differing rows named per table */
    FILE *out;          /* a line a difference, then the summary */
} compare_options_t;

typedef struct {
    uint64_t tables, rows; /* of the source */
    uint64_t tables_differing, rows_differing;
} compare_result_t;

/* OK also when something differs: look at the result. An error says that comparing itself was not
 * possible. */
sluice_error_t compare_run(const compare_options_t *options, compare_result_t *result,
                           error_report_t *report) SLUICE_MUST_USE;

#endif
