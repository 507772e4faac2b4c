/*
 * What simulation.c (transactions) and simulation_ddl.c (schema changes) share.
 */
#ifndef SLUICE_DISPATCHER_UPSTREAM_SIMULATION_INTERNAL_H
#define SLUICE_DISPATCHER_UPSTREAM_SIMULATION_INTERNAL_H

#include "dispatcher/upstream/simulation.h"

#define SIMULATED_SCHEMA "sim"
#define SIMULATED_ROWS_KEPT 1024 /* live rows of a table, at most */
#define SIMULATED_EXTRA_MAX 8
#define SIMULATED_EXTRA_DEFAULT 7
#define SIMULATED_INDEXES_MAX 4
#define SIMULATED_NAME_SIZE 32
#define SIMULATED_CREATE_SIZE 2048

typedef struct {
    char name[SIMULATED_NAME_SIZE];
    uint64_t added; /* rows written before it have its default */
} simulated_column_t;

typedef struct {
    char name[SIMULATED_NAME_SIZE];
    uint64_t map_id;
    uint64_t first_row, next_row; /* live rows: [first_row, next_row) */
    uint32_t extra_count, index_count;
    simulated_column_t extras[SIMULATED_EXTRA_MAX];
    uint64_t written[SIMULATED_ROWS_KEPT]; /* group that wrote the row last, by row modulo size */
} simulated_table_t;

struct simulation {
    simulation_options_t options;
    uint64_t random;
    uint64_t sequence;
    simulated_table_t **tables;
    uint32_t table_count, table_capacity;
    uint64_t names_used, columns_used, map_ids_used;
    bool has_view;
    binlog_writer_t unwanted;
};

uint64_t simulation_random(simulation_t *self);
simulated_table_t *simulation_add_table(simulation_t *self);
void simulation_format_create(const simulated_table_t *table, char *text, size_t size);

void simulation_put_map(const simulated_table_t *table, binlog_writer_t *writer);
void simulation_put_rows(simulation_t *self, simulated_table_t *table, uint32_t count,
                         row_kind_t kind, binlog_writer_t *writer);

/* The group of one schema change, chosen at random. */
void simulation_put_ddl(simulation_t *self, binlog_writer_t *writer);

#endif
