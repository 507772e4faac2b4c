#include "dispatcher/sink/mariadb/claim.h"

#include <stdlib.h>

#include "dispatcher/sink/mariadb/changefeed_row.h"
#include "dispatcher/sink/mariadb/error.h"
#include "dispatcher/sink/mariadb/span_rows.h"
#include "dispatcher/sink/mariadb/tables.h"
#include "dispatcher/sink/mariadb/wait.h"
#include "dispatcher/sink/sink_subject.h"

#define TABLES_PER_STATEMENT 500

/* The claims of one table and its rows. */
typedef struct {
    uint64_t table_id;
    pipeline_t mode;
    span_rows_t rows;
    commit_ts_t raised; /* one before the last DDL of this table that was run */
} table_claim_t;

typedef struct {
    const mariadb_owner_t *owner;
    arena_t *arena;
    commit_ts_t checkpoint; /* that the sink knows to be persisted */
    table_claim_t *tables;  /* ascending, so that no two claims wait for each other */
    uint32_t table_count;
} claim_work_t;

static int table_claim_compare(const void *a, const void *b)
{
    const table_claim_t *left = a, *right = b;
    if (left->mode != right->mode)
        return left->mode < right->mode ? -1 : 1;
    return (left->table_id > right->table_id) - (left->table_id < right->table_id);
}

static table_claim_t *table_find(const claim_work_t *work, pipeline_t mode, uint64_t table_id)
{
    table_claim_t wanted = {.mode = mode, .table_id = table_id};
    return bsearch(&wanted, work->tables, work->table_count, sizeof wanted, table_claim_compare);
}

static void tables_collect(claim_work_t *work, const sink_claim_t *claims, uint32_t count)
{
    work->tables = arena_calloc(work->arena, count, sizeof *work->tables);
    for (uint32_t i = 0; i < count; i++) {
        work->tables[i].table_id = claims[i].span.table_id.v;
        work->tables[i].mode = claims[i].mode;
        work->tables[i].rows.arena = work->arena;
    }
    qsort(work->tables, count, sizeof *work->tables, table_claim_compare);
    for (uint32_t i = 0; i < count; i++) {
        table_claim_t *last = work->table_count ? &work->tables[work->table_count - 1] : NULL;
        if (!last || table_claim_compare(last, &work->tables[i]) != 0)
            work->tables[work->table_count++] = work->tables[i];
    }
}

static void add_feed(sql_text_t *sql, const claim_work_t *work)
{
    const changefeed_uuid_t *uuid = &work->owner->changefeed.uuid;
    sql_text_add_hex(sql, bytes_of(uuid->bytes, sizeof uuid->bytes));
}

static void add_table_ids(sql_text_t *sql, const table_claim_t *tables, uint32_t count)
{
    sql_text_add(sql, " AND table_id IN (");
    for (uint32_t i = 0; i < count; i++)
        sql_text_printf(sql, "%s%llu", i ? "," : "", (unsigned long long)tables[i].table_id);
    sql_text_add(sql, ")");
}

/* Claims of one table follow each other even where there is no progress row yet to lock. */
static sluice_error_t tables_lock(const claim_work_t *work, const table_claim_t *tables,
                                  uint32_t count, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "INSERT INTO sluice.claim (feed,mode,table_id,claims) VALUES ");
    for (uint32_t i = 0; i < count; i++) {
        sql_text_add(&sql, i ? ",(" : "(");
        add_feed(&sql, work);
        sql_text_printf(&sql, ",%d,%llu,1)", (int)tables[i].mode,
                        (unsigned long long)tables[i].table_id);
    }
    sql_text_add(&sql, " ON DUPLICATE KEY UPDATE claims=claims+1");
    sluice_error_t error = mariadb_wait_rows(work->owner->session, work->owner->endpoint,
                                             sql_text_get(&sql), NULL, report);
    sql_text_clear(&sql);
    return error;
}

static uint64_t number_of(const char *text)
{
    return text ? strtoull(text, NULL, 10) : 0;
}

static void row_take_in(const claim_work_t *work, MYSQL_RES *result, MYSQL_ROW row)
{
    const unsigned long *lengths = mysql_fetch_lengths(result);
    table_claim_t *table = table_find(work, (pipeline_t)number_of(row[0]), number_of(row[1]));
    if (!table)
        return;
    span_row_t stored = {.generation = number_of(row[2]),
                         .start_key = arena_bytes(work->arena, bytes_of(row[3], lengths[3])),
                         .end_key = arena_bytes(work->arena, bytes_of(row[4], lengths[4])),
                         .epoch = {number_of(row[5]), number_of(row[6])},
                         .progress = {number_of(row[7])},
                         .is_stored = true};
    span_rows_add(&table->rows, &stored);
}

/* By the primary key alone: a scan would wait for rows of other tables, and kill their owners. */
static sluice_error_t rows_lock(const claim_work_t *work, const table_claim_t *tables,
                                uint32_t count, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT mode,table_id,generation,start_key,end_key,maintainer_epoch,"
                       "counter,progress FROM sluice.progress FORCE INDEX (PRIMARY) WHERE feed=");
    add_feed(&sql, work);
    sql_text_printf(&sql, " AND mode=%d", (int)tables[0].mode);
    add_table_ids(&sql, tables, count);
    sql_text_add(&sql, " FOR UPDATE");
    MYSQL_RES *result;
    sluice_error_t error = mariadb_wait_rows(work->owner->session, work->owner->endpoint,
                                             sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));)
        row_take_in(work, result, row);
    mysql_free_result(result);
    return SLUICE_OK;
}

/* Before a DDL is run all spans of its tables have flushed what came before it. */
static sluice_error_t ddl_read(const claim_work_t *work, table_claim_t *tables, uint32_t count,
                               error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "SELECT table_id,MAX(commit_ts) FROM sluice.ddl_table JOIN "
                       "sluice.ddl_record USING (feed,generation,commit_ts) WHERE is_done AND ");
    mariadb_tables_where_feed(&sql, &work->owner->changefeed);
    add_table_ids(&sql, tables, count);
    sql_text_add(&sql, " GROUP BY table_id UNION ALL SELECT 0,MAX(commit_ts) FROM "
                       "sluice.ddl_record WHERE is_done AND concerns_all AND ");
    mariadb_tables_where_feed(&sql, &work->owner->changefeed);
    MYSQL_RES *result;
    sluice_error_t error =
        mariadb_session_select(work->owner->session, sql_text_get(&sql), &result, report);
    sql_text_clear(&sql);
    if (error != SLUICE_OK)
        return error;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
        uint64_t table_id = number_of(row[0]);
        commit_ts_t before = commit_ts_before((commit_ts_t){number_of(row[1])});
        for (uint32_t i = 0; i < count; i++) {
            if ((table_id == 0 || table_id == tables[i].table_id) && tables[i].raised.v < before.v)
                tables[i].raised = before;
        }
    }
    mysql_free_result(result);
    return SLUICE_OK;
}

static void claim_decide(const claim_work_t *work, const sink_claim_t *claim,
                         sink_claim_result_t *result)
{
    table_claim_t *table = table_find(work, claim->mode, claim->span.table_id.v);
    uint64_t generation = work->owner->changefeed.generation;
    result->progress = COMMIT_TS_NONE;
    result->error = span_rows_claim(&table->rows, generation, claim->span.start_key,
                                    claim->span.end_key, claim->epoch, &result->progress);
    if (result->error != SLUICE_OK)
        return;
    /* The trigger meets its DDLs again and asks the record; it must start behind those only whose
     * record may be gone. */
    if (claim->span.table_id.v == TABLE_ID_TRIGGER.v) {
        result->progress = work->checkpoint;
        return;
    }
    if (result->progress.v < table->raised.v)
        result->progress = table->raised;
    if (result->progress.v < work->checkpoint.v)
        result->progress = work->checkpoint;
    span_rows_raise(&table->rows, generation, claim->span.start_key, result->progress);
}

static bool is_replaced(const table_claim_t *table, const span_row_t *removed)
{
    for (uint32_t i = 0; i < table->rows.count; i++) {
        const span_row_t *row = &table->rows.rows[i];
        if (!row->is_removed && row->generation == removed->generation &&
            bytes_equal(row->start_key, removed->start_key))
            return true;
    }
    return false;
}

static sluice_error_t row_delete(const claim_work_t *work, const table_claim_t *table,
                                 const span_row_t *row, error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "DELETE FROM sluice.progress WHERE feed=");
    add_feed(&sql, work);
    sql_text_printf(
        &sql, " AND mode=%d AND table_id=%llu AND generation=%llu AND start_key=", (int)table->mode,
        (unsigned long long)table->table_id, (unsigned long long)row->generation);
    sql_text_add_hex(&sql, row->start_key);
    sluice_error_t error =
        mariadb_session_run(work->owner->session, sql_text_get(&sql), NULL, report);
    sql_text_clear(&sql);
    return error;
}

/* One by one, since only spans that were split or joined and old generations leave any. */
static sluice_error_t removed_delete(const claim_work_t *work, const table_claim_t *tables,
                                     uint32_t count, error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < tables[i].rows.count && error == SLUICE_OK; j++) {
            const span_row_t *row = &tables[i].rows.rows[j];
            if (row->is_stored && row->is_removed && !is_replaced(&tables[i], row))
                error = row_delete(work, &tables[i], row, report);
        }
    }
    return error;
}

static void add_row(sql_text_t *sql, const claim_work_t *work, const table_claim_t *table,
                    const span_row_t *row)
{
    sql_text_add(sql, "(");
    add_feed(sql, work);
    sql_text_printf(sql, ",%d,%llu,%llu,", (int)table->mode, (unsigned long long)table->table_id,
                    (unsigned long long)row->generation);
    sql_text_add_hex(sql, row->start_key);
    sql_text_add(sql, ",");
    sql_text_add_hex(sql, row->end_key);
    sql_text_printf(sql, ",%llu,%llu,%llu)", (unsigned long long)row->epoch.maintainer_epoch,
                    (unsigned long long)row->epoch.counter, (unsigned long long)row->progress.v);
}

static sluice_error_t new_put(const claim_work_t *work, const table_claim_t *tables, uint32_t count,
                              error_report_t *report)
{
    sql_text_t sql = {0};
    sql_text_add(&sql, "INSERT INTO sluice.progress (feed,mode,table_id,generation,start_key,"
                       "end_key,maintainer_epoch,counter,progress) VALUES ");
    bool is_first = true;
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < tables[i].rows.count; j++) {
            const span_row_t *row = &tables[i].rows.rows[j];
            if (row->is_stored || row->is_removed)
                continue;
            sql_text_add(&sql, is_first ? "" : ",");
            add_row(&sql, work, &tables[i], row);
            is_first = false;
        }
    }
    sql_text_add(&sql, " ON DUPLICATE KEY UPDATE end_key=VALUES(end_key),"
                       "maintainer_epoch=VALUES(maintainer_epoch),counter=VALUES(counter),"
                       "progress=VALUES(progress)");
    sluice_error_t error = SLUICE_OK;
    if (!is_first)
        error = mariadb_session_run(work->owner->session, sql_text_get(&sql), NULL, report);
    sql_text_clear(&sql);
    return error;
}

typedef sluice_error_t (*piece_step_t)(const claim_work_t *, table_claim_t *, uint32_t,
                                       error_report_t *);

static sluice_error_t piece_read(const claim_work_t *work, table_claim_t *tables, uint32_t count,
                                 error_report_t *report)
{
    sluice_error_t error = tables_lock(work, tables, count, report);
    if (error == SLUICE_OK)
        error = rows_lock(work, tables, count, report);
    if (error == SLUICE_OK)
        error = ddl_read(work, tables, count, report);
    return error;
}

static sluice_error_t piece_store(const claim_work_t *work, table_claim_t *tables, uint32_t count,
                                  error_report_t *report)
{
    sluice_error_t error = removed_delete(work, tables, count, report);
    if (error == SLUICE_OK)
        error = new_put(work, tables, count, report);
    return error;
}

/* Tables of one mode that one statement can name. */
static uint32_t piece_size(const claim_work_t *work, uint32_t at)
{
    uint32_t count = 1;
    while (at + count < work->table_count && count < TABLES_PER_STATEMENT &&
           work->tables[at + count].mode == work->tables[at].mode)
        count++;
    return count;
}

static sluice_error_t pieces_run(const claim_work_t *work, piece_step_t step,
                                 error_report_t *report)
{
    sluice_error_t error = SLUICE_OK;
    for (uint32_t at = 0; at < work->table_count && error == SLUICE_OK;) {
        uint32_t count = piece_size(work, at);
        error = step(work, &work->tables[at], count, report);
        at += count;
    }
    return error;
}

static sluice_error_t claims_check(const sink_claim_t *claims, uint32_t count,
                                   error_report_t *report)
{
    for (uint32_t i = 0; i < count; i++) {
        if (claims[i].span.start_key.len > MARIADB_SPAN_KEY_MAX ||
            claims[i].span.end_key.len > MARIADB_SPAN_KEY_MAX)
            return error_report_set(report, SLUICE_ERROR_TOO_LARGE,
                                    "a span's bounds are longer than %d bytes",
                                    MARIADB_SPAN_KEY_MAX);
    }
    return SLUICE_OK;
}

static sluice_error_t changefeed_enter(claim_work_t *work, error_report_t *report)
{
    bool is_known;
    sluice_error_t error =
        mariadb_changefeed_row_enter(work->owner, &is_known, &work->checkpoint, report);
    if (error != SLUICE_OK || is_known)
        return error;
    mariadb_session_rollback(work->owner->session);
    error = mariadb_changefeed_row_begin(work->owner, report);
    if (error == SLUICE_OK)
        error = mariadb_changefeed_row_enter(work->owner, &is_known, &work->checkpoint, report);
    return error;
}

static sluice_error_t claim_once(const mariadb_owner_t *owner, const sink_claim_t *claims,
                                 uint32_t count, sink_claim_result_t *results,
                                 error_report_t *report)
{
    arena_t arena = {0};
    claim_work_t work = {.owner = owner, .arena = &arena};
    tables_collect(&work, claims, count);
    sluice_error_t error = changefeed_enter(&work, report);
    if (error == SLUICE_OK)
        error = pieces_run(&work, piece_read, report);
    if (error == SLUICE_OK) {
        for (uint32_t i = 0; i < count; i++)
            claim_decide(&work, &claims[i], &results[i]);
        error = pieces_run(&work, piece_store, report);
    }
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.claim.commit", 0, sink_subject_of_claims(claims, count));
    if (error == SLUICE_OK)
        error = mariadb_session_commit(owner->session, report);
    if (error == SLUICE_OK)
        error = FAIL_POINT("sink.claim.committed", 0, sink_subject_of_claims(claims, count));
    if (error != SLUICE_OK)
        mariadb_session_rollback(owner->session);
    arena_clear(&arena);
    return error;
}

sluice_error_t mariadb_claim(const mariadb_owner_t *owner, const sink_claim_t *claims,
                             uint32_t count, sink_claim_result_t *results, error_report_t *report)
{
    sluice_error_t error = claims_check(claims, count, report);
    if (error == SLUICE_OK)
        error = mariadb_session_open(owner->session, report);
    if (error != SLUICE_OK)
        return error;
    error = FAIL_POINT("sink.claim.begin", 0, sink_subject_of_claims(claims, count));
    if (error == SLUICE_OK)
        error = claim_once(owner, claims, count, results, report);
    if (error != SLUICE_ERROR_SINK_REFUSED || !mariadb_tables_are_missing(owner->session))
        return error;
    error = mariadb_tables_create(owner->session, report);
    return error == SLUICE_OK ? claim_once(owner, claims, count, results, report) : error;
}
