#include "dispatcher/core/puller/store_window.h"

#include <stdlib.h>

#include "common/base/memory.h"

void store_window_init(store_window_t *window, uint32_t streams_max, uint32_t high_multiplier)
{
    *window = (store_window_t){.streams_max = streams_max, .high_multiplier = high_multiplier};
}

void store_window_clear(store_window_t *window)
{
    for (window_stream_t *stream = window->streams, *next; stream; stream = next) {
        next = stream->after;
        free(stream);
    }
    *window = (store_window_t){0};
}

static void append(window_list_t *list, window_request_t *request)
{
    request->before = list->last;
    request->after = NULL;
    *(list->last ? &list->last->after : &list->first) = request;
    list->last = request;
}

static void take_out(window_list_t *list, window_request_t *request)
{
    *(request->before ? &request->before->after : &list->first) = request->after;
    *(request->after ? &request->after->before : &list->last) = request->before;
    request->before = request->after = NULL;
}

static void ride(window_stream_t *stream, window_request_t *request)
{
    request->stream = stream;
    append(&stream->unsent, request);
}

bool store_window_submit(store_window_t *window, window_request_t *request)
{
    if (request->is_in)
        return false;
    request->is_in = true;
    request->is_sent = false;
    request->stream = NULL;
    for (window_stream_t *stream = window->streams; stream; stream = stream->after) {
        if (request->start.v >= stream->read.v) {
            ride(stream, request);
            return true;
        }
    }
    append(&window->queues[request->priority], request);
    window->waiting++;
    return true;
}

static commit_ts_t lowest_start(const window_list_t *queue)
{
    commit_ts_t lowest = COMMIT_TS_MAX;
    for (const window_request_t *at = queue->first; at; at = at->after) {
        if (at->start.v < lowest.v)
            lowest = at->start;
    }
    return lowest;
}

/* Everybody who waits and can, of whatever priority, rides along. */
static void take_along(store_window_t *window, window_stream_t *stream)
{
    for (int priority = 0; priority < PULL_PRIORITY_COUNT; priority++) {
        window_list_t *queue = &window->queues[priority];
        for (window_request_t *at = queue->first, *next; at; at = next) {
            next = at->after;
            if (at->start.v < stream->read.v)
                continue;
            take_out(queue, at);
            window->waiting--;
            ride(stream, at);
        }
    }
}

static window_stream_t *open_stream(store_window_t *window, uint64_t number)
{
    int priority = 0;
    while (priority < PULL_PRIORITY_COUNT && !window->queues[priority].first)
        priority++;
    uint32_t max = window->streams_max * (priority == PULL_HIGH ? window->high_multiplier : 1);
    if (priority == PULL_PRIORITY_COUNT || window->stream_count >= max)
        return NULL;
    window_stream_t *stream = memory_zalloc(sizeof *stream);
    stream->number = number;
    stream->from = stream->read = lowest_start(&window->queues[priority]);
    stream->after = window->streams;
    window->streams = stream;
    window->stream_count++;
    take_along(window, stream);
    return stream;
}

static window_stream_t *with_unsent(const store_window_t *window)
{
    window_stream_t *stream = window->streams;
    while (stream && !stream->unsent.first)
        stream = stream->after;
    return stream;
}

window_request_t *store_window_pop(store_window_t *window, uint64_t number, bool *is_new)
{
    window_stream_t *stream = with_unsent(window);
    *is_new = false;
    if (!stream) {
        stream = open_stream(window, number);
        if (!stream)
            return NULL;
        *is_new = true;
    }
    window_request_t *request = stream->unsent.first;
    take_out(&stream->unsent, request);
    append(&stream->sent, request);
    request->is_sent = true;
    return request;
}

static uint64_t close_if_empty(store_window_t *window, window_stream_t *stream)
{
    if (window_stream_first(stream))
        return 0;
    window_stream_t **at = &window->streams;
    while (*at != stream)
        at = &(*at)->after;
    *at = stream->after;
    window->stream_count--;
    uint64_t number = stream->number;
    free(stream);
    return number;
}

uint64_t store_window_leave(store_window_t *window, window_request_t *request)
{
    if (!request->is_in)
        return 0;
    window_stream_t *stream = request->stream;
    request->is_in = false;
    request->stream = NULL;
    if (!stream) {
        take_out(&window->queues[request->priority], request);
        window->waiting--;
        return 0;
    }
    take_out(request->is_sent ? &stream->sent : &stream->unsent, request);
    return close_if_empty(window, stream);
}

window_stream_t *store_window_find(const store_window_t *window, uint64_t number)
{
    window_stream_t *stream = window->streams;
    while (stream && stream->number != number)
        stream = stream->after;
    return stream;
}

static void leave_behind(store_window_t *window, window_stream_t *stream)
{
    for (window_request_t *at = stream->unsent.first, *next; at; at = next) {
        next = at->after;
        if (at->start.v >= stream->read.v)
            continue;
        take_out(&stream->unsent, at);
        at->stream = NULL;
        append(&window->queues[at->priority], at);
        window->waiting++;
    }
}

uint64_t store_window_progress(store_window_t *window, window_stream_t *stream, commit_ts_t read)
{
    bool is_lower = read.v < stream->read.v;
    stream->read = read;
    if (is_lower)
        take_along(window, stream);
    else
        leave_behind(window, stream);
    return close_if_empty(window, stream);
}

window_request_t *store_window_first_waiting(const store_window_t *window)
{
    for (int priority = 0; priority < PULL_PRIORITY_COUNT; priority++) {
        if (window->queues[priority].first)
            return window->queues[priority].first;
    }
    return NULL;
}
