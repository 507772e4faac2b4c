#include "dispatcher/sink/sqlite/ledger.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/sink/sqlite/ledger_internal.h"

sluice_error_t sqlite_ledger_create_tables(sqlite_session_t *session, error_report_t *report)
{
    return sqlite_session_execute(
        session,
        "BEGIN IMMEDIATE;"
        "CREATE TABLE IF NOT EXISTS __sluice_progress (changefeed TEXT NOT NULL,"
        " generation INTEGER NOT NULL, table_id INTEGER NOT NULL, mode INTEGER NOT NULL,"
        " start_key BLOB NOT NULL, end_key BLOB NOT NULL, maintainer_epoch INTEGER NOT NULL,"
        " epoch_counter INTEGER NOT NULL, progress INTEGER NOT NULL, dropped_at INTEGER,"
        " PRIMARY KEY (changefeed, generation, table_id, mode, start_key)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS __sluice_ddl (changefeed TEXT NOT NULL,"
        " generation INTEGER NOT NULL, commit_ts INTEGER NOT NULL, verb TEXT NOT NULL,"
        " sql TEXT NOT NULL, PRIMARY KEY (changefeed, generation, commit_ts)) STRICT;"
        "CREATE TABLE IF NOT EXISTS __sluice_ddl_table (changefeed TEXT NOT NULL,"
        " generation INTEGER NOT NULL, table_id INTEGER NOT NULL, commit_ts INTEGER NOT NULL,"
        " PRIMARY KEY (changefeed, generation, table_id, commit_ts)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS __sluice_syncpoint (changefeed TEXT NOT NULL,"
        " generation INTEGER NOT NULL, commit_ts INTEGER NOT NULL,"
        " PRIMARY KEY (changefeed, generation, commit_ts)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS __sluice_changefeed (changefeed TEXT NOT NULL PRIMARY KEY,"
        " generation INTEGER NOT NULL, checkpoint INTEGER NOT NULL,"
        " is_removed INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
        "COMMIT",
        report);
}

sluice_error_t sqlite_ledger_find_tables(sqlite_session_t *session, error_report_t *report)
{
    sqlite3_stmt *statement;
    bool is_there = false;
    sluice_error_t error = sqlite_session_prepare(
        session, bytes_of_text("SELECT 1 FROM sqlite_schema WHERE name = '__sluice_progress'"),
        false, &statement, report);
    if (!error)
        error = sqlite_session_step_row(session, statement, &is_there, report);
    sqlite3_finalize(statement);
    if (error || is_there)
        return error;
    return error_report_set(report, SLUICE_ERROR_SINK_SETTINGS,
                            "SQLite file %s is not the one that the changefeed was created with: "
                            "it has none of Sluice's tables",
                            sqlite3_db_filename(sqlite_session_handle(session), "main"));
}

/* ?1 and ?2 are the changefeed and its generation in every statement. */
static const char *const statement_texts[LEDGER_STATEMENT_COUNT] = {
    /* Of every generation: a claim also ends what earlier ones own, and yields to later ones. */
    [LEDGER_OVERLAPPING] =
        "SELECT start_key, end_key, maintainer_epoch, epoch_counter, progress, dropped_at,"
        " generation FROM __sluice_progress WHERE changefeed = ?1 AND table_id = ?3 AND mode = ?4"
        " AND (?6 = x'' OR start_key < ?6) AND (end_key = x'' OR end_key > ?5)"
        " ORDER BY start_key DESC",
    [LEDGER_REMOVE_ROW] = "DELETE FROM __sluice_progress WHERE changefeed = ?1 AND generation = ?2"
                          " AND table_id = ?3 AND mode = ?4 AND start_key = ?5",
    [LEDGER_INSERT_ROW] =
        "INSERT INTO __sluice_progress (changefeed, generation, table_id, mode, start_key, end_key,"
        " maintainer_epoch, epoch_counter, progress, dropped_at)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [LEDGER_READ_ROW] =
        "SELECT maintainer_epoch, epoch_counter, progress, end_key FROM __sluice_progress"
        " WHERE changefeed = ?1 AND generation = ?2 AND table_id = ?3 AND mode = ?4"
        " AND start_key = ?5",
    [LEDGER_MOVE_ROW] =
        "UPDATE __sluice_progress SET progress = ?9 WHERE changefeed = ?1 AND generation = ?2"
        " AND table_id = ?3 AND mode = ?4 AND start_key = ?5 AND end_key = ?6"
        " AND maintainer_epoch = ?7 AND epoch_counter = ?8 AND progress < ?9",
    [LEDGER_LAST_DDL] = "SELECT max(commit_ts) FROM __sluice_ddl_table"
                        " WHERE changefeed = ?1 AND generation = ?2 AND table_id = ?3",
    [LEDGER_FIND_DDL] = "SELECT 1 FROM __sluice_ddl"
                        " WHERE changefeed = ?1 AND generation = ?2 AND commit_ts = ?3",
    [LEDGER_INSERT_DDL] = "INSERT INTO __sluice_ddl (changefeed, generation, commit_ts, verb, sql)"
                          " VALUES (?1, ?2, ?3, ?4, ?5)",
    [LEDGER_INSERT_DDL_TABLE] =
        "INSERT OR IGNORE INTO __sluice_ddl_table (changefeed, generation, table_id, commit_ts)"
        " VALUES (?1, ?2, ?3, ?4)",
    [LEDGER_MARK_DROPPED] = "UPDATE __sluice_progress SET dropped_at = ?4"
                            " WHERE changefeed = ?1 AND generation = ?2 AND table_id = ?3",
    [LEDGER_INSERT_SYNCPOINT] =
        "INSERT OR IGNORE INTO __sluice_syncpoint (changefeed, generation, commit_ts)"
        " VALUES (?1, ?2, ?3)",
    [LEDGER_CLEAN_DDL] = "DELETE FROM __sluice_ddl WHERE changefeed = ?1"
                         " AND (generation < ?2 OR (generation = ?2 AND commit_ts <= ?3))",
    [LEDGER_CLEAN_DDL_TABLE] = "DELETE FROM __sluice_ddl_table WHERE changefeed = ?1"
                               " AND (generation < ?2 OR (generation = ?2 AND commit_ts <= ?3))",
    [LEDGER_CLEAN_PROGRESS] = "DELETE FROM __sluice_progress WHERE changefeed = ?1"
                              " AND (generation < ?2 OR (generation = ?2 AND dropped_at <= ?3))",
    [LEDGER_PUT_CHANGEFEED] =
        "INSERT INTO __sluice_changefeed (changefeed, generation, checkpoint, is_removed)"
        " VALUES (?1, ?2, 0, 0) ON CONFLICT (changefeed) DO UPDATE SET checkpoint = 0,"
        " generation = ?2 WHERE generation < ?2",
    [LEDGER_READ_CHANGEFEED] = "SELECT generation, checkpoint, is_removed FROM __sluice_changefeed"
                               " WHERE changefeed = ?1",
    [LEDGER_ADVANCE_CHANGEFEED] = "UPDATE __sluice_changefeed SET checkpoint = max(checkpoint, ?3)"
                                  " WHERE changefeed = ?1 AND generation = ?2 AND is_removed = 0",
    [LEDGER_REMOVE_CHANGEFEED] = "UPDATE __sluice_changefeed SET is_removed = 1"
                                 " WHERE changefeed = ?1",
    [LEDGER_FORGET_PROGRESS] = "DELETE FROM __sluice_progress WHERE changefeed = ?1",
    [LEDGER_FORGET_DDL] = "DELETE FROM __sluice_ddl WHERE changefeed = ?1",
    [LEDGER_FORGET_DDL_TABLE] = "DELETE FROM __sluice_ddl_table WHERE changefeed = ?1",
    [LEDGER_FORGET_SYNCPOINT] = "DELETE FROM __sluice_syncpoint WHERE changefeed = ?1",
};

sluice_error_t sqlite_ledger_open(sqlite_session_t *session, changefeed_ref_t changefeed,
                                  sqlite_ledger_t **ledger, error_report_t *report)
{
    sqlite_ledger_t *opened = memory_zalloc(sizeof *opened);
    opened->session = session;
    changefeed_uuid_format(changefeed.uuid, opened->changefeed);
    opened->generation = (int64_t)changefeed.generation;
    sluice_error_t error = SLUICE_OK;
    for (size_t i = 0; i < LEDGER_STATEMENT_COUNT && !error; i++)
        error = sqlite_session_prepare(session, bytes_of_text(statement_texts[i]), true,
                                       &opened->statements[i], report);
    if (error)
        sqlite_ledger_close(&opened);
    *ledger = opened;
    return error;
}

void sqlite_ledger_close(sqlite_ledger_t **ledger)
{
    if (!*ledger)
        return;
    for (size_t i = 0; i < LEDGER_STATEMENT_COUNT; i++)
        sqlite3_finalize((*ledger)->statements[i]);
    arena_clear(&(*ledger)->arena);
    free(*ledger);
    *ledger = NULL;
}

sqlite3_stmt *sqlite_ledger_bind(sqlite_ledger_t *ledger, ledger_statement_t which)
{
    sqlite3_stmt *statement = ledger->statements[which];
    sqlite3_clear_bindings(statement);
    sqlite3_bind_text(statement, 1, ledger->changefeed, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, ledger->generation);
    return statement;
}

sluice_error_t sqlite_ledger_run(sqlite_ledger_t *ledger, sqlite3_stmt *statement,
                                 error_report_t *report)
{
    return sqlite_session_step_done(ledger->session, statement, report);
}

/* ---- DDL records and sync points ---- */

static sluice_error_t check_position(commit_ts_t ts, error_report_t *report)
{
    if (ts.v <= INT64_MAX)
        return SLUICE_OK;
    return error_report_set(report, SLUICE_ERROR_SOURCE_SEQUENCE,
                            "GTID sequence number %llu is beyond 2^63 - 1",
                            (unsigned long long)ts.v);
}

sluice_error_t sqlite_ledger_ddl_is_done(sqlite_ledger_t *ledger, commit_ts_t ts, bool *is_done,
                                         error_report_t *report)
{
    sluice_error_t error = check_position(ts, report);
    if (error)
        return error;
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_FIND_DDL);
    sqlite3_bind_int64(statement, 3, (int64_t)ts.v);
    error = sqlite_session_step_row(ledger->session, statement, is_done, report);
    sqlite3_reset(statement);
    return error;
}

static sluice_error_t record_table(sqlite_ledger_t *ledger, commit_ts_t ts,
                                   const table_definition_t *definition, bool is_dropped,
                                   error_report_t *report)
{
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_INSERT_DDL_TABLE);
    sqlite3_bind_int64(statement, 3, (int64_t)definition->table_id.v);
    sqlite3_bind_int64(statement, 4, (int64_t)ts.v);
    sluice_error_t error = sqlite_ledger_run(ledger, statement, report);
    if (error || !is_dropped)
        return error;
    statement = sqlite_ledger_bind(ledger, LEDGER_MARK_DROPPED);
    sqlite3_bind_int64(statement, 3, (int64_t)definition->table_id.v);
    sqlite3_bind_int64(statement, 4, (int64_t)ts.v);
    return sqlite_ledger_run(ledger, statement, report);
}

sluice_error_t sqlite_ledger_record_ddl(sqlite_ledger_t *ledger, const ddl_event_t *ddl,
                                        error_report_t *report)
{
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_INSERT_DDL);
    sqlite3_bind_int64(statement, 3, (int64_t)ddl->commit_ts.v);
    sqlite3_bind_text(statement, 4, ddl_verb_name(ddl->verb), -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 5, ddl->sql_utf8, -1, SQLITE_STATIC);
    sluice_error_t error = sqlite_ledger_run(ledger, statement, report);
    for (uint32_t i = 0; i < ddl->change_count && !error; i++) {
        const table_change_t *change = &ddl->changes[i];
        bool is_gone = change->kind == TABLE_DROPPED || change->kind == TABLE_LEFT_FILTER;
        error = record_table(ledger, ddl->commit_ts, is_gone ? change->before : change->after,
                             is_gone, report);
    }
    return error;
}

sluice_error_t sqlite_ledger_record_syncpoint(sqlite_ledger_t *ledger, commit_ts_t ts,
                                              error_report_t *report)
{
    sluice_error_t error = check_position(ts, report);
    if (error)
        return error;
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_INSERT_SYNCPOINT);
    sqlite3_bind_int64(statement, 3, (int64_t)ts.v);
    return sqlite_ledger_run(ledger, statement, report);
}
