#include "dispatcher/sink/sqlite/ledger_internal.h"

/* One row of __sluice_progress. */
typedef struct progress_row {
    struct progress_row *next;
    bytes_t start_key, end_key;
    assignment_epoch_t epoch;
    commit_ts_t progress;
    int64_t dropped_at; /* 0: not */
    int64_t generation;
} progress_row_t;

static void bind_key(sqlite3_stmt *statement, int index, bytes_t key)
{
    /* A null pointer would bind NULL. */
    sqlite3_bind_blob(statement, index, key.len ? (const void *)key.data : "", (int)key.len,
                      SQLITE_STATIC);
}

static void bind_span(sqlite3_stmt *statement, const sink_claim_t *claim, span_t span)
{
    sqlite3_bind_int64(statement, 3, (int64_t)span.table_id.v);
    sqlite3_bind_int64(statement, 4, claim->mode);
    bind_key(statement, 5, span.start_key);
    bind_key(statement, 6, span.end_key);
}

static bytes_t column_key(sqlite_ledger_t *ledger, sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);
    return arena_bytes(&ledger->arena,
                       bytes_of(data, (size_t)sqlite3_column_bytes(statement, column)));
}

static sluice_error_t read_overlapping(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                       progress_row_t **rows, error_report_t *report)
{
    *rows = NULL;
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_OVERLAPPING);
    bind_span(statement, claim, claim->span);
    bool more = true;
    sluice_error_t error = SLUICE_OK;
    while (!error && more) {
        error = sqlite_session_step_row(ledger->session, statement, &more, report);
        if (error || !more)
            break;
        progress_row_t *row = arena_alloc(&ledger->arena, sizeof *row);
        *row = (progress_row_t){
            .next = *rows,
            .start_key = column_key(ledger, statement, 0),
            .end_key = column_key(ledger, statement, 1),
            .epoch = {(uint64_t)sqlite3_column_int64(statement, 2),
                      (uint64_t)sqlite3_column_int64(statement, 3)},
            .progress = {(uint64_t)sqlite3_column_int64(statement, 4)},
            .dropped_at = sqlite3_column_int64(statement, 5),
            .generation = sqlite3_column_int64(statement, 6),
        };
        *rows = row;
    }
    return error;
}

static sluice_error_t remove_row(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                 const progress_row_t *row, error_report_t *report)
{
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_REMOVE_ROW);
    sqlite3_bind_int64(statement, 2, row->generation);
    sqlite3_bind_int64(statement, 3, (int64_t)claim->span.table_id.v);
    sqlite3_bind_int64(statement, 4, claim->mode);
    bind_key(statement, 5, row->start_key);
    return sqlite_ledger_run(ledger, statement, report);
}

static sluice_error_t insert_row(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                 const progress_row_t *row, error_report_t *report)
{
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_INSERT_ROW);
    sqlite3_bind_int64(statement, 2, row->generation);
    bind_span(statement, claim, (span_t){claim->span.table_id, row->start_key, row->end_key});
    sqlite3_bind_int64(statement, 7, (int64_t)row->epoch.maintainer_epoch);
    sqlite3_bind_int64(statement, 8, (int64_t)row->epoch.counter);
    sqlite3_bind_int64(statement, 9, (int64_t)row->progress.v);
    if (row->dropped_at)
        sqlite3_bind_int64(statement, 10, row->dropped_at);
    return sqlite_ledger_run(ledger, statement, report);
}

/* Puts back what `row` covered outside the claim's span, under its old owner. */
static sluice_error_t keep_rest(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                const progress_row_t *row, error_report_t *report)
{
    span_t span = claim->span;
    sluice_error_t error = SLUICE_OK;
    if (bytes_compare(row->start_key, span.start_key) < 0) {
        progress_row_t left = *row;
        left.end_key = span.start_key;
        error = insert_row(ledger, claim, &left, report);
    }
    bool reaches_beyond = span.end_key.len > 0 &&
                          (row->end_key.len == 0 || bytes_compare(row->end_key, span.end_key) > 0);
    if (!error && reaches_beyond) {
        progress_row_t right = *row;
        right.start_key = span.end_key;
        error = insert_row(ledger, claim, &right, report);
    }
    return error;
}

/* The newest DDL that changed the table, COMMIT_TS_NONE if none is recorded. */
static sluice_error_t last_ddl(sqlite_ledger_t *ledger, table_id_t table_id, commit_ts_t *ts,
                               error_report_t *report)
{
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_LAST_DDL);
    sqlite3_bind_int64(statement, 3, (int64_t)table_id.v);
    bool row;
    sluice_error_t error = sqlite_session_step_row(ledger->session, statement, &row, report);
    *ts = (commit_ts_t){!error && row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0};
    sqlite3_reset(statement);
    return error;
}

/* Whether somebody with more right than this claim owns a part of its span. */
static bool is_outranked(const sqlite_ledger_t *ledger, const sink_claim_t *claim,
                         const progress_row_t *rows)
{
    for (const progress_row_t *row = rows; row; row = row->next) {
        if (row->generation > ledger->generation ||
            (row->generation == ledger->generation &&
             assignment_epoch_compare(row->epoch, claim->epoch) > 0))
            return true;
    }
    return false;
}

/* The least progress of this generation's rows, which are in order of their keys; none if they do
 * not cover the whole span. */
static commit_ts_t least_progress(const sqlite_ledger_t *ledger, span_t span,
                                  const progress_row_t *rows)
{
    commit_ts_t least = COMMIT_TS_MAX;
    bytes_t covered = span.start_key;
    bool is_open_end = false; /* covered to the end of the table */
    for (const progress_row_t *row = rows; row; row = row->next) {
        if (row->generation != ledger->generation)
            continue;
        if (is_open_end || bytes_compare(row->start_key, covered) > 0)
            return COMMIT_TS_NONE;
        covered = row->end_key;
        is_open_end = row->end_key.len == 0;
        if (row->progress.v < least.v)
            least = row->progress;
    }
    bool is_whole =
        is_open_end || (span.end_key.len > 0 && bytes_compare(covered, span.end_key) >= 0);
    return is_whole && least.v != UINT64_MAX ? least : COMMIT_TS_NONE;
}

static sluice_error_t take_over(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                const progress_row_t *rows, const progress_row_t *own,
                                error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (const progress_row_t *row = rows; row && !error; row = row->next)
        error = remove_row(ledger, claim, row, report);
    for (const progress_row_t *row = rows; row && !error; row = row->next)
        error = keep_rest(ledger, claim, row, report);
    return error ? error : insert_row(ledger, claim, own, report);
}

sluice_error_t sqlite_ledger_claim(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                   sink_claim_result_t *result, error_report_t *report)
{
    arena_reset(&ledger->arena);
    *result = (sink_claim_result_t){.error = SLUICE_OK};
    progress_row_t *rows;
    commit_ts_t ddl;
    sluice_error_t error = read_overlapping(ledger, claim, &rows, report);
    if (!error)
        error = last_ddl(ledger, claim->span.table_id, &ddl, report);
    if (error)
        return error;
    if (is_outranked(ledger, claim, rows)) {
        result->error = SLUICE_ERROR_NOT_OWNER;
        return SLUICE_OK;
    }
    progress_row_t own = {.start_key = claim->span.start_key,
                          .end_key = claim->span.end_key,
                          .epoch = claim->epoch,
                          .progress = least_progress(ledger, claim->span, rows),
                          .generation = ledger->generation};
    for (const progress_row_t *row = rows; row; row = row->next) {
        if (row->generation == own.generation && row->dropped_at > own.dropped_at)
            own.dropped_at = row->dropped_at;
    }
    /* All spans of the table had flushed what came before the DDL. The trigger's row carries its
     * epoch only. */
    bool is_trigger = claim->span.table_id.v == TABLE_ID_TRIGGER.v;
    if (!is_trigger && commit_ts_before(ddl).v > own.progress.v)
        own.progress = commit_ts_before(ddl);
    if (!is_trigger && ledger->checkpoint.v > own.progress.v)
        own.progress = ledger->checkpoint;
    result->progress = is_trigger ? ledger->checkpoint : own.progress;
    return take_over(ledger, claim, rows, &own, report);
}

/* The claim's own row: its progress in *progress, or *is_own false. */
static sluice_error_t read_own(sqlite_ledger_t *ledger, const sink_claim_t *claim, bool *is_own,
                               commit_ts_t *progress, error_report_t *report)
{
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_READ_ROW);
    sqlite3_bind_int64(statement, 3, (int64_t)claim->span.table_id.v);
    sqlite3_bind_int64(statement, 4, claim->mode);
    bind_key(statement, 5, claim->span.start_key);
    bool row;
    sluice_error_t error = sqlite_session_step_row(ledger->session, statement, &row, report);
    *is_own = false;
    if (!error && row) {
        assignment_epoch_t epoch = {(uint64_t)sqlite3_column_int64(statement, 0),
                                    (uint64_t)sqlite3_column_int64(statement, 1)};
        bytes_t end_key =
            bytes_of(sqlite3_column_blob(statement, 3), (size_t)sqlite3_column_bytes(statement, 3));
        *is_own = assignment_epoch_compare(epoch, claim->epoch) == 0 &&
                  bytes_equal(end_key, claim->span.end_key);
        *progress = (commit_ts_t){(uint64_t)sqlite3_column_int64(statement, 2)};
    }
    sqlite3_reset(statement);
    return error;
}

sluice_error_t sqlite_ledger_check(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                   ledger_verdict_t *verdict, error_report_t *report)
{
    bool is_own;
    commit_ts_t progress;
    sluice_error_t error = read_own(ledger, claim, &is_own, &progress, report);
    *verdict = !error && is_own ? LEDGER_OWNED : LEDGER_NOT_OWNER;
    return error;
}

sluice_error_t sqlite_ledger_advance(sqlite_ledger_t *ledger, const sink_claim_t *claim,
                                     commit_ts_t progress, ledger_verdict_t *verdict,
                                     error_report_t *report)
{
    *verdict = LEDGER_NOT_OWNER;
    if (progress.v > INT64_MAX)
        return error_report_set(report, SLUICE_ERROR_SOURCE_SEQUENCE,
                                "GTID sequence number %llu is beyond 2^63 - 1",
                                (unsigned long long)progress.v);
    sqlite3_stmt *statement = sqlite_ledger_bind(ledger, LEDGER_MOVE_ROW);
    bind_span(statement, claim, claim->span);
    sqlite3_bind_int64(statement, 7, (int64_t)claim->epoch.maintainer_epoch);
    sqlite3_bind_int64(statement, 8, (int64_t)claim->epoch.counter);
    sqlite3_bind_int64(statement, 9, (int64_t)progress.v);
    sluice_error_t error = sqlite_ledger_run(ledger, statement, report);
    if (error)
        return error;
    if (sqlite3_changes(sqlite_session_handle(ledger->session)) == 1) {
        *verdict = LEDGER_OWNED;
        return SLUICE_OK;
    }
    bool is_own;
    commit_ts_t found;
    error = read_own(ledger, claim, &is_own, &found, report);
    if (!error && is_own && found.v == progress.v)
        *verdict = LEDGER_DONE_BEFORE;
    return error;
}
