#include "dispatcher/core/stream.h"

void stream_event_clear(stream_event_t *event)
{
    transaction_unref(&event->transaction);
    ddl_event_unref(&event->ddl);
    event->rows = NULL;
}

/* Beside the bytes of the log: queue slots and the parts of a transaction that are not counted. */
#define STREAM_EVENT_OVERHEAD 128

uint64_t stream_event_cost(const stream_event_t *event)
{
    if (event->rows)
        return event->rows->bytes + STREAM_EVENT_OVERHEAD;
    if (event->ddl)
        return event->ddl->sql.len + STREAM_EVENT_OVERHEAD;
    return 0;
}
