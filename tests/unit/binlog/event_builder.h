/*
 * Writes binlog events byte by byte, as a server would, for tests. Everything is in the builder's
 * fixed buffer; an event stays there until the builder is reset.
 */
#ifndef SLUICE_TESTS_UNIT_BINLOG_EVENT_BUILDER_H
#define SLUICE_TESTS_UNIT_BINLOG_EVENT_BUILDER_H

#include "dispatcher/core/binlog/event.h"

#define BUILDER_SIZE 65536

typedef struct {
    uint8_t data[BUILDER_SIZE];
    size_t len;
    size_t event; /* where the event begun last starts */
} builder_t;

void builder_reset(builder_t *builder);
void put_uint(builder_t *builder, uint64_t number, size_t len);
void put_bytes(builder_t *builder, const void *data, size_t len);
void put_text(builder_t *builder, const char *text); /* without its NUL */

void begin_event(builder_t *builder, uint8_t type, uint16_t flags);
/* Header and body of the event begun last, without checksum. */
bytes_t end_event(builder_t *builder);
/* Its body alone. */
bytes_t end_body(builder_t *builder);

/* All of them: time 1000 s, server 1. */
bytes_t gtid_event(builder_t *builder, uint32_t domain, uint64_t sequence, uint8_t flags);
bytes_t query_event(builder_t *builder, const char *schema, const char *sql);
bytes_t xid_event(builder_t *builder);
/* Columns are `types`, each a type code with `meta` bytes; every column nullable. */
bytes_t table_map_event(builder_t *builder, uint64_t map_id, const char *schema, const char *table,
                        const uint8_t *types, uint32_t columns, bytes_t meta, bytes_t optional);
/* A ROWS event of version 1 whose image bitmaps are all ones. */
bytes_t rows_event(builder_t *builder, uint8_t type, uint64_t map_id, uint32_t columns,
                   bytes_t rows);

#endif
