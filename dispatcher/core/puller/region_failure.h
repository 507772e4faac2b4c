/*
 * Why a region could not be served, or no longer is, and what is done about it: the table of DESIGN
 * §6, log puller.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_REGION_FAILURE_H
#define SLUICE_DISPATCHER_CORE_PULLER_REGION_FAILURE_H

#include <stdint.h>

#include "common/base/error.h"

typedef enum {
    REGION_NOT_LEADER, /* the store does not serve it, or not yet; `leader` does, if that is known
                        */
    REGION_EPOCH_NOT_MATCH, /* it was redefined or moved */
    REGION_NOT_FOUND,
    REGION_NO_ROUTE,      /* nobody is known to serve it */
    REGION_BUSY,          /* not before the hint */
    REGION_CONGESTED,     /* likewise */
    REGION_STREAM_FAILED, /* connection or stream */
    REGION_UNCLASSIFIED,
    REGION_STOPPED, /* its subscription is over */
    REGION_FATAL    /* trying again mends nothing: the changefeed fails with `error` */
} region_failure_kind_t;

#define REGION_LEADER_UNKNOWN UINT32_MAX

typedef struct {
    region_failure_kind_t kind;
    uint32_t leader;      /* NOT_LEADER: a store's number, or REGION_LEADER_UNKNOWN */
    uint64_t hint_ms;     /* BUSY, CONGESTED: the store's wish; any number */
    sluice_error_t error; /* FATAL */
} region_failure_t;

typedef enum {
    REGION_RETRY,         /* the region, there or at its new leader */
    REGION_RELOAD,        /* its range is located again */
    REGION_STORE_FAILURE, /* the store cools down, the region is tried again */
    REGION_FORGET,
    REGION_FAIL_CHANGEFEED
} region_action_t;

/* A leader's number of `store_count` or more is as good as unknown. */
region_action_t region_failure_action(const region_failure_t *failure, uint32_t store_count);

#endif
