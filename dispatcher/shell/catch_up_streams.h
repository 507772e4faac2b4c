/*
 * The readings of older log that are open for an event service, each with its inbox: carries out
 * what the core (dispatcher/core/puller/catch_up.h) wants of them, and tells it how they fare.
 *
 * Threads: the service thread's.
 */
#ifndef SLUICE_DISPATCHER_SHELL_CATCH_UP_STREAMS_H
#define SLUICE_DISPATCHER_SHELL_CATCH_UP_STREAMS_H

#include "dispatcher/core/puller/catch_up.h"
#include "dispatcher/shell/feed_inbox.h"

typedef struct catch_up_streams catch_up_streams_t;

/* How a reading is made. Called by the service thread. */
typedef struct {
    void *context;
    /* Begins to read the log of a server at or below `from` into the inbox; *begins: where. One
     * that ends says so there. NULL: not now, which is not the server's fault. */
    void *(*open)(void *context, uint32_t server, commit_ts_t from, feed_inbox_t *inbox,
                  commit_ts_t *begins);
    /* Ends it; blocks until it has ended. */
    void (*close)(void *context, void *reading);
    /* A reading has failed and another one will be tried; NULL: that is over. */
    void (*on_retry)(void *context, const error_report_t *report);
    /* Trying again mends nothing. */
    void (*on_error)(void *context, const error_report_t *report);
} catch_up_source_t;

/* `ring` is called by readers when there is something to take. The service is borrowed. */
catch_up_streams_t *catch_up_streams_new(const catch_up_source_t *source,
                                         const log_puller_options_t *options,
                                         event_service_t *service, void (*ring)(void *context),
                                         void *context);
/* Ends all readings. NULL is allowed. */
void catch_up_streams_destroy(catch_up_streams_t **streams);

/* Hands what was read to the service; whether there was anything. */
bool catch_up_streams_take_items(catch_up_streams_t *streams);
/* Opens and closes what has to be; returns when it has to be called again at the latest. To be
 * called after every turn of the service. */
mono_ns_t catch_up_streams_steer(catch_up_streams_t *streams, mono_ns_t now);
/* Whether a reading waits for room. */
log_puller_state_t catch_up_streams_state(const catch_up_streams_t *streams);
bool catch_up_streams_wait_for_room(const catch_up_streams_t *streams);

#endif
