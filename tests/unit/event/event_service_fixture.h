/*
 * What the tests of the event service share: a service fed by hand, requests of dispatchers, and
 * what it has sent to each.
 *
 * Threads: one.
 */
#ifndef SLUICE_TESTS_UNIT_EVENT_EVENT_SERVICE_FIXTURE_H
#define SLUICE_TESTS_UNIT_EVENT_EVENT_SERVICE_FIXTURE_H

#include "tests/testing.h"

#include <stdio.h>

#include "dispatcher/core/event_service.h"
#include "tests/unit/event/feed_builder.h"

#define EVENTS_MAX 65536
#define CREDIT_PLENTY (UINT64_C(1) << 40)
#define BASE 100

typedef struct {
    event_service_t *service;
    mono_ns_t now;
    stream_event_t *events;
    uint32_t count, looked_at;
} fixture_t;

static inline fixture_t begin_with(uint64_t tail_bytes_max, uint64_t catch_up_bytes_max)
{
    fixture_t f = {.now = {NS_PER_S}, .events = calloc(EVENTS_MAX, sizeof *f.events)};
    event_service_options_t options = event_service_options_default((commit_ts_t){BASE});
    options.tail_bytes_max = tail_bytes_max;
    options.catch_up_bytes_max = catch_up_bytes_max;
    f.service = event_service_new(&options, f.now);
    return f;
}

static inline fixture_t begin(void)
{
    return begin_with(EVENT_SERVICE_TAIL_BYTES_MAX, EVENT_SERVICE_CATCH_UP_BYTES_MAX);
}

static inline void forget_events(fixture_t *f)
{
    for (uint32_t i = 0; i < f->count; i++)
        stream_event_clear(&f->events[i]);
    f->count = 0;
    f->looked_at = 0;
}

static inline void end(fixture_t *f)
{
    forget_events(f);
    free(f->events);
    event_service_destroy(&f->service);
}

/* Everything there is to say now, and RESOLVED of the next sweep. */
static inline void run(fixture_t *f)
{
    forget_events(f);
    f->now = mono_add(f->now, 2 * NS_PER_S);
    uint32_t taken;
    do {
        taken = event_service_take(f->service, f->events + f->count, 100, f->now);
        f->count += taken;
    } while (taken && f->count + 100 < EVENTS_MAX);
}

static inline dispatcher_id_t id_of(uint64_t number)
{
    return (dispatcher_id_t){3, number};
}

static inline void request(fixture_t *f, stream_request_t what)
{
    event_service_request(f->service, &what, f->now);
}

static inline void reset_at(fixture_t *f, uint64_t number, uint64_t epoch, position_t position,
                            uint64_t credit)
{
    request(f, (stream_request_t){.kind = STREAM_RESET,
                                  .dispatcher_id = id_of(number),
                                  .epoch = epoch,
                                  .position = position,
                                  .credit_bytes = credit});
}

static inline void register_table(fixture_t *f, uint64_t number, uint64_t table, uint64_t created)
{
    request(f, (stream_request_t){.kind = STREAM_REGISTER,
                                  .dispatcher_id = id_of(number),
                                  .span = {.table_id = {table}},
                                  .created = {created}});
}

/* A dispatcher `number` of table `number` (0: the trigger) that has everything up to `checkpoint`.
 */
static inline void open_stream(fixture_t *f, uint64_t number, uint64_t checkpoint)
{
    register_table(f, number, number, 0);
    reset_at(f, number, 1, (position_t){{checkpoint}, {{checkpoint}, true}}, CREDIT_PLENTY);
}

static inline void flushed(fixture_t *f, uint64_t number, uint64_t checkpoint)
{
    request(f, (stream_request_t){.kind = STREAM_HEARTBEAT,
                                  .dispatcher_id = id_of(number),
                                  .epoch = 1,
                                  .position = {.checkpoint = {checkpoint}}});
}

static inline void append(fixture_t *f, feed_item_t item)
{
    event_service_append(f->service, &item);
}

#define ROUND 7

static inline void catch_up(fixture_t *f, feed_item_t item)
{
    event_service_catch_up_append(f->service, ROUND, &item);
}

/* What has happened to this dispatcher next, others passed over; false: nothing. */
static inline bool next_note(fixture_t *f, uint64_t number, catch_up_note_t *note)
{
    while (event_service_take_note(f->service, note))
        if (dispatcher_id_equal(note->dispatcher_id, id_of(number)))
            return true;
    return false;
}

/* The dispatcher waits, and a round above `from` takes it in. */
static inline void begin_round(fixture_t *f, uint64_t number, uint64_t from)
{
    event_service_catch_up_begin(f->service, ROUND, (commit_ts_t){from});
    assert_true(event_service_catch_up_admit(f->service, ROUND, id_of(number), number));
}

/* The next event of one dispatcher among those taken; others are passed over. */
static inline const stream_event_t *next_of(fixture_t *f, uint64_t number, uint32_t *at)
{
    while (*at < f->count) {
        const stream_event_t *event = &f->events[(*at)++];
        if (dispatcher_id_equal(event->dispatcher_id, id_of(number)))
            return event;
    }
    return NULL;
}

static const char letters[] = {
    [STREAM_READY] = 'r',    [STREAM_NOT_REUSABLE] = 'n', [STREAM_REMOVED] = 'x',
    [STREAM_NOT_HELD] = 'h', [STREAM_DROP] = 'd',         [STREAM_HANDSHAKE] = 'H',
    [STREAM_ROWS] = 'R',     [STREAM_DDL] = 'D',          [STREAM_SYNCPOINT] = 'S',
    [STREAM_RESOLVED] = '=',
};

/* What one dispatcher was sent: "r H101 R103 =105". Checks the numbers of the stream on the way. */
static inline void assert_sent(fixture_t *f, uint64_t number, uint64_t sequence,
                               const char *expected)
{
    char text[4096] = "";
    size_t len = 0;
    uint32_t at = 0;
    const stream_event_t *event;
    while ((event = next_of(f, number, &at))) {
        if (event->kind >= STREAM_HANDSHAKE) {
            if (event->kind != STREAM_RESOLVED)
                sequence++;
            assert_int_equal(event->sequence, sequence);
        }
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%c", len ? " " : "",
                                letters[event->kind]);
        if (event->kind >= STREAM_HANDSHAKE)
            len += (size_t)snprintf(text + len, sizeof text - len, "%lu",
                                    (unsigned long)event->commit_ts.v);
    }
    assert_string_equal(text, expected);
}

#endif
