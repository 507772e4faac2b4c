#include "dispatcher/shell/sink_pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/memory.h"
#include "dispatcher/shell/sink_pool_internal.h"

/* ---- with the lock held ---- */

void pool_complete(sink_pool_t *pool, const lane_t *lane, sink_completion_kind_t kind,
                   uint32_t count, sluice_error_t error, commit_ts_t progress)
{
    if (pool->completion_count == pool->completion_capacity) {
        pool->completion_capacity = pool->completion_capacity ? pool->completion_capacity * 2 : 64;
        pool->completions = memory_realloc(pool->completions,
                                           pool->completion_capacity * sizeof *pool->completions);
    }
    pool->completions[pool->completion_count++] = (sink_completion_t){
        .kind = kind,
        .dispatcher_id = lane->dispatcher_id,
        .run = lane->run,
        .count = count,
        .error = error,
        .progress = progress,
    };
    if (pool->completion_count == 1)
        (void)!write(pool->event_fd, &(uint64_t){1}, sizeof(uint64_t));
}

void pool_make_ready(sink_pool_t *pool, lane_t *lane)
{
    if (lane->is_ready || lane->is_busy || lane->is_ended || !lane_has_rows(pool, lane))
        return;
    lane->is_ready = true;
    lane->next_ready = NULL;
    if (pool->last_ready)
        pool->last_ready->next_ready = lane;
    else
        pool->first_ready = lane;
    pool->last_ready = lane;
    pool->ready_count++;
    pthread_cond_signal(&pool->has_rows);
}

void pool_end_lane(sink_pool_t *pool, lane_t *lane)
{
    lane->is_ended = true;
    pool_answer_closed(pool, lane, row_queue_clear(&lane->rows));
}

void pool_answer_closed(sink_pool_t *pool, lane_t *lane, uint32_t count)
{
    lane->dropped += count;
    /* Rows that a worker has come first: it answers for them, then for these. */
    if (lane->dropped == 0 || lane->is_busy)
        return;
    pool_complete(pool, lane, SINK_WRITTEN, lane->dropped, SLUICE_ERROR_CLOSED, COMMIT_TS_NONE);
    lane->dropped = 0;
}

void pool_note_failure(sink_pool_t *pool, sluice_error_t error, const char *text)
{
    if (pool->error != SLUICE_OK)
        return;
    pool->error = error;
    snprintf(pool->text, sizeof pool->text, "%s", text);
}

static void free_lane(lane_t *lane)
{
    row_queue_clear(&lane->rows);
    free((void *)(uintptr_t)lane->claim.span.start_key.data);
    free((void *)(uintptr_t)lane->claim.span.end_key.data);
    free(lane);
}

void pool_release_lane(sink_pool_t *pool, lane_t *lane)
{
    if (!lane->is_closed || lane->is_busy || lane->is_ready || lane->jobs > 0)
        return;
    HASH_DEL(pool->lanes, lane);
    free_lane(lane);
}

/* ---- life ---- */

static void init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

sink_pool_t *sink_pool_open(const sink_pool_options_t *options)
{
    sink_pool_t *pool = memory_zalloc(sizeof *pool);
    pool->options = *options;
    pool->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(pool->event_fd >= 0);
    pthread_mutex_init(&pool->lock, NULL);
    init_condition(&pool->has_rows);
    init_condition(&pool->has_jobs);
    init_condition(&pool->changed);
    pool->worker_count = options->row_workers + options->ddl_workers;
    pool->workers = memory_zalloc(pool->worker_count * sizeof *pool->workers);
    for (uint32_t i = 0; i < pool->worker_count; i++) {
        pool->workers[i].pool = pool;
        pool->workers[i].is_ddl = i >= options->row_workers;
        int failed = pthread_create(&pool->workers[i].thread, NULL, worker_run, &pool->workers[i]);
        assert(failed == 0);
        (void)failed;
    }
    return pool;
}

static void free_orders(sink_pool_t *pool)
{
    while (pool->first_claim) {
        claim_order_t *order = pool->first_claim;
        pool->first_claim = order->next;
        free(order);
    }
    while (pool->first_job) {
        job_t *job = pool->first_job;
        pool->first_job = job->next;
        ddl_event_unref(&job->ddl);
        free(job);
    }
    lane_t *lane = NULL, *next = NULL;
    HASH_ITER(hh, pool->lanes, lane, next)
    {
        HASH_DEL(pool->lanes, lane);
        free_lane(lane);
    }
}

void sink_pool_close(sink_pool_t **pool)
{
    sink_pool_t *self = *pool;
    if (!self)
        return;
    pthread_mutex_lock(&self->lock);
    self->is_closing = true;
    pthread_cond_broadcast(&self->has_rows);
    pthread_cond_broadcast(&self->has_jobs);
    pthread_cond_broadcast(&self->changed);
    for (uint32_t i = 0; i < self->worker_count; i++)
        if (self->workers[i].connection)
            self->options.api->interrupt(self->workers[i].connection);
    pthread_mutex_unlock(&self->lock);
    for (uint32_t i = 0; i < self->worker_count; i++)
        pthread_join(self->workers[i].thread, NULL);
    free_orders(self);
    pthread_cond_destroy(&self->has_rows);
    pthread_cond_destroy(&self->has_jobs);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    close(self->event_fd);
    free(self->completions);
    free(self->workers);
    free(self);
    *pool = NULL;
}

/* ---- orders ---- */

static bytes_t copy_key(bytes_t key)
{
    if (key.len == 0)
        return (bytes_t){0};
    uint8_t *copy = memory_alloc(key.len);
    memcpy(copy, key.data, key.len);
    return bytes_of(copy, key.len);
}

static lane_t *find_lane(const sink_pool_t *pool, uint64_t run)
{
    lane_t *lane = NULL;
    HASH_FIND(hh, pool->lanes, &run, sizeof run, lane);
    return lane;
}

void sink_pool_claim(sink_pool_t *pool, dispatcher_id_t dispatcher_id, uint64_t run,
                     const sink_claim_t *claim)
{
    lane_t *lane = memory_zalloc(sizeof *lane);
    lane->run = run;
    lane->dispatcher_id = dispatcher_id;
    lane->claim = *claim;
    lane->claim.span.start_key = copy_key(claim->span.start_key);
    lane->claim.span.end_key = copy_key(claim->span.end_key);
    lane->jobs = 1;
    claim_order_t *order = memory_zalloc(sizeof *order);
    order->lane = lane;
    pthread_mutex_lock(&pool->lock);
    HASH_ADD(hh, pool->lanes, run, sizeof lane->run, lane);
    if (pool->last_claim)
        pool->last_claim->next = order;
    else
        pool->first_claim = order;
    pool->last_claim = order;
    pthread_cond_signal(&pool->has_rows);
    pthread_mutex_unlock(&pool->lock);
}

void sink_pool_write(sink_pool_t *pool, uint64_t run, transaction_t *transaction,
                     const table_rows_t *rows)
{
    pthread_mutex_lock(&pool->lock);
    lane_t *lane = find_lane(pool, run);
    if (lane && !lane->is_ended) {
        row_queue_push(&lane->rows, transaction, rows);
        transaction = NULL;
        pool_make_ready(pool, lane);
    } else if (lane) {
        pool_answer_closed(pool, lane, 1);
    }
    pthread_mutex_unlock(&pool->lock);
    transaction_unref(&transaction);
}

static void enqueue_job(sink_pool_t *pool, uint64_t run, job_kind_t kind, ddl_event_t *ddl,
                        commit_ts_t commit_ts)
{
    job_t *job = memory_zalloc(sizeof *job);
    *job = (job_t){.kind = kind, .ddl = ddl, .commit_ts = commit_ts};
    pthread_mutex_lock(&pool->lock);
    job->lane = find_lane(pool, run);
    if (job->lane) {
        job->lane->jobs++;
        if (pool->last_job)
            pool->last_job->next = job;
        else
            pool->first_job = job;
        pool->last_job = job;
        pthread_cond_signal(&pool->has_jobs);
        job = NULL;
    }
    pthread_mutex_unlock(&pool->lock);
    if (job)
        ddl_event_unref(&job->ddl);
    free(job);
}

void sink_pool_run_ddl(sink_pool_t *pool, uint64_t run, ddl_event_t *ddl)
{
    enqueue_job(pool, run, JOB_DDL, ddl, ddl->commit_ts);
}

void sink_pool_write_syncpoint(sink_pool_t *pool, uint64_t run, commit_ts_t commit_ts)
{
    enqueue_job(pool, run, JOB_SYNCPOINT, NULL, commit_ts);
}

void sink_pool_cancel(sink_pool_t *pool, uint64_t run)
{
    pthread_mutex_lock(&pool->lock);
    lane_t *lane = find_lane(pool, run);
    if (lane && !lane->is_ended)
        pool_end_lane(pool, lane);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

void sink_pool_close_lane(sink_pool_t *pool, uint64_t run)
{
    pthread_mutex_lock(&pool->lock);
    lane_t *lane = find_lane(pool, run);
    if (lane) {
        lane->is_closed = true;
        pool_release_lane(pool, lane);
    }
    pthread_mutex_unlock(&pool->lock);
}

void sink_pool_watermark(sink_pool_t *pool, commit_ts_t resolved)
{
    pthread_mutex_lock(&pool->lock);
    if (resolved.v > pool->watermark.v) {
        pool->watermark = resolved;
        pthread_cond_signal(&pool->has_jobs);
    }
    pthread_mutex_unlock(&pool->lock);
}

void sink_pool_clean_up(sink_pool_t *pool, commit_ts_t persisted)
{
    pthread_mutex_lock(&pool->lock);
    if (persisted.v > pool->clean_up.v) {
        pool->clean_up = persisted;
        pthread_cond_signal(&pool->has_jobs);
    }
    pthread_mutex_unlock(&pool->lock);
}

void sink_pool_set_lease(sink_pool_t *pool, mono_ns_t until)
{
    pthread_mutex_lock(&pool->lock);
    if (until.v != pool->lease_until.v) {
        pool->lease_until = until;
        pthread_cond_broadcast(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
}

/* ---- answers ---- */

int sink_pool_fd(const sink_pool_t *pool)
{
    return pool->event_fd;
}

uint32_t sink_pool_take(sink_pool_t *pool, sink_completion_t *completions, uint32_t max)
{
    pthread_mutex_lock(&pool->lock);
    uint32_t count = pool->completion_count < max ? pool->completion_count : max;
    if (count > 0) {
        memcpy(completions, pool->completions, count * sizeof *completions);
        pool->completion_count -= count;
        memmove(pool->completions, pool->completions + count,
                pool->completion_count * sizeof *pool->completions);
    }
    if (pool->completion_count == 0) {
        uint64_t value = 0;
        (void)!read(pool->event_fd, &value, sizeof value);
    }
    pthread_mutex_unlock(&pool->lock);
    return count;
}

void sink_pool_state(sink_pool_t *pool, sink_pool_state_t *state)
{
    pthread_mutex_lock(&pool->lock);
    *state = (sink_pool_state_t){
        .rows = pool->rows,
        .bytes = pool->bytes,
        .ddls = pool->ddls,
        .error = pool->error,
    };
    for (uint32_t i = 0; i < pool->worker_count && state->retrying == SLUICE_OK; i++)
        state->retrying = pool->workers[i].retrying;
    state->is_connected = pool->has_connected && state->retrying == SLUICE_OK;
    if (pool->error != SLUICE_OK || state->retrying != SLUICE_OK)
        memcpy(state->text, pool->text, sizeof state->text);
    pthread_mutex_unlock(&pool->lock);
}
