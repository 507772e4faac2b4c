#include "dispatcher/core/dispatch/event_backlog.h"

#include <stdlib.h>

#include "common/base/memory.h"

static stream_event_t *at(event_backlog_t *backlog, uint32_t index)
{
    return &backlog->events[(backlog->first + index) & (backlog->capacity - 1)];
}

static void grow(event_backlog_t *backlog)
{
    uint32_t capacity = backlog->capacity ? backlog->capacity * 2 : 4;
    stream_event_t *events = memory_alloc(capacity * sizeof *events);
    for (uint32_t i = 0; i < backlog->count; i++)
        events[i] = *at(backlog, i);
    free(backlog->events);
    backlog->events = events;
    backlog->first = 0;
    backlog->capacity = capacity;
}

void event_backlog_push(event_backlog_t *backlog, stream_event_t *event)
{
    if (event->kind == STREAM_RESOLVED && backlog->count > 0) {
        stream_event_t *last = at(backlog, backlog->count - 1);
        if (last->kind == STREAM_RESOLVED) {
            if (last->commit_ts.v < event->commit_ts.v)
                *last = *event;
            return;
        }
    }
    if (backlog->count == backlog->capacity)
        grow(backlog);
    *at(backlog, backlog->count++) = *event;
    event->transaction = NULL;
    event->rows = NULL;
    event->ddl = NULL;
}

bool event_backlog_pop(event_backlog_t *backlog, stream_event_t *event)
{
    if (backlog->count == 0)
        return false;
    *event = *at(backlog, 0);
    backlog->first = (backlog->first + 1) & (backlog->capacity - 1);
    if (--backlog->count == 0) {
        /* Gates are rare: an idle dispatcher keeps no memory for them. */
        free(backlog->events);
        *backlog = (event_backlog_t){0};
    }
    return true;
}

void event_backlog_clear(event_backlog_t *backlog)
{
    stream_event_t event;
    while (event_backlog_pop(backlog, &event))
        stream_event_clear(&event);
}
