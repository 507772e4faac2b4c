/*
 * The thread of the event store: carries out what the event service asks, one request after
 * another, and keeps what the bytes alone do not say, the definitions of the tables in it. The
 * store is opened with the first write and is a directory of its own, gone with the process or
 * removed by the next one.
 *
 * Limits: requests are bounded by the event service; definitions by DEFINITION_BOOK_MAX, beyond
 * which the store says that it is full.
 *
 * Threads: started and destroyed by one; put and take by one (the service thread).
 */
#ifndef SLUICE_DISPATCHER_SHELL_STORE_ACTOR_H
#define SLUICE_DISPATCHER_SHELL_STORE_ACTOR_H

#include "dispatcher/store/event_store.h"

typedef struct store_actor store_actor_t;

typedef struct {
    const event_store_api_t *api;
    const char *parent;     /* where its directory is made; copied */
    const char *changefeed; /* for log lines; copied */
    uint64_t bytes_max;
    uint64_t patience_ns;        /* that store_actor_destroy has with a disk that hangs */
    void (*ring)(void *context); /* there is an answer to take; by the store's thread */
    void *context;
} store_actor_options_t;

sluice_error_t store_actor_start(const store_actor_options_t *options, store_actor_t **actor,
                                 error_report_t *report) SLUICE_MUST_USE;
/* What was not carried out is given back. A thread that a disk holds longer than patience_ns is
 * left behind: it gives back what it has when the disk lets it go. NULL is allowed. */
void store_actor_destroy(store_actor_t **actor);

/* The request is consumed. */
void store_actor_put(store_actor_t *actor, store_request_t *request);
/* The next answer; the caller's to clear. */
bool store_actor_take(store_actor_t *actor, store_answer_t *answer);

#endif
