/*
 * One DDL of the log, understood: what it blocks, what it does to the table list, what each
 * definition was and is, and the context in which a MariaDB sink must run it. Made by the schema
 * tracker, immutable and shared by reference count afterwards. Self-contained: whoever holds it
 * needs no tracker.
 *
 * Threads: built by the reader's thread, then read by any; the count is atomic.
 */
#ifndef SLUICE_DISPATCHER_CORE_DDL_EVENT_H
#define SLUICE_DISPATCHER_CORE_DDL_EVENT_H

#include "common/base/time.h"
#include "common/model/table_definition.h"
#include "common/wire/message.h"

typedef enum {
    DDL_CREATE_DATABASE,
    DDL_ALTER_DATABASE,
    DDL_DROP_DATABASE,
    DDL_CREATE_TABLE, /* also LIKE, OR REPLACE, … SELECT */
    DDL_ALTER_TABLE,  /* also CREATE INDEX, DROP INDEX */
    DDL_DROP_TABLE,
    DDL_RENAME_TABLE,
    DDL_TRUNCATE_TABLE,
    DDL_TRUNCATE_PARTITION,
    DDL_DROP_PARTITION,
    DDL_EXCHANGE_PARTITION,
    DDL_CONVERT_PARTITION, /* either direction */
    DDL_CREATE_VIEW,
    DDL_DROP_VIEW,
    DDL_SKIPPED, /* ANALYZE, GRANT, triggers, …: never reaches a dispatcher */
    DDL_UNKNOWN  /* not understood: influence ALL, run as it is */
} ddl_verb_t;

const char *ddl_verb_name(ddl_verb_t verb);

/* The session in which the source ran it (MARIADB.md §4: status variables of the Query event). */
typedef struct {
    const char *default_schema; /* "" none */
    uint64_t sql_mode;
    bool has_sql_mode;
    uint16_t charset_client, collation_connection,
        collation_server;        /* MariaDB collation ids, 0: not said */
    uint16_t collation_database; /* 0: not said */
    const char *time_zone;       /* NULL: not said */
    uint32_t option_flags;       /* flags2 of the Query event */
    bool has_option_flags;
    uint64_t timestamp_us; /* @@timestamp of the session, microseconds since 1970 */
    uint16_t auto_increment_increment, auto_increment_offset; /* 0: not said */
} ddl_context_t;

/* What becomes of one table. */
typedef enum {
    TABLE_CREATED,    /* before NULL */
    TABLE_ALTERED,    /* before and after; same table_id */
    TABLE_RENAMED,    /* before and after, perhaps altered as well; same table_id */
    TABLE_DROPPED,    /* after NULL */
    TABLE_TRUNCATED,  /* before == after */
    TABLE_LEFT_FILTER /* renamed to a name outside the filter: run, then dropped from the feed;
                         after is its last form */
} table_change_kind_t;

#define COLUMN_SOURCE_NEW UINT32_MAX

typedef struct {
    table_change_kind_t kind;
    const table_definition_t *before, *after;
    /* For each column of `after`: its column in `before`, or COLUMN_SOURCE_NEW. NULL unless ALTERED
     * or RENAMED, or LEFT_FILTER by an ALTER. */
    const uint32_t *column_sources;
} table_change_t;

typedef struct {
    atomic_uint references;
    arena_t arena;
    commit_ts_t commit_ts;
    wall_ms_t commit_time;
    ddl_verb_t verb;
    const char *
        schema; /* of DB-wide statements and for display: the (first) object's schema; "" if none */
    const char *object; /* (first) object's name; "" for a schema */
    bool if_exists, if_not_exists, or_replace, is_select; /* is_select: CREATE TABLE … SELECT */
    bytes_t sql; /* what a MariaDB sink runs: as logged, or rewritten to carry only what the filter
                    takes; in the charset of context.charset_client */
    const char *sql_utf8; /* the same for logs, files and SQLite; NUL-terminated */
    bool is_rewritten;
    ddl_context_t context;
    block_payload_t payload; /* influence, dropped, added, schema moves; strings in this arena */
    const table_change_t *changes; /* left to right; for DROP DATABASE one per carried table */
    uint32_t change_count;
    const char *const *partitions; /* the partitions a partition DDL names (DROP, TRUNCATE,
                                      EXCHANGE, CONVERT); `before` tells what they hold */
    uint32_t partition_count;
    bool names_all_partitions; /* TRUNCATE PARTITION ALL */
    bytes_t replay; /* what another tracker applies to come to the same definitions; the content of
                       a schema_ddl_t (schema_tracker.h) */
    bool drops_whole_schema; /* DROP DATABASE whose schema the filter takes as a whole */
    /* Dispatchers that meet the event: all of these tables, plus always the trigger. For NORMAL the
     * list is payload.influence.table_ids less those that the event itself creates. */
} ddl_event_t;

ddl_event_t *ddl_event_new(void);
ddl_event_t *ddl_event_ref(const ddl_event_t *event);
void ddl_event_unref(ddl_event_t **event);

/* More than the one dispatcher that meets it must agree: DB, ALL, or NORMAL with more than one
 * table. (A split table blocks too; its dispatchers know that themselves.) */
bool ddl_event_blocks_others(const ddl_event_t *event);

#endif
