/*
 * The first step of every transaction that writes rows: move the progress of its spans, which locks
 * their progress rows and proves that the spans are ours (DESIGN §5, Fencing). One statement for
 * all of them.
 *
 * Threads: that of its session.
 */
#ifndef SLUICE_DISPATCHER_SINK_MARIADB_PROGRESS_H
#define SLUICE_DISPATCHER_SINK_MARIADB_PROGRESS_H

#include "dispatcher/sink/mariadb/claim.h"

typedef struct mariadb_progress mariadb_progress_t;

/* Borrows `owner` until the end. */
mariadb_progress_t *mariadb_progress_new(const mariadb_owner_t *owner);
void mariadb_progress_destroy(mariadb_progress_t **progress);

/* Within the open transaction. `all_ours`: every row matched; if not, the caller rolls back and
 * asks mariadb_progress_decide. Waits for rows that a dead connection holds, after rolling back and
 * beginning anew. */
sluice_error_t mariadb_progress_advance(mariadb_progress_t *progress,
                                        const sink_write_t *const *writes, uint32_t count,
                                        arena_t *arena, bool *all_ours,
                                        error_report_t *report) SLUICE_MUST_USE;

typedef enum {
    WRITE_OPEN,      /* still to be written */
    WRITE_COMMITTED, /* its progress is there: an earlier try whose answer was lost */
    WRITE_NOT_OURS
} write_state_t;

/* Reads, outside of a transaction, what became of one write. */
sluice_error_t mariadb_progress_decide(mariadb_progress_t *progress, const sink_write_t *write,
                                       write_state_t *state,
                                       error_report_t *report) SLUICE_MUST_USE;

#endif
