/*
 * A made-up source: a log of rows, DDLs and sync points over a set of tables, drawn from a seed,
 * and what is true of it at each position. And a made-up sink that remembers what was done to it
 * and fails the test when that cannot be right (ORACLE B1, B2, B8, K3).
 */
#ifndef SLUICE_TESTS_UNIT_MAINTAINER_MODEL_LOG_H
#define SLUICE_TESTS_UNIT_MAINTAINER_MODEL_LOG_H

#include "tests/testing.h"

#include "common/base/arena.h"
#include "common/wire/message.h"

enum { LOG_MAX = 256, TABLES_MAX = 128, TRIGGER = -1 };

typedef struct {
    uint64_t state;
} random_t;

uint64_t random_next(random_t *random);
/* 0 … below - 1. */
uint64_t random_below(random_t *random, uint64_t below);
bool random_chance(random_t *random, uint32_t percent);

typedef struct {
    table_id_t id;
    char name[16];
    uint64_t created, dropped; /* 0: at the start, never */
    bool by_select;
    schema_id_t first_schema;
} log_table_t;

typedef struct {
    enum { LOG_ROWS, LOG_DDL } kind;
    int row_table;
    block_payload_t payload;
    bool has_syncpoint; /* one lies behind it */
} log_event_t;

typedef struct {
    arena_t arena;
    random_t random;
    log_event_t events[LOG_MAX + 1]; /* by commit_ts, from 1 */
    uint64_t length;
    uint64_t head; /* visible so far */
    log_table_t tables[TABLES_MAX];
    int table_count;
    schema_id_t schema_now[TABLES_MAX]; /* while it is drawn */
} log_t;

void log_draw(log_t *log, uint64_t seed, uint64_t length, int tables);
void log_clear(log_t *log);
int log_table(const log_t *log, table_id_t id); /* TRIGGER for table 0, -2 unknown */

/* Whether the event blocks the table (or TRIGGER): it was created before it and not yet dropped. */
bool log_blocks(const log_t *log, event_key_t key, int table);
/* NULL when there is no such event. */
const block_payload_t *log_payload(const log_t *log, event_key_t key);
bool log_is_blocking(const log_t *log, event_key_t key);
/* Tables that are there at `at`, with schema and name of that moment, in `arena`. */
uint32_t log_table_list(const log_t *log, uint64_t at, arena_t *arena, table_info_t **list);

typedef struct {
    const log_t *log;
    bool executed[LOG_MAX + 1][2];
    uint64_t durable[TABLES_MAX];  /* everything of the table up to here is in the sink */
    uint64_t last_row[TABLES_MAX]; /* commit_ts of its newest row */
    assignment_epoch_t owner[TABLES_MAX + 1]; /* [0]: the trigger's */
    uint32_t executions;
} sink_t;

/* The first act of a dispatcher: false when a newer owner was here. Gives where it has to start. */
bool sink_claim(sink_t *sink, int table, assignment_epoch_t epoch, uint64_t *start);
/* Whether this is still the owner. */
bool sink_owns(const sink_t *sink, int table, assignment_epoch_t epoch);
/* Everything of the table up to `ts` is written; a row of it at `ts` if is_row. */
void sink_reach(sink_t *sink, int table, uint64_t ts, bool is_row);
void sink_execute(sink_t *sink, event_key_t key);
bool sink_has(const sink_t *sink, event_key_t key);
/* B2: what may be written now. */
void sink_check_write(const sink_t *sink, event_key_t key);
/* K3: everything up to the checkpoint is in the sink. */
void sink_check_checkpoint(const sink_t *sink, uint64_t checkpoint);

#endif
