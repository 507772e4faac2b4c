#include "dispatcher/core/puller/source_failure.h"

static source_failure_t of_conflict(source_conflicts_t *conflicts, uint64_t conflict_ns,
                                    mono_ns_t now)
{
    bool is_second =
        conflicts->had_conflict && mono_elapsed(conflicts->conflict_at, now) < conflict_ns;
    conflicts->had_conflict = true;
    conflicts->conflict_at = now;
    return is_second ? SOURCE_FAILURE_SERVER : SOURCE_FAILURE_LOAD;
}

source_failure_t source_failure_of(source_conflicts_t *conflicts, uint64_t conflict_ns,
                                   sluice_error_t error, mono_ns_t now)
{
    switch ((int)error) {
    case SLUICE_ERROR_SOURCE_SERVER_ID:
        return of_conflict(conflicts, conflict_ns, now);
    case SLUICE_ERROR_SOURCE_CONNECTION:
    case SLUICE_ERROR_TIMEOUT:
        return SOURCE_FAILURE_CONNECTION;
    case SLUICE_ERROR_SOURCE_PURGED:
    case SLUICE_ERROR_SOURCE_DIVERGED:
    case SLUICE_ERROR_SOURCE_CREDENTIALS:
    case SLUICE_ERROR_SOURCE_PRIVILEGE:
    case SLUICE_ERROR_SOURCE_SETTINGS:
    case SLUICE_ERROR_SOURCE_CORRUPT:
        return SOURCE_FAILURE_SERVER;
    default:
        return sluice_error_is_retriable(error) ? SOURCE_FAILURE_LOAD : SOURCE_FAILURE_LOG;
    }
}
