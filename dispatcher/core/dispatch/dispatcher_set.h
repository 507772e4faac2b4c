/*
 * All dispatchers of one changefeed on one node, with their status path: takes in what the
 * maintainer, the event streams and the sink say, hands it to the dispatchers concerned, and knows
 * what heartbeats and bootstrap answers must tell (DESIGN §4, §5).
 *
 * Use: after every call carry out dispatcher_set_effects and then empty them; call
 * dispatcher_set_tick at dispatcher_set_next_deadline; send what the status path holds.
 *
 * An idle dispatcher costs O(1) a resolved event, and a word in a scan for the watermark.
 *
 * Threads: one thread owns a set (the node's protocol thread).
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_DISPATCHER_SET_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_DISPATCHER_SET_H

#include "dispatcher/core/dispatch/dispatcher.h"

/* Creates beyond it are not carried out. */
#define DISPATCHER_SET_MAX 4000000

typedef struct {
    status_resend_options_t resend;
    status_path_options_t path;
} dispatcher_set_options_t;

dispatcher_set_options_t dispatcher_set_options_default(void);

typedef struct dispatcher_set dispatcher_set_t;

/* `maintainer_epoch`: of the CHANGEFEED_OPEN. */
dispatcher_set_t *dispatcher_set_new(const dispatcher_set_options_t *options,
                                     uint64_t maintainer_epoch);
/* Says nothing; NULL is allowed. */
void dispatcher_set_destroy(dispatcher_set_t **set);

node_effects_t *dispatcher_set_effects(dispatcher_set_t *set);
status_path_t *dispatcher_set_path(dispatcher_set_t *set);
uint64_t dispatcher_set_epoch(const dispatcher_set_t *set);

/* ---- the maintainer; false: of another maintainer_epoch, ignored ---- */

/* Creates and closes; repeats are answered by the next heartbeat. */
bool dispatcher_set_schedule(dispatcher_set_t *set, uint64_t maintainer_epoch,
                             const schedule_request_t *request, mono_ns_t now);
/* BOOTSTRAP_REQUEST or CHANGEFEED_OPEN: a newer epoch is taken over and forgets every ACK. True:
 * answer with dispatcher_set_list_bootstrap. */
bool dispatcher_set_bootstrap(dispatcher_set_t *set, uint64_t maintainer_epoch, mono_ns_t now);
/* Verdicts, then actions. */
bool dispatcher_set_respond(dispatcher_set_t *set, uint64_t maintainer_epoch,
                            const heartbeat_response_t *response, mono_ns_t now);
/* A connection to the maintainer came up: what is unacknowledged is offered at once. */
void dispatcher_set_offer_again(dispatcher_set_t *set, mono_ns_t now);

/* ---- event streams ---- */

/* A HANDSHAKE was accepted for it. */
void dispatcher_set_opened(dispatcher_set_t *set, dispatcher_id_t id, mono_ns_t now);
/* The next event of its stream; references are taken. */
void dispatcher_set_event(dispatcher_set_t *set, stream_event_t *event, mono_ns_t now);
/* An event of that dispatcher comes some events later: what finding it needs is fetched meanwhile.
 */
void dispatcher_set_prefetch(const dispatcher_set_t *set, dispatcher_id_t id);
/* Where it stands; all zero for unknown ids. */
position_t dispatcher_set_position(const dispatcher_set_t *set, dispatcher_id_t id);

/* ---- the sink; answers of an earlier run are ignored ---- */

void dispatcher_set_claimed(dispatcher_set_t *set, dispatcher_id_t id, uint64_t run,
                            sluice_error_t error, commit_ts_t progress, mono_ns_t now);
void dispatcher_set_written(dispatcher_set_t *set, dispatcher_id_t id, uint64_t run, uint32_t count,
                            sluice_error_t error, mono_ns_t now);
void dispatcher_set_executed(dispatcher_set_t *set, dispatcher_id_t id, uint64_t run,
                             sluice_error_t error, mono_ns_t now);

/* ---- all of them ---- */

/* Closes every dispatcher; dispatcher_set_count reaches 0 when all have stopped. */
void dispatcher_set_close_all(dispatcher_set_t *set, mono_ns_t now);
/* Called absent, or the changefeed is removed: stops all without a word more. */
void dispatcher_set_abandon_all(dispatcher_set_t *set, mono_ns_t now);
uint32_t dispatcher_set_count(const dispatcher_set_t *set);

void dispatcher_set_tick(dispatcher_set_t *set, mono_ns_t now);
mono_ns_t dispatcher_set_next_deadline(const dispatcher_set_t *set);

/* ---- telling ---- */

/* Minimum over the dispatchers of that mode; false: it has none. seq grows whenever the set of
 * dispatchers of the mode changes. */
bool dispatcher_set_watermark(const dispatcher_set_t *set, pipeline_t mode, watermark_t *watermark);
/* Entries that must be told at once: new states, and everything the maintainer asked again. Before
 * them, as in every list that goes with a watermark, what has stopped without being asked to by the
 * maintainer of now, until it closes it or another one takes over: the watermark goes on without
 * it, and a message that told it once may have been lost. */
bool dispatcher_set_has_changed(const dispatcher_set_t *set, pipeline_t mode);
uint32_t dispatcher_set_take_changed(dispatcher_set_t *set, pipeline_t mode,
                                     dispatcher_heartbeat_t *entries, uint32_t max);
/* Every dispatcher of a mode, from *cursor (0 at first), which is moved on. */
uint32_t dispatcher_set_list(const dispatcher_set_t *set, pipeline_t mode, uint32_t *cursor,
                             dispatcher_heartbeat_t *entries, uint32_t max);
/* The same for a bootstrap answer, all modes; borrowed until the set changes. */
uint32_t dispatcher_set_list_bootstrap(const dispatcher_set_t *set, uint32_t *cursor,
                                       bootstrap_entry_t *entries, uint32_t max);
/* NULL: no such dispatcher. Valid until the set changes. */
const dispatcher_t *dispatcher_set_find(const dispatcher_set_t *set, dispatcher_id_t id);
/* The trigger of a mode, NULL: not here. */
const dispatcher_t *dispatcher_set_trigger(const dispatcher_set_t *set, pipeline_t mode);
/* The error that the first failed dispatcher ended with; SLUICE_OK: none. */
sluice_error_t dispatcher_set_error(const dispatcher_set_t *set);

#endif
