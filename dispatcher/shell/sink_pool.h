/*
 * Threads that carry out what the dispatchers of one changefeed want of its sink: row workers,
 * which write rows of one or many spans in one transaction, and DDL workers, so that a long DDL
 * never holds up rows. Each thread has its own sink connection. Errors that can pass are retried
 * here with backoff; others end the lane they belong to.
 *
 * A lane is one life of a dispatcher (its run). Its rows are written in the order given, by one
 * worker at a time; after an error, or when cancelled, nothing more of it is started and what is
 * left is answered with SLUICE_ERROR_CLOSED. Claims go before everything else. No call of the sink
 * is started after the lease has ended.
 *
 * Threads: all functions by one thread, the protocol thread; none blocks but sink_pool_close.
 */
#ifndef SLUICE_DISPATCHER_SHELL_SINK_POOL_H
#define SLUICE_DISPATCHER_SHELL_SINK_POOL_H

#include "dispatcher/sink/sink.h"

typedef struct sink_pool sink_pool_t;

typedef struct {
    const sink_api_t *api;
    sink_t *sink; /* borrowed, for the life of the pool */
    uint32_t row_workers, ddl_workers;
    uint64_t batch_bytes_max;              /* of logged row bytes in one sink transaction */
    uint64_t retry_first_ns, retry_max_ns; /* backoff of retriable errors */
    const char *changefeed_name;           /* for log lines; borrowed */
} sink_pool_options_t;

#define SINK_POOL_ROW_WORKERS 4
#define SINK_POOL_DDL_WORKERS 2
#define SINK_POOL_BATCH_BYTES_MAX (UINT64_C(1) << 20)

/* Starts the threads; they connect by themselves. Without a lease nothing is done. */
sink_pool_t *sink_pool_open(const sink_pool_options_t *options);
/* Interrupts and joins the threads, drops everything without answers. NULL is allowed. */
void sink_pool_close(sink_pool_t **pool);

/* Opens a lane and claims its span. Keys of the span are copied. */
void sink_pool_claim(sink_pool_t *pool, dispatcher_id_t dispatcher_id, uint64_t run,
                     const sink_claim_t *claim);
/* Appends rows to a lane; `transaction` is one reference, taken. Unknown lanes: dropped. */
void sink_pool_write(sink_pool_t *pool, uint64_t run, transaction_t *transaction,
                     const table_rows_t *rows);
/* One DDL at a time a lane; `ddl` is one reference, taken. */
void sink_pool_run_ddl(sink_pool_t *pool, uint64_t run, ddl_event_t *ddl);
void sink_pool_write_syncpoint(sink_pool_t *pool, uint64_t run, commit_ts_t commit_ts);
void sink_pool_cancel(sink_pool_t *pool, uint64_t run);
/* The lane is over; nothing of it may be outstanding. */
void sink_pool_close_lane(sink_pool_t *pool, uint64_t run);

/* Everything on this node is durable up to `resolved`; the newest counts. */
void sink_pool_watermark(sink_pool_t *pool, commit_ts_t resolved);
/* Records up to `persisted` may go; the newest counts. */
void sink_pool_clean_up(sink_pool_t *pool, commit_ts_t persisted);

/* Sink calls may be started until then. */
void sink_pool_set_lease(sink_pool_t *pool, mono_ns_t until);

/* Readable while completions can be taken. */
int sink_pool_fd(const sink_pool_t *pool);
uint32_t sink_pool_take(sink_pool_t *pool, sink_completion_t *completions, uint32_t max);

void sink_pool_state(sink_pool_t *pool, sink_pool_state_t *state);

#endif
