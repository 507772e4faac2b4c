/*
 * A made-up source: a log of transactions and schema changes as a busy MariaDB would write it, a
 * function of its options alone, so that every process that reads it reads the same, from whatever
 * position.
 *
 * Row images are truthful: an UPDATE's and DELETE's before image is what was written last, columns
 * that an ALTER added included.
 *
 * Pure. Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_SIMULATION_H
#define SLUICE_DISPATCHER_UPSTREAM_SIMULATION_H

#include "common/base/ids.h"
#include "common/base/time.h"
#include "dispatcher/upstream/binlog_writer.h"

#define SIMULATION_TABLES_MAX 1000000
#define SIMULATION_ROWS_MAX 100000
#define SIMULATION_SERVER_ID 1

typedef struct {
    uint32_t tables;
    uint64_t transactions; /* groups in all, DDLs included; 0: without end */
    uint32_t rows_per_transaction;
    uint32_t tables_per_transaction; /* its rows are shared out among so many tables */
    uint32_t ddl_every;              /* every so many groups a DDL; 0: none */
    uint64_t seed;
    uint32_t domain;
} simulation_options_t;

typedef struct simulation simulation_t;

simulation_t *simulation_new(const simulation_options_t *options);
void simulation_destroy(simulation_t **simulation);

/* Appends the events of the next group, which has the next sequence number from 1 on; false at the
 * end. `writer` NULL: only goes on. */
bool simulation_next(simulation_t *simulation, binlog_writer_t *writer);

/* The last group made. */
commit_ts_t simulation_position(const simulation_t *simulation);
wall_ms_t simulation_time(const simulation_t *simulation);

/* Calls back for every table and view that is there now with what SHOW CREATE would say. */
typedef void simulation_visit_fn(void *context, const char *schema, const char *create);
void simulation_visit(const simulation_t *simulation, simulation_visit_fn *visit, void *context);

#endif
