/*
 * The world's inside, for its own files: world.c, process.c, network.c, maintainer_process.c,
 * node_process.c, plan.c, rest.c, the checkers and main.c. Source and sink do not include this.
 */
#ifndef SLUICE_TESTS_SIM_WORLD_INTERNAL_H
#define SLUICE_TESTS_SIM_WORLD_INTERNAL_H

#include "maintainer/core/settings.h"
#include "tests/sim/checks.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/process.h"
#include "tests/sim/sink.h"
#include "tests/sim/upstream.h"
#include "tests/sim/world.h"

typedef struct sim_network sim_network_t;
typedef struct sim_store sim_store_t;
typedef struct sim_operators sim_operators_t;

typedef void sim_observer_t(void *context, const sim_moment_t *moment);
typedef void sim_told_t(void *context, const char *actor, const char *line);

struct sim_world {
    uint64_t seed;
    mono_ns_t now;
    sim_random_t random;
    sim_event_queue_t queue;
    sim_rates_t rates;
    maintainer_settings_t settings; /* of the maintainers */
    bool has_faults;
    sim_process_t *maintainers[SIM_MAINTAINERS_MAX];
    sim_process_t *nodes[SIM_NODES_MAX];
    sim_network_t *network;
    sim_store_t *store;
    sim_log_t *log;
    sim_sink_t *sink;
    sim_sink_flavour_t flavour;
    sim_checks_t *checks;
    sim_operators_t *operators;
    sim_observer_t *observer; /* the plan's or the named case's; NULL: none */
    void *observer_context;
    sim_observer_t *watcher; /* only looks; NULL: none */
    void *watcher_context;
    sim_told_t *told; /* instead of printing, lines of the trace go here; NULL: printed */
    void *told_context;
    sim_tally_t tally;
    bool loses_message; /* said by the observer at SIM_SENT: it does not arrive */
    /* The trace. */
    bool is_hashed, is_printed;
    uint64_t hash, events_run;
    /* The first broken invariant. */
    bool has_failed;
    char invariant[16];
    char failure[1024];
};

sim_rates_t sim_rates_draw(sim_random_t *random);

/* Of a named case. */
typedef struct {
    sim_rates_t rates;
    const char *log; /* for sim_log_tell */
} sim_told_world_t;

/* Everything is drawn from the seed, the log too; with `told` rates and log are fixed. Nobody runs
 * yet. */
sim_world_t *sim_world_new(uint64_t seed, const sim_told_world_t *told, bool is_hashed,
                           bool is_printed);
void sim_world_destroy(sim_world_t **world);

/* Runs the next event. False: there is none, or an invariant is broken. */
bool sim_world_step(sim_world_t *world);
/* Lets so much time pass. False: an invariant is broken. */
bool sim_world_run(sim_world_t *world, uint64_t ns);

/* The running maintainer that took the store last; NULL: none. */
sim_process_t *sim_world_active_maintainer(const sim_world_t *world);

#endif
