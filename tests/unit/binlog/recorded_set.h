/*
 * One recorded set of tests/data: its logs through file reader, assembler and decoder, its rows
 * kept as a database would. Failures of reading are results; everything else fails the test.
 */
#ifndef SLUICE_TESTS_UNIT_BINLOG_RECORDED_SET_H
#define SLUICE_TESTS_UNIT_BINLOG_RECORDED_SET_H

#include "dispatcher/core/binlog/group_assembler.h"
#include "dispatcher/upstream/source.h"
#include "dispatcher/upstream/upstream.h"

typedef struct recorded_set recorded_set_t;

/* `group_bytes_max`: with a small one every group goes through the spill. */
recorded_set_t *recorded_set_open(const char *name, uint64_t group_bytes_max);
void recorded_set_close(recorded_set_t **set);

/* From now on every table is outside the filter. */
void recorded_set_carry_nothing(recorded_set_t *set);

/* Called with every DDL, before rows that its group has. */
typedef void recorded_ddl_fn(void *context, const group_t *group);
void recorded_set_on_ddl(recorded_set_t *set, recorded_ddl_fn *on_ddl, void *context);

/* Reads everything; SLUICE_OK at the end of the log. */
sluice_error_t recorded_set_read(recorded_set_t *set, error_report_t *report);

/* Reads everything with one in about `period` events damaged in a few bytes, checksums not being
 * looked at, as `seed` says. Whatever comes of it is not compared with anything. */
sluice_error_t recorded_set_read_damaged(recorded_set_t *set, uint64_t seed, unsigned period);

/* Compares the rows with the set's state.txt; fails the test at the first difference. */
void recorded_set_check_state(const recorded_set_t *set);

typedef struct {
    uint64_t groups, row_groups, parts, rows, ddls;
    commit_ts_t newest;
} recorded_counts_t;

recorded_counts_t recorded_set_counts(const recorded_set_t *set);

#endif
