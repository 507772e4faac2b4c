#include "dispatcher/core/puller/region_failure.h"

region_action_t region_failure_action(const region_failure_t *failure, uint32_t store_count)
{
    switch (failure->kind) {
    case REGION_NOT_LEADER:
        return failure->leader < store_count ? REGION_RETRY : REGION_RELOAD;
    case REGION_EPOCH_NOT_MATCH:
    case REGION_NOT_FOUND:
    case REGION_NO_ROUTE:
        return REGION_RELOAD;
    case REGION_BUSY:
    case REGION_CONGESTED:
        return REGION_RETRY;
    case REGION_STREAM_FAILED:
    case REGION_UNCLASSIFIED:
        return REGION_STORE_FAILURE;
    case REGION_STOPPED:
        return REGION_FORGET;
    case REGION_FATAL:
        return REGION_FAIL_CHANGEFEED;
    }
    return REGION_STORE_FAILURE;
}
