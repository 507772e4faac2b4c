/*
 * The simulated sink: one transactional database server that all nodes write to, and each node's
 * pool of connections to it (the sink port), by the rules of DESIGN §5 (Fencing, Exactly once) and
 * of dispatcher/shell/sink_pool.h. A seed has one of two flavours:
 *   MariaDB  row locks, DDL that commits by itself, GET_LOCK, KILL of connections that sleep, the
 *            DDL record before and after, half-way DDLs decided by what the objects look like
 *   SQLite   one writer at a time; record, DDL and progress in one transaction
 *
 * A connection is the server's: it outlives its client by sim_rates_t.sink_linger_ns, and what was
 * sent is carried out whatever becomes of the sender. Every call takes time; connections break
 * before a call, after it took effect, and answers are lost.
 *
 * Checks at every commit (ORACLE §1): the table is as the log says it is at that commit_ts (nothing
 * lost, invented, doubled, out of order: B8), each DDL runs once (B1), nothing of an owner who was
 * replaced takes effect (F2, F3).
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_SINK_H
#define SLUICE_TESTS_SIM_SINK_H

#include "dispatcher/core/node/sink_port.h"
#include "dispatcher/sink/sink.h"
#include "tests/sim/upstream.h"
#include "tests/sim/world.h"

typedef struct sim_sink sim_sink_t;

typedef enum { SIM_SINK_MARIADB, SIM_SINK_SQLITE } sim_sink_flavour_t;

/* Holds at first what the log's source holds inside the filter. `log` is borrowed. */
sim_sink_t *sim_sink_new(sim_world_t *world, const sim_log_t *log, sim_sink_flavour_t flavour);
void sim_sink_destroy(sim_sink_t **sink);

/* Puts a real adapter in place of the simulated server: its calls take effect at once and as a
 * whole, but connections break before a call, after it, and answers are lost as ever. Makes the
 * tables that the log begins with. None of the checks below can be made; who uses it compares what
 * is in there with sim_log_replay. */
sluice_error_t sim_sink_use(sim_sink_t *sink, const sink_api_t *api, const char *uri,
                            changefeed_ref_t changefeed, error_report_t *report) SLUICE_MUST_USE;

/* Called before each call of a real adapter: "claim", "rows", "ddl", "syncpoint" or
 * "other". */
void sim_sink_before_call(sim_sink_t *sink, void (*act)(void *context, const char *kind),
                          void *context);

/* ---- a node's side ---- */

typedef struct sim_sink_pool sim_sink_pool_t;

sim_sink_pool_t *sim_sink_open(sim_sink_t *sink, sim_process_t *process,
                               changefeed_ref_t changefeed);
/* Its process has ended, or ends it: gives everything back without answers. The server finds out
 * later. NULL is allowed. */
void sim_sink_close(sim_sink_pool_t **pool);

sink_port_t sim_sink_port(sim_sink_pool_t *pool);

/* The changefeed was removed: nothing of it is kept but that. */
void sim_sink_forget(sim_sink_t *sink, changefeed_ref_t changefeed);

/* ---- checks ---- */

/* The changefeed's published checkpoint is honest: everything up to it is in the sink (K3). Cheap
 * enough for every publication. */
void sim_sink_check_checkpoint(sim_sink_t *sink, commit_ts_t checkpoint);
/* Everything is through: content and form are the log's, row by row; each DDL ran once. */
void sim_sink_check_end(sim_sink_t *sink);

/* So many rows, DDLs and sync points took effect: it grows while there is progress. */
uint64_t sim_sink_progress(const sim_sink_t *sink);

/* For named cases and traces. */
const sim_database_t *sim_sink_database(const sim_sink_t *sink);
uint64_t sim_sink_executions(const sim_sink_t *sink, commit_ts_t commit_ts);
bool sim_sink_has_syncpoint(const sim_sink_t *sink, commit_ts_t commit_ts);

#endif
