/*
 * The meta store of the simulation: what it has taken is durable, what a maintainer was about to
 * write when it died is not. Several maintainers may use it; who took over last owns it, and what
 * an earlier owner writes is refused.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_SIM_META_STORE_H
#define SLUICE_TESTS_SIM_META_STORE_H

#include "maintainer/core/effects.h"
#include "tests/sim/world_internal.h"

typedef struct {
    node_id_t node;
    uint32_t slot;
} sim_slot_t;

sim_store_t *sim_store_new(sim_world_t *world);
void sim_store_destroy(sim_store_t **store);

/* Makes the caller the owner under the token returned, raises every epoch, and gives what is
 * stored; in the arena. 0: the store is not there. */
uint64_t sim_store_take_over(sim_store_t *store, uint64_t epoch_min, arena_t *arena,
                             stored_changefeed_t **list, uint32_t *count, sim_slot_t **slots,
                             uint32_t *slot_count);

bool sim_store_is_write(effect_kind_t kind);
/* Makes writes durable together; `errors[i]` is each one's outcome. Nothing of them is durable if
 * the process dies at SIM_PERSISTING. */
void sim_store_write(sim_store_t *store, sim_process_t *process, uint64_t owner,
                     const effect_t *effects, size_t count, sluice_error_t *errors);
/* Of the newest take-over. */
uint64_t sim_store_owner(const sim_store_t *store);
bool sim_store_confirm(const sim_store_t *store, uint64_t owner);

/* What a CHANGEFEED_OPEN carries: newest snapshot at or below `at` and the DDLs up to it. In the
 * arena; false: not there. */
bool sim_store_load_open(const sim_store_t *store, const changefeed_ref_t *ref, commit_ts_t at,
                         arena_t *arena, changefeed_open_t *open);

/* Whether a node can go from what is stored to `anchor`: a snapshot at or below it, and the DDL at
 * `ddl` if it lies between. */
bool sim_store_leads_to(const sim_store_t *store, const changefeed_ref_t *ref, commit_ts_t anchor,
                        commit_ts_t ddl);

/* Not there until told otherwise: writes fail, nobody takes over, nothing is confirmed. */
void sim_store_set_gone(sim_store_t *store, bool is_gone);

/* The changefeed of that name; NULL: none. For checkers. */
const stored_changefeed_t *sim_store_find(const sim_store_t *store, bytes_t name);

#endif
