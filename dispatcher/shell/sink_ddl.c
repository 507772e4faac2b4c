#include <stdlib.h>

#include "common/runtime/log.h"
#include "dispatcher/shell/sink_pool_internal.h"

static sluice_error_t call_job(worker_t *worker, void *work, error_report_t *report)
{
    const job_t *job = work;
    const sink_api_t *api = worker->pool->options.api;
    switch (job->kind) {
    case JOB_DDL:
        return api->run_ddl(worker->connection, &job->lane->claim, job->ddl, report);
    case JOB_SYNCPOINT:
        return api->write_syncpoint(worker->connection, &job->lane->claim, job->commit_ts, report);
    }
    return SLUICE_ERROR_BUG;
}

static bool job_is_wanted(const void *work)
{
    return !((const job_t *)work)->lane->is_ended;
}

static void log_ddl(const sink_pool_t *pool, const job_t *job, sluice_error_t error,
                    const char *text)
{
    LOG(error == SLUICE_OK ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR, "sink",
        pool->options.changefeed_name, error == SLUICE_OK ? "ddl executed" : "ddl failed",
        log_number("commit_ts", job->commit_ts.v), log_number("sync", job->kind == JOB_SYNCPOINT),
        log_text("verb", job->ddl ? ddl_verb_name(job->ddl->verb) : "syncpoint"),
        log_text("error", sluice_error_name(error)),
        log_text("text", error == SLUICE_OK ? "" : text));
}

/* With the lock at entry and exit. */
static void do_job(worker_t *worker, job_t *job)
{
    sink_pool_t *pool = worker->pool;
    lane_t *lane = job->lane;
    pthread_mutex_unlock(&pool->lock);
    error_report_t report = {0};
    attempt_t attempt = {call_job, job_is_wanted, job};
    sluice_error_t error = worker_attempt(worker, &attempt, &report);
    if (error != SLUICE_ERROR_CLOSED)
        log_ddl(pool, job, error, report.text);
    pthread_mutex_lock(&pool->lock);
    if (error == SLUICE_OK)
        pool->ddls++;
    else if (error != SLUICE_ERROR_CLOSED && error != SLUICE_ERROR_NOT_OWNER)
        pool_note_failure(pool, error, report.text);
    pool_complete(pool, lane, SINK_EXECUTED, 0, error, COMMIT_TS_NONE);
    if (error != SLUICE_OK)
        pool_end_lane(pool, lane);
    lane->jobs--;
    pool_release_lane(pool, lane);
    ddl_event_unref(&job->ddl);
    free(job);
}

/* ---- watermark and clean-up: the newest counts, a failure is made good by the next ---- */

typedef struct {
    sluice_error_t (*call)(sink_connection_t *connection, commit_ts_t ts, error_report_t *report);
    commit_ts_t ts;
} chore_t;

static sluice_error_t call_chore(worker_t *worker, void *work, error_report_t *report)
{
    const chore_t *chore = work;
    return chore->call(worker->connection, chore->ts, report);
}

static bool chore_is_wanted(const void *work)
{
    (void)work;
    return true;
}

static void do_chore(worker_t *worker, chore_t chore)
{
    sink_pool_t *pool = worker->pool;
    pthread_mutex_unlock(&pool->lock);
    error_report_t report = {0};
    attempt_t attempt = {call_chore, chore_is_wanted, &chore};
    sluice_error_t error = worker_attempt(worker, &attempt, &report);
    if (error != SLUICE_OK && error != SLUICE_ERROR_CLOSED)
        LOG(LOG_LEVEL_WARNING, "sink", pool->options.changefeed_name, "housekeeping failed",
            log_text("error", sluice_error_name(error)), log_text("text", report.text));
    pthread_mutex_lock(&pool->lock);
}

bool worker_do_job(worker_t *worker)
{
    sink_pool_t *pool = worker->pool;
    job_t *job = pool->first_job;
    if (job) {
        pool->first_job = job->next;
        if (!pool->first_job)
            pool->last_job = NULL;
        do_job(worker, job);
        return true;
    }
    if (pool->watermark.v > pool->watermark_done.v) {
        pool->watermark_done = pool->watermark;
        do_chore(worker, (chore_t){pool->options.api->write_watermark, pool->watermark});
        return true;
    }
    if (pool->clean_up.v > pool->clean_up_done.v) {
        pool->clean_up_done = pool->clean_up;
        do_chore(worker, (chore_t){pool->options.api->clean_up, pool->clean_up});
        return true;
    }
    return false;
}
