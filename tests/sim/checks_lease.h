/*
 * The lease once more, from outside (ORACLE F2): from which heartbeat of a node a maintainer has
 * answered follows until when it may start a write.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_CHECKS_LEASE_H
#define SLUICE_TESTS_SIM_CHECKS_LEASE_H

#include "tests/sim/world_internal.h"

enum { SIM_BEATS_MAX = 512 };

typedef struct {
    uint64_t life, incarnation;
    mono_ns_t sent_at[SIM_BEATS_MAX]; /* by heartbeat_sequence, by the node's clock */
    mono_ns_t until;
} sim_lease_t;

/* A value; all zero at first. */
typedef struct {
    sim_lease_t leases[SIM_NODES_MAX];
} sim_lease_check_t;

void sim_lease_check_sent(sim_lease_check_t *check, const sim_process_t *node,
                          const message_t *message);
void sim_lease_check_answered(sim_lease_check_t *check, const sim_process_t *node,
                              uint64_t sequence);
/* The sink has got a write of the node, which may be dead by now. */
void sim_lease_check_write(sim_lease_check_t *check, const sim_process_t *node);

#endif
