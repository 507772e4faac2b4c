/*
 * The node's side of the lease (DESIGN §5): no write is started later than the lease after the
 * newest heartbeat that was answered had been sent. One for each maintainer endpoint.
 *
 * Threads: a value, one thread.
 */
#ifndef SLUICE_DISPATCHER_CORE_NODE_NODE_LEASE_H
#define SLUICE_DISPATCHER_CORE_NODE_NODE_LEASE_H

#include "common/base/time.h"

/* Heartbeats that may be unanswered at a time; of older ones no answer is understood. */
#define NODE_LEASE_MARKS 256

/* All zero: no lease. */
typedef struct {
    struct {
        uint64_t sequence;
        mono_ns_t sent_at;
    } marks[NODE_LEASE_MARKS];
    uint64_t newest;   /* sequence sent last */
    uint64_t answered; /* newest sequence answered */
    mono_ns_t answered_sent_at;
    uint64_t length_ns;
} node_lease_t;

void node_lease_set_length(node_lease_t *lease, uint64_t length_ns);
/* Heartbeat `sequence` (rising, never 0) was sent. */
void node_lease_sent(node_lease_t *lease, uint64_t sequence, mono_ns_t now);
/* The maintainer has received heartbeat `sequence`; unknown and older ones change nothing. */
void node_lease_answered(node_lease_t *lease, uint64_t sequence);
/* Writes may be started before this; 0: none. */
mono_ns_t node_lease_until(const node_lease_t *lease);

#endif
