/*
 * The anchors a reader has come by, so that the newest at or below any commit_ts can be named. At
 * its limit every second one is given up: anchors lie closer together near the end.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_ANCHOR_LIST_H
#define SLUICE_DISPATCHER_CORE_ANCHOR_LIST_H

#include "common/model/anchor.h"

#define ANCHOR_LIST_MAX 512

/* A value; all zero is an empty list. */
typedef struct {
    anchor_t *anchors; /* ascending by commit_ts */
    uint32_t count;
} anchor_list_t;

void anchor_list_clear(anchor_list_t *list);

/* Adds behind the newest; one that is not above it is ignored. Copied. */
void anchor_list_add(anchor_list_t *list, const anchor_t *anchor);

/* The newest at or below `ts`; NULL: none. Borrowed until the next change. */
const anchor_t *anchor_list_find(const anchor_list_t *list, commit_ts_t ts);

/* Nobody asks below `ts` any more: forgets all but the newest at or below it. */
void anchor_list_forget(anchor_list_t *list, commit_ts_t ts);

#endif
