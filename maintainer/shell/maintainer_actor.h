/*
 * The maintainer's one loop: poll until a socket, a request, a signal, or a deadline; take in; read
 * the clock once; step the coordinator; carry out its effects.
 *
 * Messages it takes: those of nodes (proto/README.md), requests of the HTTP API, signals. It ends
 * with TERM or INT.
 *
 * Threads: runs on the thread that calls it, which owns everything below it.
 */
#ifndef SLUICE_MAINTAINER_SHELL_MAINTAINER_ACTOR_H
#define SLUICE_MAINTAINER_SHELL_MAINTAINER_ACTOR_H

#include "common/runtime/settings.h"
#include "maintainer/meta/meta_store.h"

typedef struct maintainer_actor maintainer_actor_t;

/* Called on HUP; logs for itself what became of it. */
typedef void maintainer_reload_t(void *context);

typedef struct {
    const settings_t *settings;
    meta_store_t *store; /* opened, not taken over yet */
    int signals;         /* process_signals_open */
    maintainer_reload_t *reload;
    void *reload_context;
} maintainer_actor_options_t;

/* Takes the meta store's changefeeds over, binds sockets and API. Borrows the options' pointers for
 * its life. On failure nothing is left. */
sluice_error_t maintainer_actor_start(const maintainer_actor_options_t *options,
                                      maintainer_actor_t **actor,
                                      error_report_t *report) SLUICE_MUST_USE;

/* Until it is told to stop (SLUICE_OK), or its meta store was taken away: somebody else may have
 * one there by now. */
sluice_error_t maintainer_actor_run(maintainer_actor_t *actor,
                                    error_report_t *report) SLUICE_MUST_USE;

void maintainer_actor_destroy(maintainer_actor_t **actor);

#endif
