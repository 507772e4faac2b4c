/*
 * Stream events on their way from the service thread to the protocol thread, with a file
 * descriptor that is readable while there are any.
 *
 * Threads: one puts, one takes.
 */
#ifndef SLUICE_DISPATCHER_SHELL_STREAM_RING_H
#define SLUICE_DISPATCHER_SHELL_STREAM_RING_H

#include "common/base/error.h"
#include "dispatcher/core/stream.h"

typedef struct stream_ring stream_ring_t;

#define STREAM_RING_EVENTS_MAX 8192

/* `on_room` is called by the taker when there was too little room before and there is more again.
 */
sluice_error_t stream_ring_new(void (*on_room)(void *context), void *context,
                               stream_ring_t **ring) SLUICE_MUST_USE;
void stream_ring_destroy(stream_ring_t **ring);

/* How many can be put; fewer than `wanted` arms on_room. */
uint32_t stream_ring_room(stream_ring_t *ring, uint32_t wanted);
/* At most as many as there is room for; the events are the ring's afterwards. */
void stream_ring_put(stream_ring_t *ring, const stream_event_t *events, uint32_t count);

int stream_ring_fd(const stream_ring_t *ring);
uint32_t stream_ring_take(stream_ring_t *ring, stream_event_t *events, uint32_t max);

#endif
