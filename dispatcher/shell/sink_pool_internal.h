/*
 * The pool's state, shared by sink_pool.c (what the protocol thread calls), sink_worker.c (threads,
 * connections, retries), sink_rows.c (claims and rows) and sink_ddl.c (DDL and the rest). Nobody
 * else includes this.
 *
 * Everything here is guarded by the pool's lock unless said otherwise. A worker that has taken work
 * of a lane (is_busy, or its job or claim running) keeps the lane alive.
 */
#ifndef SLUICE_DISPATCHER_SHELL_SINK_POOL_INTERNAL_H
#define SLUICE_DISPATCHER_SHELL_SINK_POOL_INTERNAL_H

#include <pthread.h>
#include <uthash.h>

#include "common/runtime/log.h"
#include "dispatcher/core/dispatch/row_queue.h"
#include "dispatcher/shell/sink_pool.h"

#define BATCH_LANES_MAX 64
#define BATCH_PARTS_MAX 1024
#define CLAIMS_MAX 1024

typedef struct lane {
    uint64_t run;
    dispatcher_id_t dispatcher_id;
    sink_claim_t claim; /* keys owned; never changes: read without the lock */
    row_queue_t rows;
    bool is_ready;    /* in the list of lanes with rows to write */
    bool is_busy;     /* a row worker has rows of it */
    bool is_ended;    /* failed or cancelled: nothing more is started */
    bool is_closed;   /* to be freed by whoever has it last */
    uint32_t dropped; /* rows to be answered CLOSED when the worker that has others is done */
    uint32_t jobs;    /* DDL, sync point or claim queued or running */
    struct lane *next_ready;
    UT_hash_handle hh;
} lane_t;

typedef enum { JOB_DDL, JOB_SYNCPOINT } job_kind_t;

typedef struct job {
    struct job *next;
    job_kind_t kind;
    lane_t *lane;
    ddl_event_t *ddl;
    commit_ts_t commit_ts;
} job_t;

typedef struct claim_order {
    struct claim_order *next;
    lane_t *lane;
} claim_order_t;

typedef struct worker {
    sink_pool_t *pool;
    pthread_t thread;
    bool is_ddl;
    sink_connection_t *connection; /* set and cleared under the lock, used by its thread alone */
    sluice_error_t retrying;       /* why its last try failed; SLUICE_OK: it did not */
} worker_t;

struct sink_pool {
    sink_pool_options_t options;
    pthread_mutex_t lock;
    pthread_cond_t has_rows; /* row workers */
    pthread_cond_t has_jobs; /* DDL workers */
    pthread_cond_t changed;  /* lease, closing: who waits for these */
    bool is_closing;
    mono_ns_t lease_until;

    worker_t *workers;
    uint32_t worker_count;
    uint32_t idle_row_workers;

    lane_t *lanes; /* by run */
    lane_t *first_ready, *last_ready;
    uint32_t ready_count;
    claim_order_t *first_claim, *last_claim;
    job_t *first_job, *last_job;
    commit_ts_t watermark, watermark_done, clean_up, clean_up_done;

    sink_completion_t *completions;
    uint32_t completion_count, completion_capacity;
    int event_fd;

    uint64_t rows, bytes, ddls;
    log_limiter_t retry_lines;
    bool has_connected;
    log_limiter_t refused_limiter;
    sluice_error_t error;
    char text[ERROR_REPORT_TEXT_MAX];
};

/* sink_pool.c; with the lock held */
void pool_complete(sink_pool_t *pool, const lane_t *lane, sink_completion_kind_t kind,
                   uint32_t count, sluice_error_t error, commit_ts_t progress);
/* The lane has failed or is not ours: what is queued is answered CLOSED. */
void pool_end_lane(sink_pool_t *pool, lane_t *lane);
/* Answers for rows that were not written, behind those that a worker has. */
void pool_answer_closed(sink_pool_t *pool, lane_t *lane, uint32_t count);
void pool_note_failure(sink_pool_t *pool, sluice_error_t error, const char *text);
void pool_make_ready(sink_pool_t *pool, lane_t *lane);
/* Frees a closed lane that nobody has work of. */
void pool_release_lane(sink_pool_t *pool, lane_t *lane);

/* sink_worker.c */
void *worker_run(void *worker);

/* A piece of work that is tried until it succeeds or cannot. */
typedef struct {
    /* The call, without the lock, with lease and connection. */
    sluice_error_t (*call)(worker_t *worker, void *work, error_report_t *report);
    /* Whether it is still wanted; with the lock. */
    bool (*is_wanted)(const void *work);
    void *work;
} attempt_t;

/* Tries until the call returns something that trying again cannot change. SLUICE_ERROR_CLOSED: the
 * pool is closing, or it is not wanted any more. Without the lock. */
sluice_error_t worker_attempt(worker_t *worker, const attempt_t *attempt, error_report_t *report);

/* Whether something can be written: of a table without a key only whole transactions can. */
bool lane_has_rows(const sink_pool_t *pool, const lane_t *lane);

/* sink_rows.c: one round of work, with the lock held at entry and exit. False: nothing to do. */
bool worker_do_rows(worker_t *worker);
/* sink_ddl.c */
bool worker_do_job(worker_t *worker);

#endif
