#include <time.h>

#include "common/runtime/clock.h"
#include "common/runtime/log.h"
#include "dispatcher/shell/sink_pool_internal.h"

static struct timespec timespec_of(mono_ns_t at)
{
    return (struct timespec){.tv_sec = (time_t)(at.v / NS_PER_S),
                             .tv_nsec = (long)(at.v % NS_PER_S)};
}

/* With the lock: until the lease allows a call. False: not wanted any more. */
static bool wait_for_lease(worker_t *worker, const attempt_t *attempt)
{
    sink_pool_t *pool = worker->pool;
    while (!pool->is_closing && attempt->is_wanted(attempt->work)) {
        if (clock_mono().v < pool->lease_until.v)
            return true;
        pthread_cond_wait(&pool->changed, &pool->lock);
    }
    return false;
}

static uint64_t backoff_ns(const sink_pool_options_t *options, uint32_t attempts)
{
    uint64_t delay = options->retry_first_ns;
    while (attempts-- > 1 && delay < options->retry_max_ns)
        delay *= 2;
    return delay < options->retry_max_ns ? delay : options->retry_max_ns;
}

/* With the lock: sleeps until the backoff is over, the pool closes, or nobody wants the work. */
static void wait_for_retry(worker_t *worker, const attempt_t *attempt, uint32_t attempts)
{
    sink_pool_t *pool = worker->pool;
    mono_ns_t until = mono_add(clock_mono(), backoff_ns(&pool->options, attempts));
    struct timespec at = timespec_of(until);
    while (!pool->is_closing && attempt->is_wanted(attempt->work) &&
           !mono_reached(until, clock_mono()))
        pthread_cond_timedwait(&pool->changed, &pool->lock, &at);
}

static void set_connection(worker_t *worker, sink_connection_t *connection)
{
    sink_pool_t *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    worker->connection = connection;
    if (connection)
        pool->has_connected = true;
    if (connection && pool->is_closing)
        pool->options.api->interrupt(connection);
    pthread_mutex_unlock(&pool->lock);
}

static void disconnect(worker_t *worker)
{
    sink_connection_t *connection = worker->connection;
    if (!connection)
        return;
    set_connection(worker, NULL);
    worker->pool->options.api->disconnect(&connection);
}

static sluice_error_t connect(worker_t *worker, error_report_t *report)
{
    if (worker->connection)
        return SLUICE_OK;
    sink_connection_t *connection = NULL;
    sluice_error_t error =
        worker->pool->options.api->connect(worker->pool->options.sink, &connection, report);
    if (error == SLUICE_OK)
        set_connection(worker, connection);
    return error;
}

/* With the lock. `error` is what will be tried again, SLUICE_OK: nothing is. */
static void note_outcome(worker_t *worker, sluice_error_t error, const error_report_t *report)
{
    sink_pool_t *pool = worker->pool;
    worker->retrying = error;
    if (error != SLUICE_OK && pool->error == SLUICE_OK)
        memcpy(pool->text, report->text, sizeof pool->text);
}

/* One try. True: trying again may help, and `error` says what did not. */
static bool try_once(worker_t *worker, const attempt_t *attempt, error_report_t *report,
                     sluice_error_t *error)
{
    sink_pool_t *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    bool may_start = wait_for_lease(worker, attempt);
    pthread_mutex_unlock(&pool->lock);
    *error = SLUICE_ERROR_CLOSED;
    if (!may_start)
        return false;
    *report = (error_report_t){0};
    *error = connect(worker, report);
    if (*error == SLUICE_OK)
        *error = attempt->call(worker, attempt->work, report);
    report->code = *error;
    return sluice_error_is_retriable(*error);
}

static void log_retry(sink_pool_t *pool, const error_report_t *report, uint32_t attempts)
{
    uint64_t suppressed;
    pthread_mutex_lock(&pool->lock);
    bool is_allowed = log_limiter_allow(&pool->retry_lines, clock_mono(), &suppressed);
    pthread_mutex_unlock(&pool->lock);
    if (is_allowed)
        LOG(LOG_LEVEL_WARNING, "sink", pool->options.changefeed_name, "will try again",
            log_text("error", sluice_error_name(report->code)), log_text("text", report->text),
            log_number("attempt", attempts), log_number("suppressed", suppressed));
}

sluice_error_t worker_attempt(worker_t *worker, const attempt_t *attempt, error_report_t *report)
{
    sink_pool_t *pool = worker->pool;
    for (uint32_t attempts = 1;; attempts++) {
        sluice_error_t error;
        bool may_help = try_once(worker, attempt, report, &error);
        pthread_mutex_lock(&pool->lock);
        bool goes_on = may_help && !pool->is_closing;
        note_outcome(worker, goes_on ? error : SLUICE_OK, report);
        pthread_mutex_unlock(&pool->lock);
        if (!goes_on)
            return error;
        log_retry(pool, report, attempts);
        /* What state the connection is in nobody knows; the adapter finds out what was done. */
        disconnect(worker);
        pthread_mutex_lock(&pool->lock);
        wait_for_retry(worker, attempt, attempts);
        pthread_mutex_unlock(&pool->lock);
    }
}

void *worker_run(void *argument)
{
    worker_t *worker = argument;
    sink_pool_t *pool = worker->pool;
    pthread_mutex_lock(&pool->lock);
    while (!pool->is_closing) {
        if (worker->is_ddl ? worker_do_job(worker) : worker_do_rows(worker))
            continue;
        pool->idle_row_workers += !worker->is_ddl;
        pthread_cond_wait(worker->is_ddl ? &pool->has_jobs : &pool->has_rows, &pool->lock);
        pool->idle_row_workers -= !worker->is_ddl;
    }
    pthread_mutex_unlock(&pool->lock);
    disconnect(worker);
    return NULL;
}
