/*
 * The last thing of a stream that was let through, so that nothing is let through twice, whatever
 * is sent again after a reset. At one commit_ts the order is DDL, rows (perhaps in parts, the same
 * ones every time until the last has been let through), sync point.
 *
 * Threads: a value.
 */
#ifndef SLUICE_DISPATCHER_CORE_FORWARDED_H
#define SLUICE_DISPATCHER_CORE_FORWARDED_H

#include "common/base/ids.h"

typedef enum {
    FORWARDED_NOTHING,
    FORWARDED_DDL,
    FORWARDED_ROWS,
    FORWARDED_SYNCPOINT
} forwarded_phase_t;

#define FORWARDED_ALL_PARTS UINT32_MAX

typedef struct {
    commit_ts_t commit_ts;
    forwarded_phase_t phase;
    uint32_t parts;         /* row events let through at commit_ts; FORWARDED_ALL_PARTS: all */
    uint32_t parts_to_skip; /* of these, still expected again since the last reset */
} forwarded_t;

/* Everything up to the position counts as let through; the sync point at its checkpoint only if it
 * was passed. */
void forwarded_init(forwarded_t *forwarded, position_t start);

/* The stream begins again somewhere at or before here. */
void forwarded_reset(forwarded_t *forwarded);

/* Whether this one is new; then it is noted. `phase` is DDL or SYNCPOINT. */
bool forwarded_admit(forwarded_t *forwarded, commit_ts_t commit_ts, forwarded_phase_t phase);
/* `is_last`: no further part of this transaction has rows for this stream, however the reader that
 * is behind the stream next cuts it. */
bool forwarded_admit_rows(forwarded_t *forwarded, commit_ts_t commit_ts, bool is_last);

/* Whether some parts of its rows were let through and not all: only a reader that cuts the
 * transaction alike can go on with it. */
bool forwarded_is_inside(const forwarded_t *forwarded, commit_ts_t commit_ts);

/* Everything up to commit_ts was sent, but a sync point at it may still follow. */
void forwarded_note_resolved(forwarded_t *forwarded, commit_ts_t commit_ts);

#endif
