#include "tests/sim/checks_lease.h"

static sim_lease_t *lease_of(sim_lease_check_t *check, const sim_process_t *node)
{
    sim_lease_t *lease = &check->leases[sim_process_index(node)];
    if (lease->life != sim_process_life(node))
        *lease = (sim_lease_t){.life = sim_process_life(node)};
    return lease;
}

void sim_lease_check_sent(sim_lease_check_t *check, const sim_process_t *node,
                          const message_t *message)
{
    sim_lease_t *lease = lease_of(check, node);
    uint64_t incarnation = message->header.incarnation.v;
    if (lease->incarnation != incarnation)
        *lease =
            (sim_lease_t){.life = lease->life, .incarnation = incarnation, .until = lease->until};
    mono_ns_t *sent_at =
        &lease->sent_at[message->heartbeat_request.heartbeat_sequence % SIM_BEATS_MAX];
    *sent_at = sim_process_now(node);
}

void sim_lease_check_answered(sim_lease_check_t *check, const sim_process_t *node,
                              uint64_t sequence)
{
    sim_lease_t *lease = lease_of(check, node);
    mono_ns_t until =
        mono_add(lease->sent_at[sequence % SIM_BEATS_MAX], node->world->settings.lease_ns);
    if (lease->sent_at[sequence % SIM_BEATS_MAX].v && until.v > lease->until.v)
        lease->until = until;
}

/* F2: no write is started when the lease has ended. What is seen here is at the server, some calls
 * later. */
void sim_lease_check_write(sim_lease_check_t *check, const sim_process_t *node)
{
    if (!node)
        return;
    sim_world_t *world = node->world;
    uint64_t on_its_way_ns = 20 * world->rates.sink_delay_max_ns + 200 * NS_PER_MS;
    if (!sim_process_is_running(node) || node->continued_at.v == 0)
        return;
    const sim_lease_t *lease = lease_of(check, node);
    mono_ns_t end = mono_add(lease->until, on_its_way_ns);
    if (mono_elapsed(node->continued_at, world->now) > on_its_way_ns && lease->incarnation &&
        sim_process_now(node).v > end.v)
        sim_violated(world, "F2", "%s writes %.3f s after its lease has ended",
                     sim_process_name(node),
                     (double)mono_elapsed(lease->until, sim_process_now(node)) / 1e9);
}
