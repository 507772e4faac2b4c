/*
 * When positions of the log were committed, as far as nodes have told: pairs of a position and its
 * commit_time, so that the time of a checkpoint behind what is read can be found. Bounded; when it
 * is full, pairs go where they are nearest in time, so that the error stays a small part of the
 * distance.
 *
 * Threads: a value, one thread.
 */
#ifndef SLUICE_MAINTAINER_CORE_COMMIT_TIMES_H
#define SLUICE_MAINTAINER_CORE_COMMIT_TIMES_H

#include "common/base/ids.h"
#include "common/base/time.h"

#define COMMIT_TIMES_MAX 128

/* All zero: nothing is known. */
typedef struct {
    struct {
        commit_ts_t ts;
        wall_ms_t time;
    } pairs[COMMIT_TIMES_MAX]; /* ascending */
    uint32_t count;
} commit_times_t;

/* A node has read up to `ts`, committed at `time`; a position that is known or older is ignored. */
void commit_times_add(commit_times_t *times, commit_ts_t ts, wall_ms_t time);

/* The time of the newest known position at or below `ts`, 0 if there is none. Those before it are
 * forgotten, so that `ts` must not go back. */
wall_ms_t commit_times_reach(commit_times_t *times, commit_ts_t ts);

#endif
