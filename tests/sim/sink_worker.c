#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/sim/sink_internal.h"

#define RETRY_FIRST_NS (100 * NS_PER_MS)
#define RETRY_MAX_NS (5 * NS_PER_S)

static void attempt(sim_worker_t *worker);
static void finish(sim_worker_t *worker, sluice_error_t error, const char *text);

/* ---- choosing work ---- */

static bool take_claims(sim_worker_t *worker)
{
    worker->lane_count = 0;
    for (sim_lane_t *lane = worker->pool->lanes; lane && worker->lane_count < CLAIMS_MAX;
         lane = lane->next) {
        if (lane->is_claimed)
            continue;
        lane->is_claimed = true;
        worker->lanes[worker->lane_count++] = lane;
    }
    worker->kind = CALL_CLAIM;
    return worker->lane_count > 0;
}

static uint32_t parts_of(const sim_worker_t *worker)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < worker->lane_count; i++)
        count += worker->item_count[i];
    return count;
}

static sim_lane_t *next_ready(const sim_sink_pool_t *pool)
{
    sim_lane_t *first = NULL;
    for (sim_lane_t *lane = pool->lanes; lane; lane = lane->next)
        if (lane->ready && (!first || lane->ready < first->ready))
            first = lane;
    return first;
}

static bool take_rows(sim_worker_t *worker)
{
    sim_sink_pool_t *pool = worker->pool;
    uint64_t share = sim_random_between(&pool->random, 1, BATCH_LANES_MAX);
    worker->kind = CALL_WRITE;
    worker->lane_count = 0;
    worker->one_by_one = false;
    worker->at = 0;
    for (sim_lane_t *lane; worker->lane_count < share && (lane = next_ready(pool));) {
        uint32_t first = parts_of(worker);
        if (first == BATCH_PARTS_MAX)
            break;
        uint32_t count = row_queue_together(&lane->rows, &batch_limits, first, 0);
        if (count == 0)
            break;
        lane->ready = 0;
        lane->is_busy = true;
        for (uint32_t i = 0; i < count; i++)
            worker->items[first + i] = *row_queue_at(&lane->rows, i);
        row_queue_pop(&lane->rows, count);
        worker->first_item[worker->lane_count] = first;
        worker->item_count[worker->lane_count] = count;
        worker->lanes[worker->lane_count++] = lane;
    }
    return worker->lane_count > 0;
}

static bool take_job(sim_worker_t *worker)
{
    sim_sink_pool_t *pool = worker->pool;
    sim_job_t *job = pool->first_job;
    if (job) {
        pool->first_job = job->next;
        if (!pool->first_job)
            pool->last_job = NULL;
        worker->job = job;
        worker->kind = job->ddl ? CALL_DDL : CALL_SYNCPOINT;
        worker->lanes[0] = job->lane;
        worker->lane_count = 1;
        return true;
    }
    if (pool->clean_up.v <= pool->clean_up_done.v)
        return false;
    worker->kind = CALL_CLEAN_UP;
    worker->clean_up = pool->clean_up_done = pool->clean_up;
    worker->lane_count = 0;
    return true;
}

/* ---- one call ---- */

/* Whether a lane of the batch takes part in this call. */
static bool takes_part(const sim_worker_t *worker, uint32_t index)
{
    return (worker->kind != CALL_WRITE ||
            (index >= worker->at && (!worker->one_by_one || index == worker->at))) &&
           !worker->lanes[index]->is_ended;
}

static bool is_wanted(const sim_worker_t *worker)
{
    for (uint32_t i = 0; i < worker->lane_count; i++)
        if (takes_part(worker, i))
            return true;
    return worker->kind == CALL_CLEAN_UP;
}

static sink_claim_t copy_claim(sim_call_t *call, const sink_claim_t *from)
{
    sink_claim_t claim = *from;
    claim.span.start_key = arena_bytes(&call->arena, from->span.start_key);
    claim.span.end_key = arena_bytes(&call->arena, from->span.end_key);
    return claim;
}

static int compare_claims(const void *a, const void *b)
{
    const sink_claim_t *left = a, *right = b;
    if (left->span.table_id.v != right->span.table_id.v)
        return left->span.table_id.v < right->span.table_id.v ? -1 : 1;
    int order = bytes_compare(left->span.start_key, right->span.start_key);
    if (order != 0)
        return order;
    return assignment_epoch_compare(left->epoch, right->epoch);
}

static void fill_write(sim_worker_t *worker, sim_call_t *call, uint32_t index)
{
    call_write_t *write = &call->writes[call->write_count++];
    write->claim = copy_claim(call, &worker->lanes[index]->claim);
    write->part_count = worker->item_count[index];
    write->is_open = true;
    for (uint32_t i = 0; i < write->part_count; i++) {
        const row_item_t *item = &worker->items[worker->first_item[index] + i];
        write->parts[i] = item->rows;
        write->part_ts[i] = item->transaction->commit_ts;
        write->moves_progress = !item->rows->continues;
        write->progress = item->transaction->commit_ts;
        call->transactions[call->transaction_count++] = transaction_ref(item->transaction);
    }
}

static void fill(sim_worker_t *worker, sim_call_t *call)
{
    call->changefeed = worker->pool->changefeed;
    if (worker->kind == CALL_WRITE) {
        call->writes = arena_calloc(&call->arena, worker->lane_count, sizeof *call->writes);
        call->transactions = arena_calloc(&call->arena, parts_of(worker), sizeof(transaction_t *));
    }
    for (uint32_t i = 0; i < worker->lane_count; i++) {
        if (!takes_part(worker, i))
            continue;
        if (worker->kind == CALL_WRITE)
            fill_write(worker, call, i);
        else
            call->claims[call->claim_count++] = copy_claim(call, &worker->lanes[i]->claim);
    }
    qsort(call->claims, call->claim_count, sizeof *call->claims, compare_claims);
    if (worker->kind == CALL_WRITE)
        call->claims[0] = call->writes[0].claim;
    call->commit_ts = worker->clean_up;
    if (worker->kind != CALL_DDL && worker->kind != CALL_SYNCPOINT)
        return;
    call->ddl = worker->job->ddl ? ddl_event_ref(worker->job->ddl) : NULL;
    call->commit_ts = worker->job->commit_ts;
}

/* Within the life of the process: whoever is stopped meanwhile sends nothing. */
static void send_step(void *context, uint64_t argument)
{
    (void)argument;
    sim_worker_t *worker = context;
    server_send(worker->call);
}

static void tell_step(sim_worker_t *worker)
{
    sim_call_t *call = worker->call;
    if (call->kind == CALL_DDL && call->step == call_first_step(call))
        server_moment(call, SIM_DDL_LOCKING, call->claims[0].span.table_id, call->commit_ts, false);
    if (call->kind == CALL_WRITE && call->step == call_first_step(call))
        server_moment(call, SIM_ROWS_SENDING, call->claims[0].span.table_id,
                      call->writes[0].progress, false);
}

static void begin_call(sim_worker_t *worker)
{
    sim_sink_pool_t *pool = worker->pool;
    if (!worker->connection)
        worker->connection = server_connect(pool->sink, pool->process);
    pool->has_connected = true;
    worker->state = WORKER_CALLING;
    worker->call = server_call_new(pool->sink, worker->kind);
    worker->call->worker = worker;
    worker->call->connection = worker->connection;
    fill(worker, worker->call);
    worker->call->step = call_first_step(worker->call);
    sim_after(pool->world, pool->process, 0, send_step, worker, 0);
    tell_step(worker);
}

static void end_call(sim_worker_t *worker)
{
    worker->call->worker = NULL;
    worker->call = NULL;
}

static void disconnect(sim_worker_t *worker, bool is_in_order)
{
    sim_connection_t *connection = worker->connection;
    worker->connection = NULL;
    if (!connection)
        return;
    server_leave(connection);
    if (is_in_order)
        server_close(connection);
}

/* ---- attempts ---- */

static uint64_t backoff_ns(uint32_t attempts)
{
    uint64_t delay = RETRY_FIRST_NS;
    while (attempts-- > 1 && delay < RETRY_MAX_NS)
        delay *= 2;
    return delay < RETRY_MAX_NS ? delay : RETRY_MAX_NS;
}

static void attempt(sim_worker_t *worker)
{
    sim_sink_pool_t *pool = worker->pool;
    if (!is_wanted(worker)) {
        finish(worker, SLUICE_ERROR_CLOSED, "");
        return;
    }
    if (sim_process_now(pool->process).v >= pool->lease_until.v) {
        worker->state = WORKER_WAITING_LEASE;
        return;
    }
    begin_call(worker);
}

static void try_again(void *context)
{
    sim_worker_t *worker = context;
    if (worker->state == WORKER_WAITING_RETRY)
        attempt(worker);
}

static void ended(sim_worker_t *worker)
{
    sim_call_t *call = worker->call;
    if (!sluice_error_is_retriable(call->error)) {
        if (call->kind == CALL_DDL)
            disconnect(worker, true);
        finish(worker, call->error, call->text);
        return;
    }
    sim_trace(worker->pool->world, sim_process_name(worker->pool->process),
              "sink: will try again: %s", call->text);
    end_call(worker);
    disconnect(worker, false);
    worker->state = WORKER_WAITING_RETRY;
    sim_timer_arm(&worker->timer, backoff_ns(++worker->attempts));
}

static void take_answer(void *context, uint64_t argument)
{
    (void)argument;
    sim_worker_t *worker = context;
    if (worker->call->error != SLUICE_OK || !worker->call->step)
        ended(worker);
    else
        server_send(worker->call);
}

void worker_answer(sim_worker_t *worker)
{
    uint64_t way = server_way(worker->pool->sink);
    sim_after(worker->pool->world, worker->pool->process, way, take_answer, worker, 0);
}

/* ---- what became of it ---- */

static void finish_claim(sim_worker_t *worker, uint32_t index, sluice_error_t error)
{
    sim_sink_pool_t *pool = worker->pool;
    sim_lane_t *lane = worker->lanes[index];
    commit_ts_t progress = COMMIT_TS_NONE;
    if (error == SLUICE_OK) {
        /* The answers are in the order of the claims that were sent; who has ended meanwhile is
         * answered all the same. */
        const sim_call_t *call = worker->call;
        error = SLUICE_ERROR_CLOSED;
        for (uint32_t i = 0; i < call->claim_count; i++) {
            if (compare_claims(&call->claims[i], &lane->claim) != 0)
                continue;
            error = call->claim_errors[i];
            progress = error == SLUICE_OK ? call->claim_progress[i] : COMMIT_TS_NONE;
        }
    }
    if (error != SLUICE_OK)
        pool_end_lane(pool, lane);
    pool_complete(pool, lane, SINK_CLAIMED, 0, error, progress);
    lane->jobs--;
    pool_release_lane(pool, lane);
}

static const call_write_t *write_of(const sim_worker_t *worker, uint32_t index)
{
    const sim_call_t *call = worker->call;
    for (uint32_t i = 0; call && i < call->write_count; i++)
        if (compare_claims(&call->writes[i].claim, &worker->lanes[index]->claim) == 0)
            return &call->writes[i];
    return NULL;
}

static void finish_rows(sim_worker_t *worker, uint32_t index, sluice_error_t error,
                        const char *text)
{
    sim_sink_pool_t *pool = worker->pool;
    sim_lane_t *lane = worker->lanes[index];
    const call_write_t *write = write_of(worker, index);
    if (error == SLUICE_OK)
        error = write ? write->error : SLUICE_ERROR_CLOSED;
    if (error == SLUICE_OK) {
        pool->rows += write->rows;
        pool->bytes += write->bytes;
    } else if (error != SLUICE_ERROR_CLOSED && error != SLUICE_ERROR_NOT_OWNER) {
        pool_note_failure(pool, error, text);
    }
    pool_complete(pool, lane, SINK_WRITTEN, worker->item_count[index], error, COMMIT_TS_NONE);
    lane->is_busy = false;
    if (error != SLUICE_OK)
        pool_end_lane(pool, lane);
    pool_answer_closed(pool, lane, 0);
    pool_make_ready(pool, lane);
    pool_release_lane(pool, lane);
    for (uint32_t i = 0; i < worker->item_count[index]; i++)
        transaction_unref(&worker->items[worker->first_item[index] + i].transaction);
}

static void finish_job(sim_worker_t *worker, sluice_error_t error, const char *text)
{
    sim_sink_pool_t *pool = worker->pool;
    sim_job_t *job = worker->job;
    sim_lane_t *lane = job->lane;
    if (error == SLUICE_OK)
        pool->ddls++;
    else if (error != SLUICE_ERROR_CLOSED && error != SLUICE_ERROR_NOT_OWNER)
        pool_note_failure(pool, error, text);
    pool_complete(pool, lane, SINK_EXECUTED, 0, error, COMMIT_TS_NONE);
    if (error != SLUICE_OK)
        pool_end_lane(pool, lane);
    lane->jobs--;
    pool_release_lane(pool, lane);
    ddl_event_unref(&job->ddl);
    free(job);
    worker->job = NULL;
}

/* All lanes of the batch, or the one whose turn it is. */
static void finish_batch(sim_worker_t *worker, sluice_error_t error, const char *text)
{
    bool was_one = worker->one_by_one;
    bool is_blamed = error != SLUICE_OK && error != SLUICE_ERROR_CLOSED;
    if (!was_one && is_blamed && worker->lane_count > 1) {
        worker->one_by_one = true;
        return;
    }
    if (!was_one) {
        for (uint32_t i = 0; i < worker->lane_count; i++)
            finish_rows(worker, i, error, text);
        worker->at = worker->lane_count;
    } else {
        finish_rows(worker, worker->at, error, text);
        worker->at++;
    }
}

static void next_work(sim_worker_t *worker);

static void finish(sim_worker_t *worker, sluice_error_t error, const char *text)
{
    char kept[ERROR_REPORT_TEXT_MAX];
    memcpy(kept, text, strlen(text) + 1);
    worker->attempts = 0;
    worker->state = WORKER_IDLE;
    switch (worker->kind) {
    case CALL_CLAIM:
        if (error != SLUICE_OK && error != SLUICE_ERROR_CLOSED)
            pool_note_failure(worker->pool, error, kept);
        for (uint32_t i = 0; i < worker->lane_count; i++)
            finish_claim(worker, i, error);
        break;
    case CALL_WRITE:
        finish_batch(worker, error, kept);
        break;
    case CALL_DDL:
    case CALL_SYNCPOINT:
        finish_job(worker, error, kept);
        break;
    case CALL_CLEAN_UP:
        break;
    }
    if (worker->call)
        end_call(worker);
    if (worker->kind == CALL_WRITE && worker->at < worker->lane_count)
        attempt(worker);
    else
        next_work(worker);
}

static void next_work(sim_worker_t *worker)
{
    worker->lane_count = 0;
    bool has_work = worker->is_ddl ? take_job(worker) : take_claims(worker) || take_rows(worker);
    if (has_work)
        attempt(worker);
}

static bool has_work(const sim_worker_t *worker)
{
    const sim_sink_pool_t *pool = worker->pool;
    if (worker->is_ddl)
        return pool->first_job || pool->clean_up.v > pool->clean_up_done.v;
    for (const sim_lane_t *lane = pool->lanes; lane; lane = lane->next)
        if (!lane->is_claimed || lane->ready)
            return true;
    return false;
}

void pool_set_to_work(sim_sink_pool_t *pool)
{
    for (uint32_t i = 0; i < pool->worker_count; i++) {
        sim_worker_t *worker = &pool->workers[i];
        bool is_due = worker->state == WORKER_IDLE
                          ? has_work(worker)
                          : worker->state != WORKER_CALLING && !is_wanted(worker);
        if (is_due)
            sim_timer_arm(&worker->timer, 0);
    }
}

void pool_lease_changed(sim_sink_pool_t *pool)
{
    for (uint32_t i = 0; i < pool->worker_count; i++)
        if (pool->workers[i].state == WORKER_WAITING_LEASE)
            sim_timer_arm(&pool->workers[i].timer, 0);
}

/* ---- life ---- */

static void act(void *context)
{
    sim_worker_t *worker = context;
    switch (worker->state) {
    case WORKER_IDLE:
        next_work(worker);
        break;
    case WORKER_WAITING_LEASE:
        attempt(worker);
        break;
    case WORKER_WAITING_RETRY:
        try_again(worker);
        break;
    case WORKER_CALLING:
        break;
    }
}

void worker_init(sim_worker_t *worker, sim_sink_pool_t *pool, bool is_ddl)
{
    worker->pool = pool;
    worker->is_ddl = is_ddl;
    sim_timer_init(&worker->timer, pool->world, pool->process, act, worker);
}

void worker_close(sim_worker_t *worker)
{
    sim_timer_stop(&worker->timer);
    sim_forget(worker->pool->world, worker);
    if (worker->call)
        end_call(worker);
    disconnect(worker, false);
    for (uint32_t i = worker->kind == CALL_WRITE ? worker->at : worker->lane_count;
         i < worker->lane_count; i++)
        for (uint32_t j = 0; j < worker->item_count[i]; j++)
            transaction_unref(&worker->items[worker->first_item[i] + j].transaction);
    if (worker->job) {
        ddl_event_unref(&worker->job->ddl);
        free(worker->job);
    }
}
