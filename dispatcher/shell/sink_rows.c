#include <assert.h>
#include <stdlib.h>

#include "common/base/memory.h"
#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "dispatcher/shell/sink_pool_internal.h"

/* ---- claims ---- */

typedef struct {
    lane_t *lanes[CLAIMS_MAX];
    sink_claim_t claims[CLAIMS_MAX];
    sink_claim_result_t results[CLAIMS_MAX];
    uint32_t count;
} claim_batch_t;

static sluice_error_t call_claim(worker_t *worker, void *work, error_report_t *report)
{
    claim_batch_t *batch = work;
    memset(batch->results, 0, batch->count * sizeof *batch->results);
    return worker->pool->options.api->claim(worker->connection, batch->claims, batch->count,
                                            batch->results, report);
}

static bool claims_are_wanted(const void *work)
{
    const claim_batch_t *batch = work;
    for (uint32_t i = 0; i < batch->count; i++)
        if (!batch->lanes[i]->is_ended)
            return true;
    return false;
}

/* With the lock. */
static claim_batch_t *take_claims(sink_pool_t *pool)
{
    claim_batch_t *batch = memory_alloc(sizeof *batch);
    batch->count = 0;
    while (pool->first_claim && batch->count < CLAIMS_MAX) {
        claim_order_t *order = pool->first_claim;
        pool->first_claim = order->next;
        if (!pool->first_claim)
            pool->last_claim = NULL;
        batch->claims[batch->count] = order->lane->claim;
        batch->lanes[batch->count++] = order->lane;
        free(order);
    }
    return batch;
}

/* The trigger is given out at the checkpoint that the maintainer knows. */
static void log_if_sink_is_ahead(const sink_pool_t *pool, const lane_t *lane, commit_ts_t progress)
{
    if (lane->claim.span.table_id.v == TABLE_ID_TRIGGER.v && progress.v > lane->claim.checkpoint.v)
        LOG(LOG_LEVEL_WARNING, "sink", pool->options.changefeed_name,
            "the meta store is older than the sink: goes on from what the sink knows to be "
            "persisted",
            log_number("meta_store", lane->claim.checkpoint.v), log_number("sink", progress.v));
}

/* Who comes late is refused as a rule. If it goes on, the spans were written under a later epoch
 * than the maintainer's: its meta store is an older copy, and its clock was set back. */
static void log_refused(sink_pool_t *pool, const lane_t *lane)
{
    uint64_t suppressed;
    if (log_limiter_allow(&pool->refused_limiter, clock_mono(), &suppressed))
        LOG(LOG_LEVEL_WARNING, "sink", pool->options.changefeed_name,
            "a span is owned by a later assignment",
            log_number("table_id", lane->claim.span.table_id.v),
            log_number("maintainer_epoch", lane->claim.epoch.maintainer_epoch),
            log_number("not_logged", suppressed));
}

static void do_claims(worker_t *worker)
{
    sink_pool_t *pool = worker->pool;
    claim_batch_t *batch = take_claims(pool);
    pthread_mutex_unlock(&pool->lock);
    error_report_t report;
    attempt_t attempt = {call_claim, claims_are_wanted, batch};
    sluice_error_t error = worker_attempt(worker, &attempt, &report);
    pthread_mutex_lock(&pool->lock);
    if (error != SLUICE_OK && error != SLUICE_ERROR_CLOSED)
        pool_note_failure(pool, error, report.text);
    for (uint32_t i = 0; i < batch->count; i++) {
        lane_t *lane = batch->lanes[i];
        const sink_claim_result_t *result = &batch->results[i];
        sluice_error_t outcome = error != SLUICE_OK ? error : result->error;
        if (outcome == SLUICE_ERROR_NOT_OWNER)
            log_refused(pool, lane);
        if (outcome != SLUICE_OK)
            pool_end_lane(pool, lane);
        else
            log_if_sink_is_ahead(pool, lane, result->progress);
        pool_complete(pool, lane, SINK_CLAIMED, 0, outcome,
                      outcome == SLUICE_OK ? result->progress : COMMIT_TS_NONE);
        lane->jobs--;
        pool_release_lane(pool, lane);
    }
    free(batch);
}

/* ---- rows ---- */

/* Rows of one lane in a batch: items first .. first + count - 1. */
typedef struct {
    lane_t *lane;
    uint32_t first, count;
} batch_lane_t;

typedef struct {
    batch_lane_t lanes[BATCH_LANES_MAX];
    sink_write_t writes[BATCH_LANES_MAX];
    sink_write_result_t results[BATCH_LANES_MAX];
    uint32_t lane_count;
    transaction_t *transactions[BATCH_PARTS_MAX];
    const table_rows_t *parts[BATCH_PARTS_MAX];
    commit_ts_t part_ts[BATCH_PARTS_MAX];
    wall_ms_t part_time[BATCH_PARTS_MAX];
    uint32_t part_count;
    uint64_t bytes;
} batch_t;

static row_limits_t limits_of(const sink_pool_t *pool)
{
    return (row_limits_t){BATCH_PARTS_MAX, pool->options.batch_bytes_max};
}

bool lane_has_rows(const sink_pool_t *pool, const lane_t *lane)
{
    row_limits_t limits = limits_of(pool);
    return row_queue_is_ready(&lane->rows, &limits);
}

static bool has_room(const sink_pool_t *pool, const batch_t *batch)
{
    return batch->lane_count < BATCH_LANES_MAX && batch->part_count < BATCH_PARTS_MAX &&
           batch->bytes < pool->options.batch_bytes_max;
}

/* With the lock. */
static void take_lane(batch_t *batch, lane_t *lane, uint32_t count)
{
    batch_lane_t *taken = &batch->lanes[batch->lane_count];
    *taken = (batch_lane_t){.lane = lane, .first = batch->part_count, .count = count};
    for (uint32_t i = 0; i < count; i++) {
        const row_item_t *item = row_queue_at(&lane->rows, i);
        uint32_t at = batch->part_count++;
        batch->transactions[at] = item->transaction;
        batch->parts[at] = item->rows;
        batch->part_ts[at] = item->transaction->commit_ts;
        batch->part_time[at] = item->transaction->commit_time;
        batch->bytes += item->rows->bytes;
    }
    const transaction_t *last = batch->transactions[taken->first + count - 1];
    batch->writes[batch->lane_count] = (sink_write_t){
        .claim = &lane->claim,
        .parts = &batch->parts[taken->first],
        .part_ts = &batch->part_ts[taken->first],
        .part_time = &batch->part_time[taken->first],
        .part_count = count,
        .moves_progress = !batch->parts[taken->first + count - 1]->continues,
        .progress = last->commit_ts,
    };
    batch->lane_count++;
    row_queue_pop(&lane->rows, count);
    lane->is_busy = true;
}

/* With the lock. Shares what is ready with the workers that are idle. */
static void take_batch(sink_pool_t *pool, batch_t *batch)
{
    uint32_t sharers = pool->idle_row_workers + 1;
    uint32_t share = (pool->ready_count + sharers - 1) / sharers;
    batch->lane_count = batch->part_count = 0;
    batch->bytes = 0;
    row_limits_t limits = limits_of(pool);
    while (pool->first_ready && batch->lane_count < share && has_room(pool, batch)) {
        lane_t *lane = pool->first_ready;
        bool has_rows = lane_has_rows(pool, lane);
        uint32_t count = 0;
        if (has_rows)
            count = row_queue_together(&lane->rows, &limits, batch->part_count, batch->bytes);
        if (has_rows && count == 0)
            break;
        pool->first_ready = lane->next_ready;
        if (!pool->first_ready)
            pool->last_ready = NULL;
        pool->ready_count--;
        lane->is_ready = false;
        if (has_rows)
            take_lane(batch, lane, count);
        else
            pool_release_lane(pool, lane);
    }
}

/* One or all writes of a batch. */
typedef struct {
    batch_t *batch;
    uint32_t first, count;
} batch_part_t;

/* The writes of lanes that have not ended since; the others are answered CLOSED. */
static uint32_t choose_wanted(sink_pool_t *pool, const batch_part_t *part, uint32_t *chosen)
{
    uint32_t count = 0;
    pthread_mutex_lock(&pool->lock);
    for (uint32_t i = part->first; i < part->first + part->count; i++) {
        part->batch->results[i] = (sink_write_result_t){.error = SLUICE_ERROR_CLOSED};
        if (!part->batch->lanes[i].lane->is_ended)
            chosen[count++] = i;
    }
    pthread_mutex_unlock(&pool->lock);
    return count;
}

static sluice_error_t call_write(worker_t *worker, void *work, error_report_t *report)
{
    const batch_part_t *part = work;
    batch_t *batch = part->batch;
    uint32_t chosen[BATCH_LANES_MAX];
    sink_write_t writes[BATCH_LANES_MAX];
    sink_write_result_t results[BATCH_LANES_MAX] = {0};
    uint32_t count = choose_wanted(worker->pool, part, chosen);
    if (count == 0)
        return SLUICE_ERROR_CLOSED;
    for (uint32_t i = 0; i < count; i++)
        writes[i] = batch->writes[chosen[i]];
    sluice_error_t error =
        worker->pool->options.api->write(worker->connection, writes, count, results, report);
    for (uint32_t i = 0; i < count; i++)
        batch->results[chosen[i]] = results[i];
    return error;
}

static bool rows_are_wanted(const void *work)
{
    const batch_part_t *part = work;
    for (uint32_t i = 0; i < part->count; i++)
        if (!part->batch->lanes[part->first + i].lane->is_ended)
            return true;
    return false;
}

/* With the lock: what became of one lane's rows. */
static void finish_lane(sink_pool_t *pool, batch_t *batch, uint32_t index, sluice_error_t error,
                        const char *text)
{
    batch_lane_t *written = &batch->lanes[index];
    lane_t *lane = written->lane;
    const sink_write_result_t *result = &batch->results[index];
    sluice_error_t outcome = error != SLUICE_OK ? error : result->error;
    if (outcome == SLUICE_OK) {
        pool->rows += result->rows;
        pool->bytes += result->bytes;
    } else if (outcome != SLUICE_ERROR_CLOSED && outcome != SLUICE_ERROR_NOT_OWNER) {
        pool_note_failure(pool, outcome, text);
    }
    pool_complete(pool, lane, SINK_WRITTEN, written->count, outcome, COMMIT_TS_NONE);
    lane->is_busy = false;
    if (outcome != SLUICE_OK)
        pool_end_lane(pool, lane);
    pool_answer_closed(pool, lane, 0);
    pool_make_ready(pool, lane);
    pool_release_lane(pool, lane);
    for (uint32_t i = 0; i < written->count; i++)
        transaction_unref(&batch->transactions[written->first + i]);
}

/* Without the lock. A failure that nobody can be blamed for is looked at span by span. */
static void write_part(worker_t *worker, batch_part_t part)
{
    sink_pool_t *pool = worker->pool;
    error_report_t report;
    attempt_t attempt = {call_write, rows_are_wanted, &part};
    sluice_error_t error = worker_attempt(worker, &attempt, &report);
    if (error != SLUICE_OK && error != SLUICE_ERROR_CLOSED && part.count > 1) {
        for (uint32_t i = 0; i < part.count; i++)
            write_part(worker, (batch_part_t){part.batch, part.first + i, 1});
        return;
    }
    pthread_mutex_lock(&pool->lock);
    for (uint32_t i = 0; i < part.count; i++)
        finish_lane(pool, part.batch, part.first + i, error, report.text);
    pthread_mutex_unlock(&pool->lock);
}

bool worker_do_rows(worker_t *worker)
{
    sink_pool_t *pool = worker->pool;
    if (pool->first_claim) {
        do_claims(worker);
        return true;
    }
    if (!pool->first_ready)
        return false;
    batch_t *batch = memory_alloc(sizeof *batch);
    take_batch(pool, batch);
    pthread_mutex_unlock(&pool->lock);
    if (batch->lane_count > 0)
        write_part(worker, (batch_part_t){batch, 0, batch->lane_count});
    free(batch);
    pthread_mutex_lock(&pool->lock);
    return true;
}
