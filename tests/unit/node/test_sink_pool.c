#include "tests/testing.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "dispatcher/shell/sink_pool.h"

/* ---- a sink that records what it is asked, and answers as told ---- */

#define CALLS_MAX 256

typedef struct {
    char kind; /* c claim, w write, d DDL, s sync point, m watermark, u clean-up */
    uint64_t table;
    uint64_t from_ts, to_ts;
    uint32_t part_count, in_one_call;
    bool moves_progress;
} call_t;

typedef struct {
    sink_t base;
    pthread_mutex_t lock;
    call_t calls[CALLS_MAX];
    uint32_t call_count;
    uint32_t connects;
    uint32_t failures_left; /* calls that fail with `failure` first */
    sluice_error_t failure;
    uint64_t broken_table;  /* writes with it in them fail with SINK_REFUSED */
    uint64_t foreign_table; /* claims and writes of it: NOT_OWNER */
    bool holds_writes;
    pthread_cond_t released;
} fake_sink_t;

typedef struct {
    sink_connection_t base;
    fake_sink_t *sink;
} fake_connection_t;

static fake_sink_t *sink_of(sink_connection_t *connection)
{
    return ((fake_connection_t *)connection)->sink;
}

static sluice_error_t fake_connect(sink_t *sink, sink_connection_t **connection,
                                   error_report_t *report)
{
    (void)report;
    fake_sink_t *fake = (fake_sink_t *)sink;
    fake_connection_t *made = memory_zalloc(sizeof *made);
    made->sink = fake;
    *connection = &made->base;
    pthread_mutex_lock(&fake->lock);
    fake->connects++;
    pthread_mutex_unlock(&fake->lock);
    return SLUICE_OK;
}

static void fake_disconnect(sink_connection_t **connection)
{
    free(*connection);
    *connection = NULL;
}

static void fake_interrupt(sink_connection_t *connection)
{
    fake_sink_t *fake = sink_of(connection);
    pthread_mutex_lock(&fake->lock);
    fake->holds_writes = false;
    pthread_cond_broadcast(&fake->released);
    pthread_mutex_unlock(&fake->lock);
}

static void record(fake_sink_t *fake, call_t call)
{
    assert_true(fake->call_count < CALLS_MAX);
    fake->calls[fake->call_count++] = call;
}

/* With the lock. */
static sluice_error_t planned_failure(fake_sink_t *fake, error_report_t *report)
{
    if (fake->failures_left == 0)
        return SLUICE_OK;
    fake->failures_left--;
    return error_report_set(report, fake->failure, "planned");
}

static sluice_error_t fake_claim(sink_connection_t *connection, const sink_claim_t *claims,
                                 uint32_t count, sink_claim_result_t *results,
                                 error_report_t *report)
{
    fake_sink_t *fake = sink_of(connection);
    pthread_mutex_lock(&fake->lock);
    sluice_error_t error = planned_failure(fake, report);
    for (uint32_t i = 0; error == SLUICE_OK && i < count; i++) {
        uint64_t table = claims[i].span.table_id.v;
        record(fake, (call_t){.kind = 'c', .table = table, .in_one_call = count});
        results[i].error = table == fake->foreign_table ? SLUICE_ERROR_NOT_OWNER : SLUICE_OK;
        results[i].progress = (commit_ts_t){table * 10};
    }
    pthread_mutex_unlock(&fake->lock);
    return error;
}

static sluice_error_t fake_write(sink_connection_t *connection, const sink_write_t *writes,
                                 uint32_t count, sink_write_result_t *results,
                                 error_report_t *report)
{
    fake_sink_t *fake = sink_of(connection);
    pthread_mutex_lock(&fake->lock);
    while (fake->holds_writes)
        pthread_cond_wait(&fake->released, &fake->lock);
    sluice_error_t error = planned_failure(fake, report);
    for (uint32_t i = 0; error == SLUICE_OK && i < count; i++)
        if (writes[i].claim->span.table_id.v == fake->broken_table)
            error = error_report_set(report, SLUICE_ERROR_SINK_REFUSED, "broken table");
    for (uint32_t i = 0; error == SLUICE_OK && i < count; i++) {
        const sink_write_t *write = &writes[i];
        record(fake, (call_t){.kind = 'w',
                              .table = write->claim->span.table_id.v,
                              .from_ts = write->part_ts[0].v,
                              .to_ts = write->progress.v,
                              .part_count = write->part_count,
                              .in_one_call = count,
                              .moves_progress = write->moves_progress});
        results[i].error = write->claim->span.table_id.v == fake->foreign_table
                               ? SLUICE_ERROR_NOT_OWNER
                               : SLUICE_OK;
        results[i].rows = write->part_count;
    }
    pthread_mutex_unlock(&fake->lock);
    return error;
}

static sluice_error_t note(sink_connection_t *connection, char kind, uint64_t table, uint64_t ts,
                           error_report_t *report)
{
    fake_sink_t *fake = sink_of(connection);
    pthread_mutex_lock(&fake->lock);
    sluice_error_t error = planned_failure(fake, report);
    if (error == SLUICE_OK)
        record(fake, (call_t){.kind = kind, .table = table, .to_ts = ts});
    pthread_mutex_unlock(&fake->lock);
    return error;
}

static sluice_error_t fake_run_ddl(sink_connection_t *connection, const sink_claim_t *claim,
                                   const ddl_event_t *ddl, error_report_t *report)
{
    return note(connection, 'd', claim->span.table_id.v, ddl->commit_ts.v, report);
}

static sluice_error_t fake_write_syncpoint(sink_connection_t *connection, const sink_claim_t *claim,
                                           commit_ts_t ts, error_report_t *report)
{
    return note(connection, 's', claim->span.table_id.v, ts.v, report);
}

static sluice_error_t fake_write_watermark(sink_connection_t *connection, commit_ts_t resolved,
                                           error_report_t *report)
{
    return note(connection, 'm', 0, resolved.v, report);
}

static sluice_error_t fake_clean_up(sink_connection_t *connection, commit_ts_t persisted,
                                    error_report_t *report)
{
    return note(connection, 'u', 0, persisted.v, report);
}

static const sink_api_t fake_api = {
    .scheme = "fake",
    .connect = fake_connect,
    .disconnect = fake_disconnect,
    .interrupt = fake_interrupt,
    .claim = fake_claim,
    .write = fake_write,
    .run_ddl = fake_run_ddl,
    .write_syncpoint = fake_write_syncpoint,
    .write_watermark = fake_write_watermark,
    .clean_up = fake_clean_up,
};

/* ---- fixture ---- */

typedef struct {
    fake_sink_t sink;
    sink_pool_t *pool;
    const table_definition_t *definition;
} fixture_t;

#define LEASE_FOREVER ((mono_ns_t){UINT64_MAX})
#define WAIT_MS 10000

static void open_pool(fixture_t *fixture, uint32_t row_workers)
{
    sink_pool_options_t options = {
        .api = &fake_api,
        .sink = &fixture->sink.base,
        .row_workers = row_workers,
        .ddl_workers = 1,
        .batch_bytes_max = 1000,
        .retry_first_ns = NS_PER_MS,
        .retry_max_ns = 2 * NS_PER_MS,
        .changefeed_name = "test",
    };
    fixture->pool = sink_pool_open(&options);
}

static const table_definition_t *new_definition(bool has_key)
{
    table_definition_t *definition = table_definition_new();
    if (!has_key)
        return definition;
    column_definition_t *column = arena_calloc(&definition->arena, 1, sizeof *column);
    *column = (column_definition_t){.name = "id", .type = COLUMN_INT, .flags = COLUMN_NOT_NULL};
    key_part_t *part = arena_calloc(&definition->arena, 1, sizeof *part);
    key_definition_t *key = arena_calloc(&definition->arena, 1, sizeof *key);
    *key =
        (key_definition_t){.kind = KEY_PRIMARY, .name = "PRIMARY", .parts = part, .part_count = 1};
    definition->columns = column;
    definition->column_count = 1;
    definition->keys = key;
    definition->key_count = 1;
    return definition;
}

static int set_up(void **state)
{
    fixture_t *fixture = memory_zalloc(sizeof *fixture);
    pthread_mutex_init(&fixture->sink.lock, NULL);
    pthread_cond_init(&fixture->sink.released, NULL);
    fixture->definition = new_definition(true);
    open_pool(fixture, 1);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *fixture = *state;
    sink_pool_close(&fixture->pool);
    table_definition_unref(&fixture->definition);
    pthread_mutex_destroy(&fixture->sink.lock);
    pthread_cond_destroy(&fixture->sink.released);
    free(fixture);
    return 0;
}

static void claim(fixture_t *fixture, uint64_t table)
{
    sink_claim_t order = {.span = {.table_id = {table}}};
    sink_pool_claim(fixture->pool, (dispatcher_id_t){1, table}, table, &order);
}

static void write_part_of(fixture_t *fixture, uint64_t table, uint64_t ts, bool is_last_part)
{
    transaction_t *transaction = transaction_new();
    transaction->commit_ts = (commit_ts_t){ts};
    transaction->is_last_part = is_last_part;
    table_rows_t *rows = arena_calloc(&transaction->arena, 1, sizeof *rows);
    rows->definition = table_definition_ref(fixture->definition);
    rows->bytes = 100;
    rows->continues = !is_last_part;
    transaction->tables = rows;
    transaction->table_count = 1;
    sink_pool_write(fixture->pool, table, transaction, rows);
}

static void write_rows(fixture_t *fixture, uint64_t table, uint64_t ts)
{
    write_part_of(fixture, table, ts, true);
}

static ddl_event_t *new_ddl(uint64_t ts)
{
    ddl_event_t *ddl = ddl_event_new();
    ddl->commit_ts = (commit_ts_t){ts};
    return ddl;
}

static sink_completion_t next_completion(fixture_t *fixture)
{
    struct pollfd poll_fd = {.fd = sink_pool_fd(fixture->pool), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, WAIT_MS), 1);
    sink_completion_t completion;
    assert_int_equal(sink_pool_take(fixture->pool, &completion, 1), 1);
    return completion;
}

static void expect(fixture_t *fixture, sink_completion_kind_t kind, uint64_t run,
                   sluice_error_t error)
{
    sink_completion_t completion = next_completion(fixture);
    assert_int_equal(completion.kind, kind);
    assert_int_equal(completion.run, run);
    assert_int_equal(completion.error, error);
}

/* Rows may be answered in any number of pieces. */
static void expect_written(fixture_t *fixture, uint64_t run, uint32_t count, sluice_error_t error)
{
    while (count > 0) {
        sink_completion_t completion = next_completion(fixture);
        assert_int_equal(completion.kind, SINK_WRITTEN);
        assert_int_equal(completion.run, run);
        assert_int_equal(completion.error, error);
        assert_true(completion.count <= count);
        count -= completion.count;
    }
}

static void claim_now(fixture_t *fixture, uint64_t table)
{
    sink_pool_set_lease(fixture->pool, LEASE_FOREVER);
    claim(fixture, table);
    expect(fixture, SINK_CLAIMED, table, SLUICE_OK);
}

static void hold_writes(fixture_t *fixture, bool holds)
{
    pthread_mutex_lock(&fixture->sink.lock);
    fixture->sink.holds_writes = holds;
    pthread_cond_broadcast(&fixture->sink.released);
    pthread_mutex_unlock(&fixture->sink.lock);
}

static void plan_failures(fixture_t *fixture, uint32_t count, sluice_error_t error)
{
    pthread_mutex_lock(&fixture->sink.lock);
    fixture->sink.failures_left = count;
    fixture->sink.failure = error;
    pthread_mutex_unlock(&fixture->sink.lock);
}

/* ---- tests ---- */

static void starts_nothing_without_a_lease(void **state)
{
    fixture_t *fixture = *state;
    claim(fixture, 1);
    struct pollfd poll_fd = {.fd = sink_pool_fd(fixture->pool), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 20), 0);
    assert_int_equal(fixture->sink.call_count, 0);
    sink_pool_set_lease(fixture->pool, LEASE_FOREVER);
    sink_completion_t completion = next_completion(fixture);
    assert_int_equal(completion.kind, SINK_CLAIMED);
    assert_int_equal(completion.progress.v, 10);
    assert_true(dispatcher_id_equal(completion.dispatcher_id, (dispatcher_id_t){1, 1}));
}

static void claims_many_in_one_transaction_before_any_rows(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 1; table <= 20; table++)
        claim(fixture, table);
    sink_pool_set_lease(fixture->pool, LEASE_FOREVER);
    for (uint64_t table = 1; table <= 20; table++)
        expect(fixture, SINK_CLAIMED, table, SLUICE_OK);
    assert_true(fixture->sink.calls[0].in_one_call + fixture->sink.calls[19].in_one_call >= 20);
}

static void ends_a_lane_that_is_not_owned(void **state)
{
    fixture_t *fixture = *state;
    fixture->sink.foreign_table = 2;
    claim_now(fixture, 1);
    claim(fixture, 2);
    expect(fixture, SINK_CLAIMED, 2, SLUICE_ERROR_NOT_OWNER);
    write_rows(fixture, 2, 5);
    expect_written(fixture, 2, 1, SLUICE_ERROR_CLOSED);
    pthread_mutex_lock(&fixture->sink.lock);
    fixture->sink.foreign_table = 1;
    pthread_mutex_unlock(&fixture->sink.lock);
    write_rows(fixture, 1, 6);
    expect_written(fixture, 1, 1, SLUICE_ERROR_NOT_OWNER);
    write_rows(fixture, 1, 7);
    expect_written(fixture, 1, 1, SLUICE_ERROR_CLOSED);
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.error, SLUICE_OK);
}

static void gathers_transactions_of_a_lane_in_order(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    for (uint64_t ts = 1; ts <= 30; ts++)
        write_rows(fixture, 1, ts);
    hold_writes(fixture, false);
    expect_written(fixture, 1, 30, SLUICE_OK);
    uint64_t next = 1;
    for (uint32_t i = 1; i < fixture->sink.call_count; i++) {
        const call_t *call = &fixture->sink.calls[i];
        assert_int_equal(call->from_ts, next);
        assert_true(call->part_count <= 10); /* 1000 bytes */
        assert_true(call->moves_progress);
        next = call->to_ts + 1;
    }
    assert_int_equal(next, 31);
    assert_true(fixture->sink.call_count <= 6);
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.rows, 30);
    assert_true(pool_state.is_connected);
}

static void gathers_lanes_into_one_transaction(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 1; table <= 5; table++)
        claim_now(fixture, table);
    hold_writes(fixture, true);
    write_rows(fixture, 1, 1);
    for (uint64_t table = 2; table <= 5; table++)
        write_rows(fixture, table, 2);
    hold_writes(fixture, false);
    for (uint64_t table = 1; table <= 5; table++)
        expect_written(fixture, table, 1, SLUICE_OK);
    /* What came before the worker began went with the first. */
    const call_t *last = &fixture->sink.calls[fixture->sink.call_count - 1];
    assert_true(last[-4].in_one_call + last->in_one_call >= 5);
}

static void moves_progress_only_with_the_last_part_of_a_transaction(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    write_rows(fixture, 1, 1); /* keeps the worker busy */
    write_rows(fixture, 1, 2);
    write_part_of(fixture, 1, 3, false);
    hold_writes(fixture, false);
    expect_written(fixture, 1, 3, SLUICE_OK);
    for (uint32_t i = 1; i < fixture->sink.call_count; i++) {
        const call_t *call = &fixture->sink.calls[i];
        assert_int_equal(call->moves_progress, call->to_ts != 3);
    }
    write_part_of(fixture, 1, 3, true);
    expect_written(fixture, 1, 1, SLUICE_OK);
    assert_true(fixture->sink.calls[fixture->sink.call_count - 1].moves_progress);
}

static void never_cuts_a_transaction_of_a_table_without_a_key(void **state)
{
    fixture_t *fixture = *state;
    table_definition_unref(&fixture->definition);
    fixture->definition = new_definition(false);
    claim_now(fixture, 1);
    for (int part = 0; part < 29; part++)
        write_part_of(fixture, 1, 5, false);
    struct pollfd poll_fd = {.fd = sink_pool_fd(fixture->pool), .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 20), 0);
    write_part_of(fixture, 1, 5, true);
    expect_written(fixture, 1, 30, SLUICE_OK);
    const call_t *call = &fixture->sink.calls[fixture->sink.call_count - 1];
    assert_int_equal(call->part_count, 30);
    assert_true(call->moves_progress);
}

static void parts_read_by_different_nodes_are_one_transaction(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    write_rows(fixture, 1, 1); /* keeps the worker busy */
    for (uint64_t version = 0; version < 3; version++) {
        table_definition_unref(&fixture->definition);
        table_definition_t *definition = table_definition_new();
        definition->version.v = version / 2;
        fixture->definition = definition;
        write_part_of(fixture, 1, 5 + version / 2, version > 0);
    }
    hold_writes(fixture, false);
    expect_written(fixture, 1, 4, SLUICE_OK);
    assert_int_equal(fixture->sink.call_count, 4);
    const call_t *call = &fixture->sink.calls[2];
    assert_int_equal(call->part_count, 2);
    assert_int_equal(call->to_ts, 5);
    assert_true(call->moves_progress);
}

static void tries_again_what_can_pass(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    plan_failures(fixture, 4, SLUICE_ERROR_SINK_CONNECTION);
    write_rows(fixture, 1, 5);
    expect_written(fixture, 1, 1, SLUICE_OK);
    assert_true(fixture->sink.connects >= 5);
    plan_failures(fixture, 2, SLUICE_ERROR_SINK_BUSY);
    sink_pool_run_ddl(fixture->pool, 1, new_ddl(6));
    expect(fixture, SINK_EXECUTED, 1, SLUICE_OK);
    plan_failures(fixture, 2, SLUICE_ERROR_SINK_BUSY);
    claim(fixture, 2);
    expect(fixture, SINK_CLAIMED, 2, SLUICE_OK);
}

static sluice_error_t retrying(fixture_t *fixture)
{
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.error, SLUICE_OK);
    assert_string_equal(pool_state.text, pool_state.retrying == SLUICE_OK ? "" : "planned");
    assert_int_equal(pool_state.is_connected, pool_state.retrying == SLUICE_OK);
    return pool_state.retrying;
}

static void wait_until_retrying(fixture_t *fixture, sluice_error_t error)
{
    for (int i = 0; i < WAIT_MS && retrying(fixture) != error; i++)
        poll(NULL, 0, 1);
    assert_int_equal(retrying(fixture), error);
}

static void says_what_it_tries_to_get_over(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    assert_int_equal(retrying(fixture), SLUICE_OK);
    plan_failures(fixture, UINT32_MAX, SLUICE_ERROR_NO_SPACE);
    write_rows(fixture, 1, 5);
    wait_until_retrying(fixture, SLUICE_ERROR_NO_SPACE);
    plan_failures(fixture, 0, SLUICE_OK);
    expect_written(fixture, 1, 1, SLUICE_OK);
    assert_int_equal(retrying(fixture), SLUICE_OK);
    plan_failures(fixture, UINT32_MAX, SLUICE_ERROR_SINK_BUSY);
    write_rows(fixture, 1, 6);
    wait_until_retrying(fixture, SLUICE_ERROR_SINK_BUSY);
    sink_pool_cancel(fixture->pool, 1);
    expect_written(fixture, 1, 1, SLUICE_ERROR_CLOSED);
    assert_int_equal(retrying(fixture), SLUICE_OK);
}

static void blames_only_the_span_that_fails(void **state)
{
    fixture_t *fixture = *state;
    for (uint64_t table = 1; table <= 3; table++)
        claim_now(fixture, table);
    fixture->sink.broken_table = 2;
    hold_writes(fixture, true);
    write_rows(fixture, 1, 5); /* keeps the worker busy */
    for (uint64_t table = 1; table <= 3; table++)
        write_rows(fixture, table, 6);
    write_rows(fixture, 2, 7);
    hold_writes(fixture, false);
    uint32_t good = 0, refused = 0, closed = 0;
    while (good + refused + closed < 5) {
        sink_completion_t completion = next_completion(fixture);
        if (completion.error == SLUICE_OK) {
            assert_true(completion.run != 2);
            good += completion.count;
        } else if (completion.error == SLUICE_ERROR_SINK_REFUSED) {
            assert_int_equal(completion.run, 2);
            refused += completion.count;
        } else {
            assert_int_equal(completion.error, SLUICE_ERROR_CLOSED);
            closed += completion.count;
        }
    }
    assert_int_equal(good, 3);
    assert_true(refused >= 1);
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.error, SLUICE_ERROR_SINK_REFUSED);
    assert_string_equal(pool_state.text, "broken table");
}

static void answers_cancelled_rows_behind_those_being_written(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    for (uint64_t ts = 1; ts <= 30; ts++)
        write_rows(fixture, 1, ts);
    sink_pool_cancel(fixture->pool, 1);
    write_rows(fixture, 1, 31);
    hold_writes(fixture, false);
    uint32_t answered = 0;
    sluice_error_t newest = SLUICE_OK;
    while (answered < 31) {
        sink_completion_t completion = next_completion(fixture);
        assert_true(completion.error == newest || completion.error == SLUICE_ERROR_CLOSED);
        newest = completion.error;
        answered += completion.count;
    }
    assert_int_equal(newest, SLUICE_ERROR_CLOSED);
    sink_pool_close_lane(fixture->pool, 1);
}

static void runs_ddl_while_rows_are_held_up(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    claim_now(fixture, 2);
    plan_failures(fixture, 0, SLUICE_OK);
    hold_writes(fixture, true);
    write_rows(fixture, 1, 5);
    sink_pool_run_ddl(fixture->pool, 2, new_ddl(7));
    expect(fixture, SINK_EXECUTED, 2, SLUICE_OK);
    sink_pool_write_syncpoint(fixture->pool, 2, (commit_ts_t){8});
    expect(fixture, SINK_EXECUTED, 2, SLUICE_OK);
    hold_writes(fixture, false);
    expect_written(fixture, 1, 1, SLUICE_OK);
    sink_pool_state_t pool_state;
    sink_pool_state(fixture->pool, &pool_state);
    assert_int_equal(pool_state.ddls, 2);
}

static void writes_watermark_and_cleans_up(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    sink_pool_watermark(fixture->pool, (commit_ts_t){50});
    sink_pool_clean_up(fixture->pool, (commit_ts_t){40});
    /* Behind it, so that both are done when it is answered or soon after. */
    bool has_both = false;
    for (uint64_t ts = 1; !has_both && ts < 200; ts++) {
        sink_pool_write_syncpoint(fixture->pool, 1, (commit_ts_t){ts});
        expect(fixture, SINK_EXECUTED, 1, SLUICE_OK);
        pthread_mutex_lock(&fixture->sink.lock);
        bool has_watermark = false, has_clean_up = false;
        for (uint32_t i = 0; i < fixture->sink.call_count; i++) {
            has_watermark |= fixture->sink.calls[i].kind == 'm';
            has_clean_up |= fixture->sink.calls[i].kind == 'u';
        }
        has_both = has_watermark && has_clean_up;
        pthread_mutex_unlock(&fixture->sink.lock);
    }
    assert_true(has_both);
}

static void closes_while_the_sink_does_not_answer(void **state)
{
    fixture_t *fixture = *state;
    claim_now(fixture, 1);
    hold_writes(fixture, true);
    for (uint64_t ts = 1; ts <= 30; ts++)
        write_rows(fixture, 1, ts);
    sink_pool_close(&fixture->pool);
    assert_null(fixture->pool);
}

static void keeps_order_with_many_workers(void **state)
{
    fixture_t *fixture = *state;
    sink_pool_close(&fixture->pool);
    open_pool(fixture, 4);
    for (uint64_t table = 1; table <= 4; table++)
        claim_now(fixture, table);
    for (uint64_t ts = 1; ts <= 50; ts++)
        for (uint64_t table = 1; table <= 4; table++)
            write_rows(fixture, table, ts);
    uint32_t answered = 0;
    while (answered < 200)
        answered += next_completion(fixture).count;
    uint64_t next[5] = {0, 1, 1, 1, 1};
    for (uint32_t i = 0; i < fixture->sink.call_count; i++) {
        const call_t *call = &fixture->sink.calls[i];
        if (call->kind != 'w')
            continue;
        assert_int_equal(call->from_ts, next[call->table]);
        next[call->table] = call->to_ts + 1;
    }
    for (uint64_t table = 1; table <= 4; table++)
        assert_int_equal(next[table], 51);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(starts_nothing_without_a_lease),
        TEST(claims_many_in_one_transaction_before_any_rows),
        TEST(ends_a_lane_that_is_not_owned),
        TEST(gathers_transactions_of_a_lane_in_order),
        TEST(gathers_lanes_into_one_transaction),
        TEST(moves_progress_only_with_the_last_part_of_a_transaction),
        TEST(never_cuts_a_transaction_of_a_table_without_a_key),
        TEST(parts_read_by_different_nodes_are_one_transaction),
        TEST(tries_again_what_can_pass),
        TEST(says_what_it_tries_to_get_over),
        TEST(blames_only_the_span_that_fails),
        TEST(answers_cancelled_rows_behind_those_being_written),
        TEST(runs_ddl_while_rows_are_held_up),
        TEST(writes_watermark_and_cleans_up),
        TEST(closes_while_the_sink_does_not_answer),
        TEST(keeps_order_with_many_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
