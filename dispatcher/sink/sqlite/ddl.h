/*
 * DDL of the log on the SQLite side, inside the transaction that also records it.
 *
 *   CREATE, DROP, TRUNCATE, RENAME TABLE      as themselves; a rename onto a name that another
 *                                             table of the same statement still has goes over a
 *                                             name in between
 *   ALTER TABLE, CREATE and DROP INDEX        alter.h
 *   CREATE and ALTER DATABASE                 nothing: databases are prefixes of names
 *   DROP DATABASE                             drops its carried tables
 *   CREATE and DROP VIEW                      skipped with a warning: views are MariaDB's dialect
 *   DROP and TRUNCATE PARTITION               the rows that the partition held are deleted
 *                                             (partition.h), else refused by name
 *   EXCHANGE and CONVERT PARTITION            refused by name: SQLite has no partitions and the log
 *                                             does not say which rows are meant
 *   whatever is not understood                refused by name
 *
 * SQLite's table names differ by more than the case of ASCII letters; a table whose name does not
 * is refused by name.
 *
 * Threads: belongs to the session's thread.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_DDL_H
#define SLUICE_DISPATCHER_SINK_SQLITE_DDL_H

#include "dispatcher/sink/sqlite/alter.h"

typedef struct {
    const char *changefeed_name; /* for log lines */
    bool has_system_offset;      /* what the source's time zone SYSTEM is was configured */
    int32_t system_offset_seconds;
} sqlite_ddl_settings_t;

/* "+HH:MM", "-HH:MM" or "UTC" as seconds; false for anything else. */
bool sqlite_ddl_parse_offset(const char *text, int32_t *seconds);

sluice_error_t sqlite_ddl_run(sqlite_session_t *session, const sqlite_ddl_settings_t *settings,
                              const ddl_event_t *ddl, error_report_t *report) SLUICE_MUST_USE;

/* Whether the file has a table or view of that name, whatever the case of its letters; its own
 * spelling in *found (in `arena`), NULL if there is none. */
sluice_error_t sqlite_find_table(sqlite_session_t *session, arena_t *arena, const char *name,
                                 const char **found, error_report_t *report) SLUICE_MUST_USE;

#endif
