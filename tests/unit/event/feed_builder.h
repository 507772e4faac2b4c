/* Builds feed items without a log, for tests of tail and event service. */
#ifndef SLUICE_TESTS_UNIT_EVENT_FEED_BUILDER_H
#define SLUICE_TESTS_UNIT_EVENT_FEED_BUILDER_H

#include <stdlib.h>

#include "dispatcher/core/feed_item.h"

#define BUILT_ROWS_BYTES 1000

/* One transaction with one row event for each table; their number ends with 0. */
static inline feed_item_t build_rows(uint64_t commit_ts, const uint64_t *tables)
{
    transaction_t *transaction = transaction_new();
    uint32_t count = 0;
    while (tables[count])
        count++;
    table_rows_t *rows = arena_calloc(&transaction->arena, count, sizeof *rows);
    for (uint32_t i = 0; i < count; i++) {
        table_definition_t *definition = table_definition_new();
        definition->table_id.v = tables[i];
        rows[i] = (table_rows_t){.definition = definition, .bytes = BUILT_ROWS_BYTES};
    }
    transaction->commit_ts.v = commit_ts;
    transaction->tables = rows;
    transaction->table_count = count;
    transaction->bytes = count * BUILT_ROWS_BYTES;
    return (feed_item_t){.kind = FEED_TRANSACTION,
                         .commit_ts = {commit_ts},
                         .commit_time = {commit_ts * 1000},
                         .completes = true,
                         .transaction = transaction};
}

#define ROWS(commit_ts, ...) build_rows(commit_ts, (const uint64_t[]){__VA_ARGS__, 0})

static inline feed_item_t build_ddl(uint64_t commit_ts, influence_kind_t kind,
                                    const uint64_t *tables)
{
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts.v = commit_ts;
    ddl->payload.influence.kind = kind;
    feed_item_t item = {.kind = FEED_DDL,
                        .commit_ts = {commit_ts},
                        .commit_time = {commit_ts * 1000},
                        .completes = true,
                        .ddl = ddl};
    while (tables[item.table_count])
        item.table_count++;
    item.tables = calloc(item.table_count + 1, sizeof *item.tables);
    for (uint32_t i = 0; i < item.table_count; i++)
        item.tables[i].v = tables[i];
    return item;
}

#define DDL(commit_ts, ...)                                                                        \
    build_ddl(commit_ts, INFLUENCE_NORMAL, (const uint64_t[]){__VA_ARGS__, 0})
#define DDL_TRIGGER_ONLY(commit_ts) build_ddl(commit_ts, INFLUENCE_NORMAL, (const uint64_t[]){0})
#define DDL_ALL(commit_ts) build_ddl(commit_ts, INFLUENCE_ALL, (const uint64_t[]){0})

static inline feed_item_t build_syncpoint(uint64_t commit_ts)
{
    return (feed_item_t){.kind = FEED_SYNCPOINT, .commit_ts = {commit_ts}};
}

static inline feed_item_t build_resolved(uint64_t commit_ts)
{
    return (feed_item_t){.kind = FEED_RESOLVED,
                         .commit_ts = {commit_ts},
                         .commit_time = {commit_ts * 1000},
                         .completes = true};
}

#endif
