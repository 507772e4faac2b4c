/*
 * Shared by the ledger's files: its prepared statements.
 */
#ifndef SLUICE_DISPATCHER_SINK_SQLITE_LEDGER_INTERNAL_H
#define SLUICE_DISPATCHER_SINK_SQLITE_LEDGER_INTERNAL_H

#include "common/base/arena.h"
#include "dispatcher/sink/sqlite/ledger.h"

typedef enum {
    LEDGER_OVERLAPPING,
    LEDGER_REMOVE_ROW,
    LEDGER_INSERT_ROW,
    LEDGER_READ_ROW,
    LEDGER_MOVE_ROW,
    LEDGER_LAST_DDL,
    LEDGER_FIND_DDL,
    LEDGER_INSERT_DDL,
    LEDGER_INSERT_DDL_TABLE,
    LEDGER_MARK_DROPPED,
    LEDGER_INSERT_SYNCPOINT,
    LEDGER_CLEAN_DDL,
    LEDGER_CLEAN_DDL_TABLE,
    LEDGER_CLEAN_PROGRESS,
    LEDGER_PUT_CHANGEFEED,
    LEDGER_READ_CHANGEFEED,
    LEDGER_ADVANCE_CHANGEFEED,
    LEDGER_REMOVE_CHANGEFEED,
    LEDGER_FORGET_PROGRESS,
    LEDGER_FORGET_DDL,
    LEDGER_FORGET_DDL_TABLE,
    LEDGER_FORGET_SYNCPOINT
} ledger_statement_t;

#define LEDGER_STATEMENT_COUNT (LEDGER_FORGET_SYNCPOINT + 1)

struct sqlite_ledger {
    sqlite_session_t *session;
    char changefeed[CHANGEFEED_UUID_TEXT_SIZE];
    int64_t generation;
    commit_ts_t checkpoint; /* as of the last sqlite_ledger_enter */
    arena_t arena;          /* of one claim */
    sqlite3_stmt *statements[LEDGER_STATEMENT_COUNT];
};

/* The statement with the changefeed bound and nothing else. */
sqlite3_stmt *sqlite_ledger_bind(sqlite_ledger_t *ledger, ledger_statement_t which);
sluice_error_t sqlite_ledger_run(sqlite_ledger_t *ledger, sqlite3_stmt *statement,
                                 error_report_t *report) SLUICE_MUST_USE;

#endif
