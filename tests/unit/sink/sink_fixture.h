/*
 * What tests of sinks share: table definitions built by hand, rows as a server logs them, a
 * directory that goes away, and the calls of a sink with one claim.
 */
#ifndef SLUICE_TESTS_UNIT_SINK_SINK_FIXTURE_H
#define SLUICE_TESTS_UNIT_SINK_SINK_FIXTURE_H

#include "dispatcher/core/binlog/table_map.h"
#include "dispatcher/sink/sink.h"
#include "tests/unit/binlog/event_builder.h"

/* ---- tables ---- */

/* A table d.NAME of the columns, with table_id `id` and, unless `key_columns` is 0, a primary key
 * over its first columns. One reference. */
table_definition_t *fixture_table(const char *name, uint64_t id, const column_definition_t *columns,
                                  uint32_t column_count, uint32_t key_columns);

/* (id BIGINT NOT NULL, v VARCHAR(100)) in utf8mb4; PRIMARY KEY (id) if `has_key`. */
table_definition_t *fixture_plain_table(const char *name, uint64_t id, bool has_key);

/* ---- rows of a plain table, as logged ---- */

typedef struct {
    builder_t events; /* table map and rows events */
    builder_t rows;   /* rows of the event being made */
    const table_map_t *map;
    arena_t arena;
    rows_event_t *made;
    uint32_t made_count;
    table_rows_t table_rows;
} fixture_rows_t;

/* Borrows `definition`. */
fixture_rows_t *fixture_rows_new(const table_definition_t *definition);
void fixture_rows_destroy(fixture_rows_t **rows);
/* NULL text is NULL. Each makes one event. */
void fixture_insert(fixture_rows_t *rows, int64_t id, const char *text);
void fixture_update(fixture_rows_t *rows, int64_t id, const char *text, int64_t new_id,
                    const char *new_text);
void fixture_delete(fixture_rows_t *rows, int64_t id, const char *text);
const table_rows_t *fixture_rows_get(fixture_rows_t *rows);

/* ---- the sink ---- */

/* A new directory below the system's temporary one. */
void fixture_make_directory(char path[256]);
/* Removes it with the files in it. */
void fixture_remove_directory(const char *path);

/* Options for changefeed 1, generation 1. */
sink_options_t fixture_options(const char *uri);

/* A claim of the whole table with maintainer epoch and counter (epoch, 1). */
sink_claim_t fixture_claim(uint64_t table_id, uint64_t epoch);
sink_claim_result_t fixture_claim_in(sink_connection_t *connection, const sink_claim_t *claim);

/* Writes the rows as one part at `ts`; asserts that the call succeeds and returns the write's own
 * result. */
sink_write_result_t fixture_write(sink_connection_t *connection, const sink_claim_t *claim,
                                  const table_rows_t *rows, uint64_t ts);

#endif
