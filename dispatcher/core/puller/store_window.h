/*
 * The requests of one store: which of them its catch-up streams carry, and which wait.
 *
 * A stream reads the log once, upwards, so it carries any number of requests, as long as each
 * starts at or above the place where the stream then is. Only so many streams are open at a time;
 * requests of high priority may use some more, so that what has just begun does not wait behind
 * what is far back. High goes before normal before low, first come first served inside; whoever can
 * ride on a stream that is open anyway never waits. A stream begins at the lowest start among the
 * waiting of the priority that opens it. A place is free again when the last request of its stream
 * has left.
 *
 * Threads: one owner.
 */
#ifndef SLUICE_DISPATCHER_CORE_PULLER_STORE_WINDOW_H
#define SLUICE_DISPATCHER_CORE_PULLER_STORE_WINDOW_H

#include "common/base/ids.h"
#include "dispatcher/core/puller/pull_priority.h"

typedef struct window_stream window_stream_t;
typedef struct window_request window_request_t;

/* Embedded in what is requested; all zero: nowhere. */
struct window_request {
    commit_ts_t start; /* everything above it is wanted */
    pull_priority_t priority;
    window_stream_t *stream; /* NULL: waits, or nowhere */
    bool is_in, is_sent;
    window_request_t *before, *after; /* among those that wait, or of the stream */
};

typedef struct {
    window_request_t *first, *last;
} window_list_t;

struct window_stream {
    uint64_t number; /* unique, never 0 */
    commit_ts_t from;
    commit_ts_t read; /* requests that start at or above it may ride */
    window_list_t unsent, sent;
    window_stream_t *after;
};

typedef struct {
    uint32_t streams_max;     /* of any priority */
    uint32_t high_multiplier; /* requests of high priority: so many times as many */
    uint32_t stream_count;
    uint32_t waiting; /* requests */
    window_list_t queues[PULL_PRIORITY_COUNT];
    window_stream_t *streams;
} store_window_t;

/* Both limits at least 1. */
void store_window_init(store_window_t *window, uint32_t streams_max, uint32_t high_multiplier);
void store_window_clear(store_window_t *window);

/* Takes a request in; false: it is in already, and nothing has changed. start and priority are set.
 * Borrowed until it leaves. */
bool store_window_submit(store_window_t *window, window_request_t *request);

/* The next request to send, which has its stream then; NULL: none for now. `number` becomes that of
 * a stream that has to be opened first (*is_new). */
window_request_t *store_window_pop(store_window_t *window, uint64_t number, bool *is_new);

/* The request is over, whether it was sent or not; nothing if it is not in. Returns the number of
 * the stream that nobody needs any more and that is closed with it; 0: none. */
uint64_t store_window_leave(store_window_t *window, window_request_t *request);

/* NULL: no such stream. */
window_stream_t *store_window_find(const store_window_t *window, uint64_t number);

/* Where the stream is: requests that start at or above `read` may ride. Those that wait are looked
 * at again if that is lower than said before (it could only be opened further back), and those that
 * were not sent in time wait again if it is higher. Returns as store_window_leave. */
uint64_t store_window_progress(store_window_t *window, window_stream_t *stream, commit_ts_t read);

/* The next request that waits; NULL: none. For taking all of them back. */
window_request_t *store_window_first_waiting(const store_window_t *window);
/* The next one of a stream; NULL: none. */
static inline window_request_t *window_stream_first(const window_stream_t *stream)
{
    return stream->sent.first ? stream->sent.first : stream->unsent.first;
}

#endif
