/*
 * Brings dispatchers that start below what the tail holds to where the tail is whole for them, over
 * readings of older log beside the live one: the log puller for a source of several servers. A
 * store is a server, a region is a table on it, a subscription is a dispatcher that waits, and a
 * stream is a catch-up round of the event service, which carries every table that starts above
 * where it is. A table that has just been created comes first, since its creation holds up the
 * trigger.
 *
 * Pure. Threads: one owner, that of the event service.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_CATCH_UP_H
#define SLUICE_DISPATCHER_CORE_PULLER_CATCH_UP_H

#include "dispatcher/core/event_service.h"
#include "dispatcher/core/puller/log_puller.h"

typedef struct catch_up catch_up_t;

/* options->store_count servers. The service is borrowed. */
catch_up_t *catch_up_new(const log_puller_options_t *options, event_service_t *service);
/* Before the service. NULL is allowed. */
void catch_up_destroy(catch_up_t **catch_up);

typedef enum {
    CATCH_UP_OPEN,  /* read the log of the server from `from` or from further back */
    CATCH_UP_CLOSE, /* nobody needs the stream any more */
    CATCH_UP_FAILED /* the changefeed fails with `error`, for the reason of the last failure */
} catch_up_effect_kind_t;

typedef struct {
    catch_up_effect_kind_t kind;
    uint64_t stream; /* OPEN, CLOSE; numbers are not used twice */
    uint32_t server; /* OPEN */
    commit_ts_t from;
    sluice_error_t error;
} catch_up_effect_t;

/* What is to be done now; false: nothing until something happens or the deadline comes. To be asked
 * after every turn of the event service. */
bool catch_up_take(catch_up_t *catch_up, catch_up_effect_t *effect, mono_ns_t now);
mono_ns_t catch_up_next_deadline(const catch_up_t *catch_up);

/* The stream is read from `begins` on. */
void catch_up_opened(catch_up_t *catch_up, uint64_t stream, commit_ts_t begins);
/* Its next item; consumed. */
void catch_up_append(catch_up_t *catch_up, uint64_t stream, feed_item_t *item);
/* It could not be opened, or has ended; it is closed. SLUICE_ERROR_AGAIN: for a reason that is not
 * the server's. */
void catch_up_failed(catch_up_t *catch_up, uint64_t stream, sluice_error_t error, mono_ns_t now);

/* Whether the server's last answer was that it cannot serve, which another one may. */
bool catch_up_has_refused(const catch_up_t *catch_up, uint32_t server);
/* Something failed, and nothing has been delivered since to those who wait. */
bool catch_up_is_failing(const catch_up_t *catch_up);
/* What was asked for so far. */
log_puller_state_t catch_up_state(const catch_up_t *catch_up);

#endif
