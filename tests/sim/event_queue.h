/*
 * Events to come, in the order of their time; those of one time in the order in which they were
 * put in.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_EVENT_QUEUE_H
#define SLUICE_TESTS_SIM_EVENT_QUEUE_H

#include <stddef.h>

#include "tests/sim/world.h"

typedef struct {
    mono_ns_t due;
    uint64_t number; /* order of putting in */
    sim_process_t *process;
    uint64_t life;        /* of the process */
    sim_action_t *action; /* NULL: forgotten */
    void *context;
    uint64_t argument;
} sim_event_t;

/* All zero is an empty queue. */
typedef struct {
    sim_event_t *heap;
    size_t count, capacity;
    uint64_t put;
} sim_event_queue_t;

/* Sets the event's number. */
void sim_event_queue_put(sim_event_queue_t *queue, sim_event_t event);
/* NULL: none. Valid until the next call. */
const sim_event_t *sim_event_queue_first(const sim_event_queue_t *queue);
sim_event_t sim_event_queue_take(sim_event_queue_t *queue);
/* Events with this context do nothing when they come. */
void sim_event_queue_forget(sim_event_queue_t *queue, const void *context);
void sim_event_queue_clear(sim_event_queue_t *queue);

#endif
