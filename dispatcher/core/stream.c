#include "dispatcher/core/stream.h"

void stream_event_clear(stream_event_t *event)
{
    transaction_unref(&event->transaction);
    ddl_event_unref(&event->ddl);
    event->rows = NULL;
}
