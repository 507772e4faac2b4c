/*
 * Carries out the coordinator's effects, in their order: sends, writes to the meta store, log
 * lines, answers. Decides nothing.
 *
 * Writes in a row become durable together; whatever follows them waits for that.
 *
 * Threads: the actor's.
 */
#ifndef SLUICE_MAINTAINER_SHELL_EFFECT_RUNNER_H
#define SLUICE_MAINTAINER_SHELL_EFFECT_RUNNER_H

#include "maintainer/meta/meta_store.h"
#include "maintainer/shell/control_router.h"

/* Borrows everything for its life. */
typedef struct {
    coordinator_t *coordinator;
    control_router_t *router;
    meta_store_t *store;
    api_t *api;
    actor_counters_t *counters;
    log_limiter_t limiter;
    error_report_t lost; /* the store is no longer the one that was opened; code OK: it is */
} effect_runner_t;

void effect_runner_run(effect_runner_t *runner, mono_ns_t now, const effects_t *effects);

#endif
