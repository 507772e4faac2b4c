/*
 * The simulated sink's state, shared by
 *   sink.c          life, and what others ask
 *   sink_server.c   connections, locks, the way of a call to the server and back
 *   sink_ledger.c   progress rows, DDL records, sync points
 *   sink_steps.c    what the calls of a MariaDB or SQLite adapter do, statement by statement
 *   sink_rows.c     rows into tables
 *   sink_check.c    what must hold
 *   sink_real.c     the same calls to a real adapter
 *   sink_pool.c     a node's lanes
 *   sink_worker.c   a node's connections at work: lease, retries
 *
 * A call is one call of the sink API (claim, write, run_ddl, …): several statements, each of which
 * travels to the server, is carried out or waits there, and is answered. Changes of a transaction
 * are carried out at its commit; until then locks keep others away.
 */
#ifndef SLUICE_TESTS_SIM_SINK_INTERNAL_H
#define SLUICE_TESTS_SIM_SINK_INTERNAL_H

#include "dispatcher/core/dispatch/row_queue.h"
#include "dispatcher/sink/row_batch.h"
#include "tests/sim/sink.h"
#include "tests/sim/timer.h"

enum { BATCH_LANES_MAX = 16, BATCH_PARTS_MAX = 128, CLAIMS_MAX = 64 };

static const row_limits_t batch_limits = {BATCH_PARTS_MAX, 2048};

typedef struct sim_connection sim_connection_t;
typedef struct sim_call sim_call_t;
typedef struct sim_worker sim_worker_t;

/* ---- calls ---- */

typedef enum { CALL_CLAIM, CALL_WRITE, CALL_DDL, CALL_SYNCPOINT, CALL_CLEAN_UP } call_kind_t;

typedef enum {
    SERVED,        /* answer */
    SERVED_WAITING /* for a lock: again when it may be free */
} served_t;

typedef served_t call_step_fn(sim_call_t *call);

typedef struct {
    sink_claim_t claim; /* its keys in the call's arena */
    const table_rows_t *parts[BATCH_PARTS_MAX];
    commit_ts_t part_ts[BATCH_PARTS_MAX];
    uint32_t part_count;
    bool moves_progress;
    commit_ts_t progress;
    bool is_open; /* still to be written */
    sluice_error_t error;
    uint64_t rows, bytes;
    row_batch_t batch;
} call_write_t;

struct sim_call {
    sim_call_t *next; /* of the sink's */
    sim_sink_t *sink;
    sim_connection_t *connection;
    sim_worker_t *worker; /* NULL: its client is gone */
    changefeed_ref_t changefeed;
    call_kind_t kind;
    call_step_fn *step; /* the statement that is at the server, or goes there next; NULL: the end */
    bool is_at_server, has_arrived; /* sent and not answered; not on its way there any more */
    bool is_executing;              /* a statement that takes its time */
    bool loses_answer;
    uint32_t tries;
    sluice_error_t error;
    char text[ERROR_REPORT_TEXT_MAX];
    arena_t arena;
    mono_ns_t waits_since;

    sink_claim_t claims[CLAIMS_MAX]; /* CLAIM; DDL and SYNCPOINT: the first */
    sluice_error_t claim_errors[CLAIMS_MAX];
    commit_ts_t claim_progress[CLAIMS_MAX];
    uint32_t claim_count;
    call_write_t *writes;
    uint32_t write_count;
    transaction_t **transactions; /* references */
    uint32_t transaction_count;
    ddl_event_t *ddl; /* a reference */
    commit_ts_t commit_ts;
    bool runs, if_exists; /* what was decided about the DDL */
};

/* ---- the server ---- */

typedef struct sim_lock {
    struct sim_lock *next;
    changefeed_uuid_t uuid;
    pipeline_t mode;
    table_id_t table_id;
    sim_connection_t *holder;
} sim_lock_t;

struct sim_connection {
    sim_connection_t *next;
    sim_sink_t *sink;
    sim_process_t *process;
    uint64_t number;
    bool has_client; /* somebody still has the other end */
    bool is_closed;
    sim_call_t *call;       /* at work */
    commit_ts_t named_lock; /* of the DDL; NONE: none */
    uint64_t slept_since;
    sink_connection_t *real; /* of a real adapter */
    bool holds_file;         /* SQLite: the one writer */
    bool has_rows;           /* an open transaction has written rows */
};

typedef struct {
    changefeed_ref_t changefeed;
    pipeline_t mode;
    table_id_t table_id;
    bytes_t start_key, end_key; /* owned */
    assignment_epoch_t epoch;
    commit_ts_t progress;
} progress_row_t;

typedef struct {
    table_id_t table_id;
    bool is_dropped;
} record_table_t;

typedef struct {
    changefeed_ref_t changefeed;
    commit_ts_t commit_ts;
    bool is_done, concerns_all;
    uint64_t before; /* description of its objects */
    record_table_t *tables;
    uint32_t table_count;
} ddl_record_t;

/* What the sink knows of a changefeed as a whole. */
typedef struct {
    changefeed_uuid_t uuid;
    uint64_t generation;
    commit_ts_t checkpoint; /* persisted: records up to it may be gone */
    bool is_removed;
} feed_row_t;

typedef struct {
    uint64_t identity;
    commit_ts_t at;
} dropped_t;

struct sim_sink {
    sim_world_t *world;
    const sim_log_t *log;
    sim_sink_flavour_t flavour;
    sim_random_t random;
    sim_database_t database;
    sim_connection_t *connections;
    sim_call_t *calls;
    sim_lock_t *locks;
    uint64_t connection_numbers;
    progress_row_t *rows;
    uint32_t row_count, row_capacity;
    ddl_record_t *records;
    uint32_t record_count, record_capacity;
    feed_row_t *feeds;
    uint32_t feed_count;
    dropped_t *dropped;
    uint32_t dropped_count, dropped_capacity;
    uint8_t *executions; /* by place in the log */
    uint8_t *syncpoints;
    const sink_api_t *real_api; /* NULL: the simulated server */
    sink_t *real;
    void (*before_call)(void *context, const char *kind); /* NULL: nobody */
    void *before_call_context;
    mono_ns_t down_until; /* the server is not there */
    uint64_t progress;
    uint64_t checked; /* highest checkpoint that was checked */
};

/* sink_server.c */
sim_connection_t *server_connect(sim_sink_t *sink, sim_process_t *process);
/* Rolls back, gives locks back; a call at work is answered with an error. */
void server_close(sim_connection_t *connection);
/* The client is gone; the server finds out later. */
void server_leave(sim_connection_t *connection);
sim_call_t *server_call_new(sim_sink_t *sink, call_kind_t kind);
void server_call_free(sim_call_t *call);
/* Lets the server fall now and then. */
void server_begin(sim_sink_t *sink);
/* How long a statement, or its answer, is on its way. */
uint64_t server_way(sim_sink_t *sink);
/* Sends the call's step; worker_answer is called when it is answered. */
void server_send(sim_call_t *call);
/* The step takes its time: it is asked again after that, and must then end. */
void server_run(sim_call_t *call, uint64_t delay_ns);
/* Takes the row lock of a table; false: somebody else has it, who is killed if he sleeps on it. */
bool server_lock(sim_call_t *call, const sink_claim_t *claim);
/* Ends the transaction. */
void server_unlock(sim_connection_t *connection);
bool server_lock_name(sim_call_t *call, commit_ts_t commit_ts);
bool server_lock_file(sim_call_t *call);
/* Others may go on. */
void server_wake_waiters(sim_sink_t *sink);
void server_moment(const sim_call_t *call, sim_moment_kind_t kind, table_id_t table_id,
                   commit_ts_t commit_ts, bool is_syncpoint);

/* sink_ledger.c */
bool changefeed_equal(const changefeed_ref_t *a, const changefeed_ref_t *b);
/* The row that the claim's owner has; NULL: it is not the owner. */
progress_row_t *ledger_own_row(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                               const sink_claim_t *claim);
/* What a claim would find; nothing is changed. */
sluice_error_t ledger_look(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                           const sink_claim_t *claim, commit_ts_t *progress);
/* Takes over. */
void ledger_claim(sim_sink_t *sink, const changefeed_ref_t *changefeed, const sink_claim_t *claim,
                  commit_ts_t progress);
ddl_record_t *ledger_find_record(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                                 commit_ts_t commit_ts);
ddl_record_t *ledger_add_record(sim_sink_t *sink, const changefeed_ref_t *changefeed,
                                const ddl_event_t *ddl, uint64_t before);
void ledger_remove_record(sim_sink_t *sink, ddl_record_t *record);
void ledger_clean_up(sim_sink_t *sink, const changefeed_ref_t *changefeed, commit_ts_t persisted);
void ledger_forget(sim_sink_t *sink, const changefeed_ref_t *changefeed);
void ledger_clear(sim_sink_t *sink);

/* sink_steps.c */
call_step_fn *call_first_step(const sim_call_t *call);

/* sink_real.c */
call_step_fn real_step;

/* sink_rows.c */
sluice_error_t rows_build(sim_call_t *call, call_write_t *write, error_report_t *report);
void rows_commit(sim_call_t *call, call_write_t *write);
/* A server that falls in the middle of it has dropped some objects of a DROP. */
void rows_drop_some(sim_call_t *call);
/* Runs a DDL; false: refused. */
bool rows_run_ddl(sim_call_t *call, const sim_statement_t *statement, bool if_exists,
                  error_report_t *report);

/* sink_check.c */
void check_table(sim_sink_t *sink, const sim_table_t *table);
void check_dropping(sim_sink_t *sink, const sim_table_t *table, commit_ts_t at);
uint64_t check_place(const sim_sink_t *sink, commit_ts_t commit_ts);

/* ---- a node's side ---- */

typedef struct sim_lane {
    struct sim_lane *next; /* of the pool's, in the order of claims */
    uint64_t run;
    dispatcher_id_t dispatcher_id;
    sink_claim_t claim; /* keys owned */
    row_queue_t rows;
    bool is_claimed; /* is no longer in the list of claims */
    bool is_busy, is_ended, is_closed;
    uint32_t dropped, jobs;
    uint64_t ready; /* its turn among those with rows; 0: none */
} sim_lane_t;

typedef struct sim_job {
    struct sim_job *next;
    sim_lane_t *lane;
    ddl_event_t *ddl; /* NULL: sync point */
    commit_ts_t commit_ts;
} sim_job_t;

typedef enum {
    WORKER_IDLE,
    WORKER_WAITING_LEASE,
    WORKER_WAITING_RETRY,
    WORKER_CALLING
} worker_state_t;

struct sim_worker {
    sim_sink_pool_t *pool;
    bool is_ddl;
    worker_state_t state;
    sim_connection_t *connection;
    sim_call_t *call;
    uint32_t attempts;
    sim_timer_t timer;
    /* The work: */
    call_kind_t kind;
    sim_lane_t *lanes[CLAIMS_MAX];
    uint32_t first_item[CLAIMS_MAX], item_count[CLAIMS_MAX];
    uint32_t lane_count;
    row_item_t items[BATCH_PARTS_MAX];
    uint32_t written; /* lanes of the batch whose part this is: one by one after a failure */
    bool one_by_one;
    uint32_t at;
    sim_job_t *job;
    commit_ts_t clean_up;
};

enum { WORKERS_MAX = 6 };

struct sim_sink_pool {
    sim_sink_t *sink;
    sim_world_t *world;
    sim_process_t *process;
    changefeed_ref_t changefeed;
    sim_random_t random;
    sim_worker_t workers[WORKERS_MAX];
    uint32_t worker_count;
    sim_lane_t *lanes;
    sim_job_t *first_job, *last_job;
    uint64_t turns;
    mono_ns_t lease_until;
    commit_ts_t clean_up, clean_up_done;
    sink_completion_t *completions;
    uint32_t completion_count, completion_capacity;
    uint64_t rows, bytes, ddls;
    bool has_connected;
    error_report_t error;
};

/* sink_pool.c */
void pool_complete(sim_sink_pool_t *pool, const sim_lane_t *lane, sink_completion_kind_t kind,
                   uint32_t count, sluice_error_t error, commit_ts_t progress);
void pool_end_lane(sim_sink_pool_t *pool, sim_lane_t *lane);
void pool_answer_closed(sim_sink_pool_t *pool, sim_lane_t *lane, uint32_t count);
void pool_note_failure(sim_sink_pool_t *pool, sluice_error_t error, const char *text);
void pool_make_ready(sim_sink_pool_t *pool, sim_lane_t *lane);
void pool_release_lane(sim_sink_pool_t *pool, sim_lane_t *lane);

/* sink_worker.c */
void worker_init(sim_worker_t *worker, sim_sink_pool_t *pool, bool is_ddl);
void worker_close(sim_worker_t *worker);
/* Gives idle workers something to do; those that wait look whether they are wanted. */
void pool_set_to_work(sim_sink_pool_t *pool);
void pool_lease_changed(sim_sink_pool_t *pool);
/* The server's answer to the step that was sent. */
void worker_answer(sim_worker_t *worker);

#endif
