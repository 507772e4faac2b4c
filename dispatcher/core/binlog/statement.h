/*
 * What a QUERY event inside a group does to the group itself: its first words only. What a DDL
 * means is the business of dispatcher/core/ddl. Pure. Threads: functions only.
 */
#ifndef SLUICE_DISPATCHER_CORE_BINLOG_STATEMENT_H
#define SLUICE_DISPATCHER_CORE_BINLOG_STATEMENT_H

#include "common/base/bytes.h"

typedef enum {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_SAVEPOINT,
    STATEMENT_ROLLBACK_TO,
    STATEMENT_XA,
    STATEMENT_NEUTRAL, /* RELEASE SAVEPOINT, temporary tables: nothing to replicate */
    STATEMENT_ROWS,    /* changes rows: INSERT, UPDATE, DELETE, REPLACE, LOAD, SELECT, … */
    STATEMENT_OTHER    /* anything else, in particular DDL */
} statement_kind_t;

/* `savepoint`, borrowed and unquoted, is set for SAVEPOINT and ROLLBACK TO. */
statement_kind_t statement_classify(bytes_t sql, bytes_t *savepoint);

#endif
