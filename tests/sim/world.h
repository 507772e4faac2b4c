/*
 * The simulated world: one thread, virtual time, one seed. It holds a network, a meta store, the
 * maintainer and node processes (the product's own cores), the made-up source and the made-up sink,
 * and lets them act one event after the other. Nothing in it reads a clock or draws a number by
 * itself, so a seed is a history that can be told again.
 *
 * What the parts get from it: time, events to come, chance, the trace, and a place to say that an
 * invariant is broken. What it gets from them: moments (moment.h), which checkers and named cases
 * look at.
 *
 * Threads: one world, one thread.
 */
#ifndef SLUICE_TESTS_SIM_WORLD_H
#define SLUICE_TESTS_SIM_WORLD_H

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/base/ids.h"
#include "common/base/time.h"
#include "tests/sim/moment.h"
#include "tests/sim/random.h"

enum { SIM_NODES_MAX = 5, SIM_MAINTAINERS_MAX = 2 };

/* What happened in it, to see that it does happen. */
typedef struct {
    uint64_t questions;     /* who else could serve, of a dispatcher */
    uint64_t registrations; /* that another node's service accepted */
    uint64_t payloads;      /* rows and DDLs, or pieces of them, that came from another node */
} sim_tally_t;

typedef struct sim_world sim_world_t;
/* A maintainer or a node, by its place: it dies and is started again, each time a new life. */
typedef struct sim_process sim_process_t;

/* ---- chance and time ---- */

sim_random_t *sim_random(sim_world_t *world);
/* True time. Clocks of processes differ from it. */
mono_ns_t sim_now(const sim_world_t *world);
/* Wall clock for commit_times, the same for all. */
wall_ms_t sim_wall(const sim_world_t *world);

/* ---- events to come ---- */

typedef void sim_action_t(void *context, uint64_t argument);

/* Calls `action` once, after `delay_ns` of true time.
 * `process` NULL: outside of every process (a server, a wire): happens whatever becomes of them.
 * Else inside its present life: waits while the process is stopped, never happens when that life
 * has ended. */
void sim_after(sim_world_t *world, sim_process_t *process, uint64_t delay_ns, sim_action_t *action,
               void *context, uint64_t argument);
/* Nothing to come is called with `context` any more: before it is freed. */
void sim_forget(sim_world_t *world, const void *context);

/* ---- processes ---- */

/* "n1", "m1". */
const char *sim_process_name(const sim_process_t *process);
/* Place among the nodes (or maintainers), from 0. */
int sim_process_index(const sim_process_t *process);
/* Counts lives, from 1. */
uint64_t sim_process_life(const sim_process_t *process);
/* Neither dead nor stopped: it may act at this moment. */
bool sim_process_is_running(const sim_process_t *process);
/* Its own monotonic clock, which may run up to 1 % slow or fast. What a core is given as `now`. */
mono_ns_t sim_process_now(const sim_process_t *process);
/* There is something for it to take: it has a turn at this very time, or when it is continued. */
void sim_process_wake(sim_process_t *process);

/* ---- what is seen ---- */

/* Told to every checker and to the named case, in that order; may kill or stop processes (one that
 * is in the middle of its turn dies at the end of it, and nothing it says after this moment leaves
 * it). */
void sim_moment(sim_world_t *world, const sim_moment_t *moment);

/* Whether somebody reads or hashes the trace: ask before building costly text. */
bool sim_is_traced(const sim_world_t *world);
/* One line of the trace; `actor` is "n1", "sink", … . Part of the seed's hash: never print
 * addresses or anything else that differs between two runs. */
void sim_trace(sim_world_t *world, const char *actor, const char *format, ...) SLUICE_PRINTF(3, 4);

/* An invariant (its number in ORACLE §1, "B8") is broken; the first one counts and ends the run
 * after the present event. Returns, so that callers go on without a special path. */
void sim_violated(sim_world_t *world, const char *invariant, const char *format, ...)
    SLUICE_PRINTF(3, 4);
bool sim_has_failed(const sim_world_t *world);

/* ---- what was drawn for this seed ---- */

/* Rates and sizes. All faults are off when `faults` is false (named cases, healing). */
typedef struct {
    /* shape */
    uint32_t nodes, maintainers;
    uint32_t tables;     /* at the start */
    uint64_t log_length; /* commit_ts 1 … log_length */
    /* the source */
    uint64_t log_interval_ns; /* between two groups becoming visible, on average */
    uint64_t syncpoint_ms;    /* 0: none */
    uint64_t feed_delay_ns;   /* from visible to handed out, at most */
    /* the sink */
    uint64_t sink_delay_min_ns, sink_delay_max_ns; /* of one call */
    uint64_t sink_linger_ns;   /* a connection outlives its dead client by at most this */
    uint32_t sink_lost_answer; /* of a thousand calls: it took effect, the connection broke */
    uint32_t sink_broken_call; /* of a thousand calls: the connection broke before it */
} sim_rates_t;

const sim_rates_t *sim_rates(const sim_world_t *world);
/* False while the world heals: nothing fails by chance any more. */
bool sim_has_faults(const sim_world_t *world);

#endif
