/* What the SQLite file knows of the changefeed as a whole. */
#include "dispatcher/sink/sqlite/ledger_internal.h"

static sluice_error_t judge(const sqlite_ledger_t *ledger, int64_t generation, bool is_removed,
                            error_report_t *report)
{
    if (is_removed)
        return error_report_set(report, SLUICE_ERROR_SINK_REFUSED,
                                "the SQLite file says that this changefeed was removed: remove it "
                                "here too and create it anew");
    if (generation > ledger->generation)
        return error_report_set(report, SLUICE_ERROR_SINK_REFUSED,
                                "the SQLite file was written by generation %lld of this "
                                "changefeed, this is %lld: the meta store is an older copy; remove "
                                "the changefeed and create it anew at a position that you know",
                                (long long)generation, (long long)ledger->generation);
    return SLUICE_OK;
}

sluice_error_t sqlite_ledger_enter(sqlite_ledger_t *ledger, error_report_t *report)
{
    ledger->checkpoint = COMMIT_TS_NONE;
    sluice_error_t error =
        sqlite_ledger_run(ledger, sqlite_ledger_bind(ledger, LEDGER_PUT_CHANGEFEED), report);
    if (error)
        return error;
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_READ_CHANGEFEED);
    bool row;
    error = sqlite_session_step_row(ledger->session, statement, &row, report);
    if (!error && row) {
        ledger->checkpoint = (commit_ts_t){(uint64_t)sqlite3_column_int64(statement, 1)};
        error = judge(ledger, sqlite3_column_int64(statement, 0),
                      sqlite3_column_int64(statement, 2) != 0, report);
    }
    sqlite3_reset(statement);
    return error;
}

sluice_error_t sqlite_ledger_clean_up(sqlite_ledger_t *ledger, commit_ts_t ts,
                                      error_report_t *report)
{
    static const ledger_statement_t cleaning[] = {LEDGER_CLEAN_DDL, LEDGER_CLEAN_DDL_TABLE,
                                                  LEDGER_CLEAN_PROGRESS};
    int64_t persisted = ts.v > INT64_MAX ? INT64_MAX : (int64_t)ts.v;
    /* First what is to be known afterwards: DDLs whose record is gone must not be met again. */
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_ADVANCE_CHANGEFEED);
    sqlite3_bind_int64(statement, 3, persisted);
    sluice_error_t error = sqlite_ledger_run(ledger, statement, report);
    if (error || sqlite3_changes(sqlite_session_handle(ledger->session)) == 0)
        return error;
    for (size_t i = 0; i < sizeof cleaning / sizeof cleaning[0] && !error; i++) {
        statement = sqlite_ledger_bind(ledger, cleaning[i]);
        sqlite3_bind_int64(statement, 3, persisted);
        error = sqlite_ledger_run(ledger, statement, report);
    }
    return error;
}

sluice_error_t sqlite_ledger_forget(sqlite_ledger_t *ledger, error_report_t *report)
{
    static const ledger_statement_t steps[] = {
        LEDGER_PUT_CHANGEFEED, LEDGER_REMOVE_CHANGEFEED, LEDGER_FORGET_PROGRESS,
        LEDGER_FORGET_DDL,     LEDGER_FORGET_DDL_TABLE,  LEDGER_FORGET_SYNCPOINT,
    };
    sluice_error_t error = SLUICE_OK;
    for (size_t i = 0; i < sizeof steps / sizeof steps[0] && !error; i++)
        error = sqlite_ledger_run(ledger, sqlite_ledger_bind(ledger, steps[i]), report);
    return error;
}
