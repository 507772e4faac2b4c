/*
 * What upstream.c (groups, truth), upstream_draw.c (what a seed does) and upstream_tell.c (what a
 * named case does) share.
 */
#ifndef SLUICE_TESTS_SIM_UPSTREAM_INTERNAL_H
#define SLUICE_TESTS_SIM_UPSTREAM_INTERNAL_H

#include "dispatcher/upstream/binlog_writer.h"
#include "tests/sim/upstream.h"

#define OUTSIDE "out"
#define TABLE_ROWS_MAX 24

/* One row change of the log, for replaying it. */
typedef struct {
    uint64_t identity;
    row_kind_t kind;
    sim_row_t before, after;
} sim_change_t;

typedef struct {
    sim_group_t group;
    size_t begin, end; /* of its events in the writer */
    uint32_t first_change, change_count;
} sim_entry_t;

typedef struct {
    commit_ts_t at;
    sim_truth_t truth;
} sim_version_t;

typedef struct {
    uint64_t identity;
    sim_version_t *versions;
    uint32_t count, capacity;
} sim_history_t;

struct sim_log {
    sim_log_options_t options;
    sim_random_t random;
    arena_t arena;
    sim_database_t source, beginning;
    table_filter_t *filter;
    changefeed_config_t config;
    bytes_t snapshot;
    uint64_t start;
    binlog_writer_t writer;
    size_t format_len;
    sim_entry_t *entries;
    uint32_t entry_count, entry_capacity;
    sim_change_t *changes;
    uint32_t change_count, change_capacity;
    sim_history_t *histories;
    uint32_t history_count, history_capacity;
    uint64_t now_ns;
    uint64_t seqs, names, maps;
};

/* ---- making one group ---- */

/* Begins the next group, visible `after_ns` behind the last one. */
sim_entry_t *log_begin(sim_log_t *log, uint64_t after_ns);
/* The group's one statement, and what follows from it; false: the source refuses it, nothing was
 * begun. */
bool log_statement(sim_log_t *log, uint64_t after_ns, const sim_statement_t *statement,
                   error_report_t *report);
/* Rows in the group begun: a transaction's, or a CREATE … SELECT's. */
void log_begin_transaction(sim_log_t *log);
void log_rows(sim_log_t *log, sim_table_t *table, uint32_t count);
void log_end_transaction(sim_log_t *log);
/* A transaction that was undone: in the log all the same, its rows must not come out. */
void log_rolled_back(sim_log_t *log, uint64_t after_ns, const sim_table_t *table);

#endif
