/* Schema snapshots and the DDLs behind them in the SQLite meta store. */
#include "maintainer/meta/sqlite_internal.h"

static void bind_snapshot(statement_t *statement, const changefeed_ref_t *changefeed,
                          commit_ts_t at)
{
    statement_bind_uuid(statement, changefeed);
    statement_bind_number(statement, changefeed->generation);
    statement_bind_number(statement, at.v);
}

typedef struct {
    uint64_t piece_count;
    bool is_complete;
} snapshot_state_t;

static sluice_error_t snapshot_state(meta_store_t *store, const changefeed_ref_t *changefeed,
                                     commit_ts_t at, snapshot_state_t *state,
                                     error_report_t *report)
{
    statement_t statement =
        statement_begin(store,
                        "SELECT count(*), coalesce(max(is_last), 0) FROM snapshots"
                        " WHERE uuid = ? AND generation = ? AND at = ?",
                        report);
    bind_snapshot(&statement, changefeed, at);
    if (statement_next(&statement)) {
        state->piece_count = statement_number(&statement);
        state->is_complete = statement_number(&statement) != 0;
    }
    return statement_finish(&statement);
}

static sluice_error_t remove_pieces(meta_store_t *store, const changefeed_ref_t *changefeed,
                                    commit_ts_t at, error_report_t *report)
{
    statement_t statement = statement_begin(
        store, "DELETE FROM snapshots WHERE uuid = ? AND generation = ? AND at = ?", report);
    bind_snapshot(&statement, changefeed, at);
    return statement_execute(&statement, NULL);
}

sluice_error_t sqlite_put_snapshot(meta_store_t *store, const changefeed_ref_t *changefeed,
                                   commit_ts_t at, uint32_t piece, bool is_last, bytes_t content,
                                   error_report_t *report)
{
    snapshot_state_t state = {0};
    sluice_error_t error = snapshot_state(store, changefeed, at, &state, report);
    if (error != SLUICE_OK || state.is_complete)
        return error;
    if (piece == 0)
        error = remove_pieces(store, changefeed, at, report);
    else if (piece != state.piece_count)
        error = error_report_set(report, SLUICE_ERROR_STATE,
                                 "meta store: snapshot piece %u comes after %llu others", piece,
                                 (unsigned long long)state.piece_count);
    if (error != SLUICE_OK)
        return error;
    statement_t statement =
        statement_begin(store,
                        "INSERT INTO snapshots (uuid, generation, at, piece, is_last, content)"
                        " VALUES (?, ?, ?, ?, ?, ?)",
                        report);
    bind_snapshot(&statement, changefeed, at);
    statement_bind_number(&statement, piece);
    statement_bind_number(&statement, is_last);
    statement_bind_blob(&statement, content);
    return statement_execute(&statement, NULL);
}

static sluice_error_t put_ddl(meta_store_t *store, const changefeed_ref_t *changefeed,
                              const schema_ddl_t *ddl, error_report_t *report)
{
    statement_t statement = statement_begin(
        store,
        "INSERT OR REPLACE INTO ddls (uuid, generation, commit_ts, commit_time, content)"
        " VALUES (?, ?, ?, ?, ?)",
        report);
    bind_snapshot(&statement, changefeed, ddl->commit_ts);
    statement_bind_number(&statement, ddl->commit_time.v);
    statement_bind_blob(&statement, ddl->content);
    return statement_execute(&statement, NULL);
}

static sluice_error_t put_schema_to(meta_store_t *store, const changefeed_ref_t *changefeed,
                                    commit_ts_t schema_to, error_report_t *report)
{
    statement_t statement = statement_begin(
        store, "UPDATE changefeeds SET schema_to = max(schema_to, ?) WHERE uuid = ?", report);
    statement_bind_number(&statement, schema_to.v);
    statement_bind_uuid(&statement, changefeed);
    return statement_execute(&statement, NULL);
}

/* All or nothing, also when no transaction was begun: schema_to must not tell of DDLs that are not
 * there. */
sluice_error_t sqlite_put_ddls(meta_store_t *store, const changefeed_ref_t *changefeed,
                               uint64_t maintainer_epoch, const schema_ddl_t *ddls, uint32_t count,
                               commit_ts_t schema_to, error_report_t *report)
{
    sqlite3 *db = sqlite_store(store)->db;
    sluice_error_t error = sqlite_check_owner(store, changefeed, maintainer_epoch, report);
    if (error == SLUICE_OK)
        error = sqlite_run(db, "SAVEPOINT ddls", report);
    if (error != SLUICE_OK)
        return error;
    for (uint32_t i = 0; i < count && error == SLUICE_OK; i++)
        error = put_ddl(store, changefeed, &ddls[i], report);
    if (error == SLUICE_OK)
        error = put_schema_to(store, changefeed, schema_to, report);
    if (error == SLUICE_OK)
        error = sqlite_run(db, "RELEASE ddls", report);
    if (error != SLUICE_OK && sqlite_run(db, "ROLLBACK TO ddls; RELEASE ddls", NULL) != SLUICE_OK)
        return SLUICE_ERROR_META_STORE;
    return error;
}

sluice_error_t sqlite_forget_schema(meta_store_t *store, const changefeed_ref_t *changefeed,
                                    commit_ts_t at, error_report_t *report)
{
    static const char *const statements[] = {
        "DELETE FROM snapshots WHERE uuid = ? AND generation = ? AND at < ?",
        "DELETE FROM ddls WHERE uuid = ? AND generation = ? AND commit_ts <= ?"};
    sluice_error_t error = SLUICE_OK;
    for (size_t i = 0; i < 2 && error == SLUICE_OK; i++) {
        statement_t statement = statement_begin(store, statements[i], report);
        bind_snapshot(&statement, changefeed, at);
        error = statement_execute(&statement, NULL);
    }
    return error;
}

/* ---- reading ---- */

static sluice_error_t find_snapshot(meta_store_t *store, const changefeed_ref_t *changefeed,
                                    commit_ts_t at, meta_schema_t *schema, uint64_t *size,
                                    error_report_t *report)
{
    statement_t statement = statement_begin(
        store,
        "SELECT at, sum(length(content)) FROM snapshots WHERE uuid = ? AND generation = ?"
        " AND at <= ? GROUP BY at HAVING max(is_last) = 1 ORDER BY at DESC LIMIT 1",
        report);
    bind_snapshot(&statement, changefeed, at);
    bool found = statement_next(&statement);
    if (found) {
        schema->snapshot_ts = (commit_ts_t){statement_number(&statement)};
        *size = statement_number(&statement);
    }
    sluice_error_t error = statement_finish(&statement);
    if (error == SLUICE_OK && !found)
        error = error_report_set(report, SLUICE_ERROR_NOT_FOUND,
                                 "meta store: no schema snapshot at or before %llu",
                                 (unsigned long long)at.v);
    return error;
}

static sluice_error_t read_snapshot(meta_store_t *store, const changefeed_ref_t *changefeed,
                                    uint64_t size, arena_t *arena, meta_schema_t *schema,
                                    error_report_t *report)
{
    statement_t statement =
        statement_begin(store,
                        "SELECT content FROM snapshots WHERE uuid = ? AND generation = ? AND at = ?"
                        " ORDER BY piece",
                        report);
    bind_snapshot(&statement, changefeed, schema->snapshot_ts);
    uint8_t *content = arena_alloc(arena, size);
    size_t len = 0;
    while (statement_next(&statement)) {
        const void *piece = sqlite3_column_blob(statement.statement, 0);
        size_t piece_len = (size_t)sqlite3_column_bytes(statement.statement, 0);
        if (piece_len > size - len)
            break;
        if (piece_len)
            memcpy(content + len, piece, piece_len);
        len += piece_len;
    }
    schema->snapshot = bytes_of(content, len);
    return statement_finish(&statement);
}

static void bind_ddl_range(statement_t *statement, const changefeed_ref_t *changefeed,
                           const meta_schema_t *schema, commit_ts_t at)
{
    bind_snapshot(statement, changefeed, schema->snapshot_ts);
    statement_bind_number(statement, at.v);
}

#define DDL_RANGE                                                                                  \
    " FROM ddls WHERE uuid = ? AND generation = ? AND commit_ts > ? AND commit_ts <= ?"

static sluice_error_t read_ddls(meta_store_t *store, const changefeed_ref_t *changefeed,
                                commit_ts_t at, arena_t *arena, meta_schema_t *schema,
                                error_report_t *report)
{
    statement_t counting = statement_begin(store, "SELECT count(*)" DDL_RANGE, report);
    bind_ddl_range(&counting, changefeed, schema, at);
    size_t rows = statement_next(&counting) ? statement_number(&counting) : 0;
    sluice_error_t error = statement_finish(&counting);
    schema_ddl_t *ddls = arena_calloc(arena, rows, sizeof *ddls);
    schema->ddls = ddls;
    if (error != SLUICE_OK)
        return error;
    statement_t reading = statement_begin(
        store, "SELECT commit_ts, commit_time, content" DDL_RANGE " ORDER BY commit_ts", report);
    bind_ddl_range(&reading, changefeed, schema, at);
    while (schema->ddl_count < rows && statement_next(&reading)) {
        schema_ddl_t *ddl = &ddls[schema->ddl_count++];
        ddl->commit_ts = (commit_ts_t){statement_number(&reading)};
        ddl->commit_time = (wall_ms_t){statement_number(&reading)};
        ddl->content = statement_bytes(&reading, arena);
    }
    return statement_finish(&reading);
}

sluice_error_t sqlite_load_schema(meta_store_t *store, const changefeed_ref_t *changefeed,
                                  commit_ts_t at, arena_t *arena, meta_schema_t *schema,
                                  error_report_t *report)
{
    *schema = (meta_schema_t){0};
    uint64_t size = 0;
    sluice_error_t error = find_snapshot(store, changefeed, at, schema, &size, report);
    if (error == SLUICE_OK)
        error = read_snapshot(store, changefeed, size, arena, schema, report);
    if (error == SLUICE_OK)
        error = read_ddls(store, changefeed, at, arena, schema, report);
    return error;
}
