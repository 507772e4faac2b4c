#include "dispatcher/sink/mariadb/progress.h"

#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/sink/mariadb/error.h"
#include "dispatcher/sink/mariadb/tables.h"
#include "dispatcher/sink/mariadb/wait.h"

#define WAITS_MAX 3

enum {
    PARAMETER_PROGRESS,
    PARAMETER_MODE,
    PARAMETER_TABLE_ID,
    PARAMETER_START_KEY,
    PARAMETER_END_KEY,
    PARAMETER_MAINTAINER_EPOCH,
    PARAMETER_COUNTER,
    PARAMETER_BELOW,
    PARAMETER_COUNT
};

struct mariadb_progress {
    const mariadb_owner_t *owner;
    MYSQL_STMT *statement;
    uint64_t session_number; /* of which the statement is */
};

mariadb_progress_t *mariadb_progress_new(const mariadb_owner_t *owner)
{
    mariadb_progress_t *progress = memory_zalloc(sizeof *progress);
    progress->owner = owner;
    return progress;
}

static void statement_close(mariadb_progress_t *progress)
{
    if (progress->statement)
        mysql_stmt_close(progress->statement);
    progress->statement = NULL;
}

void mariadb_progress_destroy(mariadb_progress_t **progress)
{
    if (!*progress)
        return;
    statement_close(*progress);
    free(*progress);
    *progress = NULL;
}

static sluice_error_t statement_prepare(mariadb_progress_t *progress, error_report_t *report)
{
    mariadb_session_t *session = progress->owner->session;
    if (progress->statement && progress->session_number == mariadb_session_number(session))
        return SLUICE_OK;
    statement_close(progress);
    sluice_error_t error = mariadb_session_check(session, report);
    if (error != SLUICE_OK)
        return error;
    progress->statement = mysql_stmt_init(mariadb_session_handle(session));
    if (!progress->statement)
        memory_exhausted(sizeof(MYSQL_STMT));
    progress->session_number = mariadb_session_number(session);
    sql_text_t sql = {0};
    sql_text_add(&sql, "UPDATE sluice.progress SET progress=GREATEST(progress,?) WHERE ");
    mariadb_tables_where_feed(&sql, &progress->owner->changefeed);
    sql_text_add(&sql, " AND mode=? AND table_id=? AND start_key=? AND end_key=? AND "
                       "maintainer_epoch=? AND counter=? AND progress<?");
    if (mysql_stmt_prepare(progress->statement, sql.data, sql.len) != 0) {
        error = mariadb_session_statement_failed(session, progress->statement,
                                                 "preparing the progress statement", report);
        statement_close(progress);
    }
    sql_text_clear(&sql);
    return error;
}

static uint64_t *numbers_bind(MYSQL_BIND *bind, uint32_t count, arena_t *arena)
{
    uint64_t *numbers = arena_alloc(arena, count * sizeof *numbers);
    *bind = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_LONGLONG, .is_unsigned = 1, .buffer = numbers};
    return numbers;
}

static void key_bind(MYSQL_BIND *bind, const sink_write_t *const *writes, uint32_t count,
                     bool is_start, arena_t *arena)
{
    const void **pointers = arena_alloc(arena, count * sizeof *pointers);
    unsigned long *lengths = arena_alloc(arena, count * sizeof *lengths);
    for (uint32_t i = 0; i < count; i++) {
        const span_t *span = &writes[i]->claim->span;
        bytes_t key = is_start ? span->start_key : span->end_key;
        pointers[i] = key.data ? (const void *)key.data : "";
        lengths[i] = key.len;
    }
    *bind = (MYSQL_BIND){.buffer_type = MYSQL_TYPE_BLOB, .buffer = pointers, .length = lengths};
}

/* A part that does not move the progress still has to find its row, hence "less than anything" and
 * "no less than nothing". */
static void binds_fill(MYSQL_BIND *binds, const sink_write_t *const *writes, uint32_t count,
                       arena_t *arena)
{
    uint64_t *numbers[PARAMETER_COUNT] = {0};
    for (int i = 0; i < PARAMETER_COUNT; i++) {
        if (i == PARAMETER_START_KEY || i == PARAMETER_END_KEY)
            key_bind(&binds[i], writes, count, i == PARAMETER_START_KEY, arena);
        else
            numbers[i] = numbers_bind(&binds[i], count, arena);
    }
    for (uint32_t i = 0; i < count; i++) {
        const sink_write_t *write = writes[i];
        numbers[PARAMETER_PROGRESS][i] = write->moves_progress ? write->progress.v : 0;
        numbers[PARAMETER_BELOW][i] = write->moves_progress ? write->progress.v : UINT64_MAX;
        numbers[PARAMETER_MODE][i] = (uint64_t)write->claim->mode;
        numbers[PARAMETER_TABLE_ID][i] = write->claim->span.table_id.v;
        numbers[PARAMETER_MAINTAINER_EPOCH][i] = write->claim->epoch.maintainer_epoch;
        numbers[PARAMETER_COUNTER][i] = write->claim->epoch.counter;
    }
}

static sluice_error_t statement_run(mariadb_progress_t *progress, const sink_write_t *const *writes,
                                    uint32_t count, arena_t *arena, uint64_t *matched,
                                    error_report_t *report)
{
    sluice_error_t error = statement_prepare(progress, report);
    if (error != SLUICE_OK)
        return error;
    MYSQL_BIND binds[PARAMETER_COUNT];
    binds_fill(binds, writes, count, arena);
    unsigned int array_size = count;
    mysql_stmt_attr_set(progress->statement, STMT_ATTR_ARRAY_SIZE, &array_size);
    if (mysql_stmt_bind_param(progress->statement, binds) != 0 ||
        mysql_stmt_execute(progress->statement) != 0)
        return mariadb_session_statement_failed(progress->owner->session, progress->statement,
                                                "moving the progress", report);
    *matched = mysql_stmt_affected_rows(progress->statement);
    return SLUICE_OK;
}

/* Waits until nobody holds these rows any more, killing whoever does. `all_ours` false: one of them
 * has a later owner, which is left alone. */
static sluice_error_t rows_wait(mariadb_progress_t *progress, const sink_write_t *const *writes,
                                uint32_t count, bool *all_ours, error_report_t *report)
{
    const mariadb_owner_t *owner = progress->owner;
    mariadb_session_rollback(owner->session);
    sluice_error_t error = mariadb_session_open(owner->session, report);
    *all_ours = true;
    for (uint32_t i = 0; i < count && error == SLUICE_OK; i++) {
        error = mariadb_claim_prove(owner, writes[i]->claim, report);
        if (error == SLUICE_ERROR_NOT_OWNER) {
            *all_ours = false;
            error = SLUICE_OK;
        }
    }
    mariadb_session_rollback(owner->session);
    return error == SLUICE_OK ? mariadb_session_open(owner->session, report) : error;
}

sluice_error_t mariadb_progress_advance(mariadb_progress_t *progress,
                                        const sink_write_t *const *writes, uint32_t count,
                                        arena_t *arena, bool *all_ours, error_report_t *report)
{
    for (int wait = 0;; wait++) {
        uint64_t matched = 0;
        sluice_error_t error = statement_run(progress, writes, count, arena, &matched, report);
        *all_ours = matched == count;
        if (error == SLUICE_OK || wait == WAITS_MAX ||
            mariadb_session_last_error(progress->owner->session) != MARIADB_LOCK_WAIT_TIMEOUT)
            return error;
        error = rows_wait(progress, writes, count, all_ours, report);
        if (error != SLUICE_OK || !*all_ours)
            return error;
    }
}

sluice_error_t mariadb_progress_decide(mariadb_progress_t *progress, const sink_write_t *write,
                                       write_state_t *state, error_report_t *report)
{
    const mariadb_owner_t *owner = progress->owner;
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT progress FROM sluice.progress WHERE ");
    mariadb_claim_where(&sql, &owner->changefeed, write->claim);
    MYSQL_RES *result;
    sluice_error_t error =
        mariadb_session_select(owner->session, sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    MYSQL_ROW row = mysql_fetch_row(result);
    uint64_t found = row ? strtoull(row[0], NULL, 10) : 0;
    if (!row)
        *state = WRITE_NOT_OURS;
    else if (!write->moves_progress || found < write->progress.v)
        *state = WRITE_OPEN;
    else
        *state = found == write->progress.v ? WRITE_COMMITTED : WRITE_NOT_OURS;
    mysql_free_result(result);
    mariadb_session_rollback(owner->session);
    return SLUICE_OK;
}
