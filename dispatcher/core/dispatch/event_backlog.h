/*
 * Events that a dispatcher cannot take in yet because it stands at a gate, in order. Bounded by the
 * credit of its session. RESOLVED events that follow each other are one.
 *
 * Threads: one at a time.
 */
#ifndef SLUICE_DISPATCHER_CORE_DISPATCH_EVENT_BACKLOG_H
#define SLUICE_DISPATCHER_CORE_DISPATCH_EVENT_BACKLOG_H

#include "dispatcher/core/stream.h"

/* All zero is empty. */
typedef struct {
    stream_event_t *events;
    uint32_t first, count, capacity;
} event_backlog_t;

/* Moves the event in: its references are taken, *event keeps none. */
void event_backlog_push(event_backlog_t *backlog, stream_event_t *event);
/* Moves the oldest out; false: empty. */
bool event_backlog_pop(event_backlog_t *backlog, stream_event_t *event);
/* Drops everything, frees the memory. */
void event_backlog_clear(event_backlog_t *backlog);

#endif
