#include "dispatcher/core/node/node_lease.h"

void node_lease_set_length(node_lease_t *lease, uint64_t length_ns)
{
    lease->length_ns = length_ns;
}

void node_lease_sent(node_lease_t *lease, uint64_t sequence, mono_ns_t now)
{
    if (sequence <= lease->newest)
        return;
    lease->newest = sequence;
    lease->marks[sequence % NODE_LEASE_MARKS].sequence = sequence;
    lease->marks[sequence % NODE_LEASE_MARKS].sent_at = now;
}

void node_lease_answered(node_lease_t *lease, uint64_t sequence)
{
    if (sequence <= lease->answered ||
        lease->marks[sequence % NODE_LEASE_MARKS].sequence != sequence)
        return;
    lease->answered = sequence;
    lease->answered_sent_at = lease->marks[sequence % NODE_LEASE_MARKS].sent_at;
}

mono_ns_t node_lease_until(const node_lease_t *lease)
{
    if (lease->answered == 0)
        return (mono_ns_t){0};
    return mono_add(lease->answered_sent_at, lease->length_ns);
}
