#include "tests/testing.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>

#include "dispatcher/shell/service_actor.h"
#include "tests/unit/event/feed_builder.h"

#define BASE 100
#define DEADLINE_MS 20000
#define ID ((dispatcher_id_t){1, 1})

static service_actor_t *start_with(uint64_t tail_bytes_max, catch_up_source_t catch_up)
{
    service_actor_options_t options = {.service =
                                           event_service_options_default((commit_ts_t){BASE}),
                                       .catch_up = catch_up,
                                       .puller = log_puller_options_default(2)};
    options.service.tail_bytes_max = tail_bytes_max;
    options.service.grace_ns = 0;
    service_actor_t *actor;
    error_report_t report;
    assert_int_equal(service_actor_new(&options, &actor, &report), SLUICE_OK);
    assert_int_equal(service_actor_start(actor, &report), SLUICE_OK);
    return actor;
}

static void flushed(service_actor_t *actor, dispatcher_id_t id, commit_ts_t checkpoint)
{
    stream_request_t request = {.kind = STREAM_HEARTBEAT,
                                .dispatcher_id = id,
                                .epoch = 1,
                                .position = {.checkpoint = checkpoint}};
    service_actor_request(actor, &request);
}

/* The next event; the test fails when none comes. */
static stream_event_t next_event(service_actor_t *actor)
{
    stream_event_t event;
    while (service_actor_take(actor, &event, 1) == 0) {
        struct pollfd fd = {.fd = service_actor_fd(actor), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, DEADLINE_MS), 1);
    }
    return event;
}

/* Returns when the stream is open: a full tail gives up what nobody has asked for yet. */
static void open_stream(service_actor_t *actor, dispatcher_id_t id, uint64_t table,
                        uint64_t checkpoint)
{
    uint8_t key[1] = {9};
    stream_request_t request = {.kind = STREAM_REGISTER,
                                .dispatcher_id = id,
                                .span = {.table_id = {table}, .start_key = bytes_of(key, 1)}};
    service_actor_request(actor, &request);
    request = (stream_request_t){.kind = STREAM_RESET,
                                 .dispatcher_id = id,
                                 .epoch = 1,
                                 .position = {.checkpoint = {checkpoint}},
                                 .credit_bytes = UINT64_C(1) << 40};
    service_actor_request(actor, &request);
    stream_event_t event;
    do {
        event = next_event(actor);
        assert_int_not_equal(event.kind, STREAM_ROWS);
    } while (event.kind != STREAM_HANDSHAKE);
}

typedef struct {
    feed_inbox_t *inbox;
    uint64_t from, to;
    uint32_t server;
    sluice_error_t error; /* of a reading that fails */
} producer_t;

static void *produce(void *context)
{
    producer_t *producer = context;
    for (uint64_t ts = producer->from; ts <= producer->to; ts++) {
        feed_item_t item = ROWS(ts, 1);
        if (!feed_inbox_put(producer->inbox, &item))
            return NULL;
    }
    feed_inbox_set_caught_up(producer->inbox, true);
    return NULL;
}

/* Takes the rows of every commit_ts in (from, to], in order and none left out. */
static void take_rows(service_actor_t *actor, dispatcher_id_t id, uint64_t from, uint64_t to)
{
    uint64_t last = from, resolved = from;
    while (resolved < to) {
        stream_event_t event = next_event(actor);
        if (event.kind == STREAM_ROWS && dispatcher_id_equal(event.dispatcher_id, id)) {
            assert_int_equal(event.commit_ts.v, ++last);
            flushed(actor, id, event.commit_ts);
        } else if (event.kind == STREAM_RESOLVED && dispatcher_id_equal(event.dispatcher_id, id)) {
            assert_true(event.commit_ts.v <= last && event.commit_ts.v > resolved);
            resolved = event.commit_ts.v;
        }
        stream_event_clear(&event);
    }
}

static void hands_rows_from_the_reader_to_the_protocol_thread(void **state)
{
    (void)state;
    service_actor_t *actor = start_with(1 << 20, (catch_up_source_t){0});
    producer_t producer = {
        .inbox = service_actor_inbox(actor), .from = BASE + 1, .to = BASE + 20000};
    pthread_t thread;
    open_stream(actor, ID, 1, BASE);
    assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
    take_rows(actor, ID, BASE, BASE + 20000);
    pthread_join(thread, NULL);
    assert_int_equal(service_actor_state(actor).drops, 0);
    service_actor_destroy(&actor);
}

static void a_reader_that_waits_for_room_can_be_stopped(void **state)
{
    (void)state;
    service_actor_t *actor = start_with(1 << 16, (catch_up_source_t){0});
    producer_t producer = {.inbox = service_actor_inbox(actor), .from = BASE + 1, .to = UINT64_MAX};
    pthread_t thread;
    open_stream(actor, ID, 1, BASE);
    assert_int_equal(pthread_create(&thread, NULL, produce, &producer), 0);
    stream_event_t event = next_event(actor);
    stream_event_clear(&event);
    feed_inbox_stop(producer.inbox);
    pthread_join(thread, NULL);
    service_actor_destroy(&actor);
}

#define READINGS_MAX 4

/* Readings of older log; the first `failing` of them end after some rows. */
typedef struct {
    producer_t producers[READINGS_MAX];
    pthread_t threads[READINGS_MAX];
    atomic_int failing;
    sluice_error_t error;
    atomic_int opened, closed, retries, over, errors;
    uint32_t servers[READINGS_MAX];
    error_report_t last;
} reader_t;

static void *produce_and_fail(void *context)
{
    producer_t *producer = context;
    error_report_t report = {.code = producer->error};
    snprintf(report.text, sizeof report.text, "server %u", producer->server);
    produce(producer);
    feed_inbox_fail(producer->inbox, &report);
    return NULL;
}

static void *open_catch_up(void *context, uint32_t server, commit_ts_t from, feed_inbox_t *inbox,
                           commit_ts_t *begins)
{
    reader_t *reader = context;
    int number = reader->opened++;
    bool fails = number < reader->failing;
    assert_true(number < READINGS_MAX);
    reader->servers[number] = server;
    /* An anchor that lies a bit below. */
    *begins = (commit_ts_t){from.v - 1};
    producer_t *producer = &reader->producers[number];
    *producer =
        (producer_t){inbox, from.v, fails ? from.v + 1000 : BASE + 5000, server, reader->error};
    assert_int_equal(pthread_create(&reader->threads[number], NULL,
                                    fails ? produce_and_fail : produce, producer),
                     0);
    return producer;
}

static void close_catch_up(void *context, void *reading)
{
    reader_t *reader = context;
    producer_t *producer = reading;
    feed_inbox_stop(producer->inbox);
    pthread_join(reader->threads[producer - reader->producers], NULL);
    reader->closed++;
}

static void note_retry(void *context, const error_report_t *report)
{
    reader_t *reader = context;
    if (report) {
        assert_int_equal(report->code, reader->error);
        reader->retries++;
    } else {
        reader->over++;
    }
}

static void note_error(void *context, const error_report_t *report)
{
    reader_t *reader = context;
    reader->last = *report;
    reader->errors++;
}

static catch_up_source_t source_of(reader_t *reader)
{
    return (catch_up_source_t){.context = reader,
                               .open = open_catch_up,
                               .close = close_catch_up,
                               .on_retry = note_retry,
                               .on_error = note_error};
}

/* A stranger is answered only in the turn after the one that read the end and then shed. */
static void wait_until_shed(service_actor_t *actor)
{
    const dispatcher_id_t stranger = {3, 3};
    stream_event_t event;
    do {
        event = next_event(actor);
    } while (event.kind != STREAM_RESOLVED || event.commit_ts.v < BASE + 5000);
    for (int turn = 0; turn < 2; turn++) {
        flushed(actor, stranger, COMMIT_TS_NONE);
        do {
            event = next_event(actor);
        } while (event.kind != STREAM_REMOVED);
    }
}

/* Another table's dispatcher keeps the live reader going; nobody needs table 1 meanwhile. */
static service_actor_t *start_behind(reader_t *reader)
{
    service_actor_t *actor = start_with(1 << 20, source_of(reader));
    open_stream(actor, (dispatcher_id_t){2, 2}, 2, BASE);
    producer_t producer = {
        .inbox = service_actor_inbox(actor), .from = BASE + 1, .to = BASE + 5000};
    produce(&producer);
    wait_until_shed(actor);
    open_stream(actor, ID, 1, BASE + 10);
    return actor;
}

static void who_starts_below_the_tail_is_fed_by_a_second_reading(void **state)
{
    (void)state;
    reader_t reader = {0};
    service_actor_t *actor = start_behind(&reader);
    take_rows(actor, ID, BASE + 10, BASE + 5000);
    assert_int_equal(reader.opened, 1);
    service_actor_destroy(&actor);
    assert_int_equal(reader.closed, 1);
    assert_int_equal(reader.retries, 0);
}

static void a_reading_that_fails_is_followed_by_one_from_another_server(void **state)
{
    (void)state;
    reader_t reader = {.failing = 1, .error = SLUICE_ERROR_SOURCE_CONNECTION};
    service_actor_t *actor = start_behind(&reader);
    take_rows(actor, ID, BASE + 10, BASE + 5000);
    assert_int_equal(reader.opened, 2);
    assert_int_equal(reader.servers[0], 0);
    assert_int_equal(reader.servers[1], 1);
    service_actor_destroy(&actor);
    assert_int_equal(reader.closed, 2);
    assert_int_equal(reader.retries, 1);
    assert_int_equal(reader.over, 1);
}

static void when_every_server_refuses_each_is_told(void **state)
{
    (void)state;
    reader_t reader = {.failing = 2, .error = SLUICE_ERROR_SOURCE_PURGED};
    service_actor_t *actor = start_behind(&reader);
    while (reader.errors == 0) {
        stream_event_t event;
        if (service_actor_take(actor, &event, 1))
            stream_event_clear(&event);
        else
            sched_yield();
    }
    service_actor_destroy(&actor);
    assert_int_equal(reader.errors, 1);
    assert_int_equal(reader.last.code, SLUICE_ERROR_SOURCE_PURGED);
    assert_string_equal(reader.last.text, "server 1; server 0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_rows_from_the_reader_to_the_protocol_thread),
        cmocka_unit_test(a_reader_that_waits_for_room_can_be_stopped),
        cmocka_unit_test(who_starts_below_the_tail_is_fed_by_a_second_reading),
        cmocka_unit_test(a_reading_that_fails_is_followed_by_one_from_another_server),
        cmocka_unit_test(when_every_server_refuses_each_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
