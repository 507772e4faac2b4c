#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/memory.h"
#include "tests/sim/sink_internal.h"

/* ---- lanes ---- */

static void free_lane(sim_lane_t *lane)
{
    row_queue_clear(&lane->rows);
    free((uint8_t *)(uintptr_t)lane->claim.span.start_key.data);
    free((uint8_t *)(uintptr_t)lane->claim.span.end_key.data);
    free(lane);
}

static sim_lane_t *find_lane(const sim_sink_pool_t *pool, uint64_t run)
{
    sim_lane_t *lane = pool->lanes;
    while (lane && lane->run != run)
        lane = lane->next;
    return lane;
}

/* ---- what the workers say ---- */

void pool_complete(sim_sink_pool_t *pool, const sim_lane_t *lane, sink_completion_kind_t kind,
                   uint32_t count, sluice_error_t error, commit_ts_t progress)
{
    if (pool->completion_count == pool->completion_capacity) {
        pool->completion_capacity = pool->completion_capacity ? pool->completion_capacity * 2 : 64;
        pool->completions = memory_realloc(pool->completions,
                                           pool->completion_capacity * sizeof *pool->completions);
    }
    pool->completions[pool->completion_count++] =
        (sink_completion_t){.kind = kind,
                            .dispatcher_id = lane->dispatcher_id,
                            .run = lane->run,
                            .count = count,
                            .error = error,
                            .progress = progress};
    sim_process_wake(pool->process);
}

void pool_answer_closed(sim_sink_pool_t *pool, sim_lane_t *lane, uint32_t count)
{
    lane->dropped += count;
    if (lane->dropped == 0 || lane->is_busy)
        return;
    pool_complete(pool, lane, SINK_WRITTEN, lane->dropped, SLUICE_ERROR_CLOSED, COMMIT_TS_NONE);
    lane->dropped = 0;
}

void pool_end_lane(sim_sink_pool_t *pool, sim_lane_t *lane)
{
    lane->is_ended = true;
    lane->ready = 0;
    pool_answer_closed(pool, lane, row_queue_clear(&lane->rows));
}

void pool_note_failure(sim_sink_pool_t *pool, sluice_error_t error, const char *text)
{
    if (pool->error.code == SLUICE_OK)
        error_report_set(&pool->error, error, "%s", text);
}

void pool_make_ready(sim_sink_pool_t *pool, sim_lane_t *lane)
{
    if (!lane->ready && !lane->is_busy && !lane->is_ended &&
        row_queue_is_ready(&lane->rows, &batch_limits))
        lane->ready = ++pool->turns;
}

void pool_release_lane(sim_sink_pool_t *pool, sim_lane_t *lane)
{
    if (!lane->is_closed || lane->is_busy || lane->jobs > 0)
        return;
    sim_lane_t **at = &pool->lanes;
    while (*at != lane)
        at = &(*at)->next;
    *at = lane->next;
    free_lane(lane);
}

/* ---- port ---- */

static bytes_t copy_key(bytes_t key)
{
    if (key.len == 0)
        return (bytes_t){0};
    uint8_t *copy = memory_alloc(key.len);
    memcpy(copy, key.data, key.len);
    return bytes_of(copy, key.len);
}

static void port_claim(void *self, dispatcher_id_t dispatcher_id, uint64_t run,
                       const sink_claim_t *claim)
{
    sim_sink_pool_t *pool = self;
    sim_lane_t *lane = memory_zalloc(sizeof *lane);
    lane->run = run;
    lane->dispatcher_id = dispatcher_id;
    lane->claim = *claim;
    lane->claim.span.start_key = copy_key(claim->span.start_key);
    lane->claim.span.end_key = copy_key(claim->span.end_key);
    lane->jobs = 1;
    sim_lane_t **at = &pool->lanes;
    while (*at)
        at = &(*at)->next;
    *at = lane;
    pool_set_to_work(pool);
}

static void port_write(void *self, uint64_t run, transaction_t *transaction,
                       const table_rows_t *rows)
{
    sim_sink_pool_t *pool = self;
    sim_lane_t *lane = find_lane(pool, run);
    if (lane && !lane->is_ended) {
        row_queue_push(&lane->rows, transaction, rows);
        transaction = NULL;
        pool_make_ready(pool, lane);
        pool_set_to_work(pool);
    } else if (lane) {
        pool_answer_closed(pool, lane, 1);
    }
    transaction_unref(&transaction);
}

static void enqueue(sim_sink_pool_t *pool, uint64_t run, ddl_event_t *ddl, commit_ts_t commit_ts)
{
    sim_lane_t *lane = find_lane(pool, run);
    if (!lane) {
        ddl_event_unref(&ddl);
        return;
    }
    sim_job_t *job = memory_zalloc(sizeof *job);
    *job = (sim_job_t){.lane = lane, .ddl = ddl, .commit_ts = commit_ts};
    lane->jobs++;
    if (pool->last_job)
        pool->last_job->next = job;
    else
        pool->first_job = job;
    pool->last_job = job;
    pool_set_to_work(pool);
}

static void port_run_ddl(void *self, uint64_t run, ddl_event_t *ddl)
{
    enqueue(self, run, ddl, ddl->commit_ts);
}

static void port_write_syncpoint(void *self, uint64_t run, commit_ts_t commit_ts)
{
    enqueue(self, run, NULL, commit_ts);
}

static void port_cancel(void *self, uint64_t run)
{
    sim_sink_pool_t *pool = self;
    sim_lane_t *lane = find_lane(pool, run);
    if (lane && !lane->is_ended)
        pool_end_lane(pool, lane);
    pool_set_to_work(pool);
}

static void port_close_lane(void *self, uint64_t run)
{
    sim_sink_pool_t *pool = self;
    sim_lane_t *lane = find_lane(pool, run);
    if (!lane)
        return;
    lane->is_closed = true;
    pool_release_lane(pool, lane);
}

static void port_watermark(void *self, commit_ts_t resolved)
{
    (void)self, (void)resolved;
}

static void port_clean_up(void *self, commit_ts_t persisted)
{
    sim_sink_pool_t *pool = self;
    if (persisted.v > pool->clean_up.v)
        pool->clean_up = persisted;
    pool_set_to_work(pool);
}

static void port_set_lease(void *self, mono_ns_t until)
{
    sim_sink_pool_t *pool = self;
    if (until.v == pool->lease_until.v)
        return;
    pool->lease_until = until;
    pool_lease_changed(pool);
}

static uint32_t port_take(void *self, sink_completion_t *completions, uint32_t max)
{
    sim_sink_pool_t *pool = self;
    uint32_t count = pool->completion_count < max ? pool->completion_count : max;
    if (count == 0)
        return 0;
    memcpy(completions, pool->completions, count * sizeof *completions);
    pool->completion_count -= count;
    memmove(pool->completions, pool->completions + count,
            pool->completion_count * sizeof *pool->completions);
    return count;
}

static void port_state(void *self, sink_pool_state_t *state)
{
    const sim_sink_pool_t *pool = self;
    *state = (sink_pool_state_t){.rows = pool->rows,
                                 .bytes = pool->bytes,
                                 .ddls = pool->ddls,
                                 .is_connected = pool->has_connected,
                                 .error = pool->error.code};
    memcpy(state->text, pool->error.text, sizeof state->text);
    for (uint32_t i = 0; i < pool->worker_count; i++) {
        if (pool->workers[i].state != WORKER_WAITING_RETRY)
            continue;
        state->is_connected = false;
        state->retrying = SLUICE_ERROR_SINK_CONNECTION;
    }
}

sink_port_t sim_sink_port(sim_sink_pool_t *pool)
{
    return (sink_port_t){
        .self = pool,
        .claim = port_claim,
        .write = port_write,
        .run_ddl = port_run_ddl,
        .write_syncpoint = port_write_syncpoint,
        .cancel = port_cancel,
        .close_lane = port_close_lane,
        .watermark = port_watermark,
        .clean_up = port_clean_up,
        .set_lease = port_set_lease,
        .take = port_take,
        .state = port_state,
    };
}

/* ---- life ---- */

sim_sink_pool_t *sim_sink_open(sim_sink_t *sink, sim_process_t *process,
                               changefeed_ref_t changefeed)
{
    sim_sink_pool_t *pool = memory_zalloc(sizeof *pool);
    pool->sink = sink;
    pool->world = sink->world;
    pool->process = process;
    pool->changefeed = changefeed;
    pool->random = sim_random_split(sim_random(sink->world));
    uint32_t row_workers = (uint32_t)sim_random_between(&pool->random, 1, 4);
    pool->worker_count = row_workers + (uint32_t)sim_random_between(&pool->random, 1, 2);
    for (uint32_t i = 0; i < pool->worker_count; i++)
        worker_init(&pool->workers[i], pool, i >= row_workers);
    return pool;
}

void sim_sink_close(sim_sink_pool_t **pool)
{
    sim_sink_pool_t *self = *pool;
    *pool = NULL;
    if (!self)
        return;
    for (uint32_t i = 0; i < self->worker_count; i++)
        worker_close(&self->workers[i]);
    while (self->first_job) {
        sim_job_t *job = self->first_job;
        self->first_job = job->next;
        ddl_event_unref(&job->ddl);
        free(job);
    }
    while (self->lanes) {
        sim_lane_t *lane = self->lanes;
        self->lanes = lane->next;
        free_lane(lane);
    }
    free(self->completions);
    free(self);
}
